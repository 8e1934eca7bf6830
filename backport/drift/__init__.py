"""What the added lines of a series mean in the target tree. Knows nothing of the replay."""
