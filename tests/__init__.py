"""The tests mirror backport/ folder by folder. A package, so that tests/git never stands in the way of GitPython's `git`."""
