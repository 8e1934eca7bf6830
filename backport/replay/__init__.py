"""Puts every patch of a series onto the target, in memory, and says how."""
