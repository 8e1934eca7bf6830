"""Hands an SRPM to a build system: Koji itself, or the exact command for somebody who has another."""
