"""The person's turn: a worktree for the patch that nothing but a person can settle, and what they decided, kept for next time."""
