"""Where a series comes from: definitions and the commits that they name."""
