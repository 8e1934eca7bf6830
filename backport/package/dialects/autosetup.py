"""Specs that apply every declared patch with `%autosetup -p1` or `%autopatch -p1`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.package import declare
from backport.package.change import Change, Dialect, Insertion
from backport.package.document import Document

_AUTO = re.compile(rb"\s*%(?:autosetup|autopatch)(?=\s|$)(?!.*\s-N\b)")
_STRIPS_ONE = re.compile(rb".*\s-p\s*1\b")


def why_not(document: Document) -> Sequence[str]:
    """Something applies every patch, and takes `a/` and `b/` off the names."""
    found = document.matching(_AUTO, "prep")
    if not found:
        return ("neither %autosetup nor %autopatch in %prep",)
    return () if any(_STRIPS_ONE.match(line.text) for line in found) else ("it does not apply patches with -p1",)


def plan(document: Document, change: Change) -> Sequence[Insertion]:
    """Declarations behind the last one of the spec: they are applied in the order of their numbers."""
    document.anchor(_AUTO, "prep", "%autosetup or %autopatch")
    place = declare.behind_last(document)
    return [declare.patches(document, change, place), *declare.buildid(document, change, needed=False)]


DIALECT = Dialect("autosetup", why_not, plan, config=("config-generic", "kernel-local", "config-*"))
