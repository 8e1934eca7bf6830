"""Rebase an upstream kernel series onto an older tree, and say why each line may be trusted."""

__version__ = "0.1.0"
