"""Later commits that fix, revert or change what a series brought, ranked, with the reason for each."""
