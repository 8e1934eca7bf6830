"""What a patch that does not land would need first: candidates, each tried in memory, and plans with their price."""
