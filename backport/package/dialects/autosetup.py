"""Specs in which one command applies every patch: `%autosetup -p1`, `%autopatch -p1`, Fedora 24's `git am %{patches}`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.package import declare
from backport.package.change import Change, Dialect, Insertion, same_conditions
from backport.package.document import Document

_AUTO = re.compile(rb"\s*%(?:autosetup|autopatch)(?=\s|$)(?!.*\s-N\b)")
_STRIPS_ONE = re.compile(rb".*\s-p\s*1\b")
_AM = re.compile(rb"\s*git am %\{patches\}\s*$")
_DEFINITIONS = re.compile(rb"# END OF PATCH DEFINITIONS[\s=]*$")


def why_not(document: Document) -> Sequence[str]:
    """Something applies every patch, and takes `a/` and `b/` off the names."""
    if document.matching(_AM, "prep"):
        return ()
    found = document.matching(_AUTO, "prep")
    if not found:
        return ("neither %autosetup nor %autopatch nor `git am %{patches}` in %prep",)
    return () if any(_STRIPS_ONE.match(line.text) for line in found) else ("it does not apply patches with -p1",)


def plan(document: Document, change: Change) -> Sequence[Insertion]:
    """Declarations behind the last one of the spec, or before the comment that ends them: they are applied in that order."""
    applies = document.only(
        document.matching(_AM, "prep") or document.matching(_AUTO, "prep"), "command that applies all patches"
    )
    ends = document.matching(_DEFINITIONS, "")
    place = document.only(ends, "line `# END OF PATCH DEFINITIONS`") if ends else declare.behind_last(document)
    if ends:
        same_conditions(document, place, applies)
    return [declare.patches(document, change, place), *declare.buildid(document, change, needed=False)]


DIALECT = Dialect("autosetup", why_not, plan, config=("config-generic", "kernel-local", "config-*"), trees=("baseconfig",))
