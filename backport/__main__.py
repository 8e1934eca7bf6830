"""`python -m backport`."""

from backport.cli import main

main()
