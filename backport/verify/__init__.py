"""Holds a report against the histories and its own output folder, without resolving anything again."""
