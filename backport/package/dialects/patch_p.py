"""Specs that apply each patch with a line `%patch -P N`, or `%patchN` as before rpm 4.20."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.package import declare
from backport.package.change import Change, Dialect, Insertion, same_conditions
from backport.package.document import Document

_APPLY = re.compile(rb"\s*%patch(?:\d+|\s+-P\s*\d+|\s+\d+)(?=\s|$)")
_END = re.compile(rb"# END OF PATCH APPLICATIONS[\s=]*$")


def why_not(document: Document) -> Sequence[str]:
    """Patches are declared, and applied by number."""
    return () if document.matching(_APPLY, "prep") else ("no `%patch -P N` in %prep",)


def plan(document: Document, change: Change) -> Sequence[Insertion]:
    """Declarations behind the last one, `%patch -P N -p1` behind the last application, outside of every %if."""
    place = declare.behind_last(document)
    marked = document.matching(_END, "prep")
    apply = (
        document.only(marked, "line `# END OF PATCH APPLICATIONS`")
        if marked
        else declare.behind(document, document.matching(_APPLY, "prep")[-1])
    )
    same_conditions(document, place, apply)
    declared = declare.patches(document, change, place)
    calls = Insertion(apply.number, declare.applied_by_number(declared))
    return [declared, calls, *declare.buildid(document, change, needed=False)]


DIALECT = Dialect("patch-P", why_not, plan, config=("config-generic", "kernel-local", "config-*"))
