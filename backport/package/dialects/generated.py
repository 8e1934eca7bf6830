"""The spec that this tool writes itself (specs/kernel.spec.j2), taking in one more series."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.package import declare
from backport.package.change import Change, Dialect, Insertion, same_conditions
from backport.package.document import Document

_FIRST = b"# Written by backport."
_DEFINITIONS = re.compile(rb"# END OF PATCH DEFINITIONS[\s=]*$")
_APPLICATIONS = re.compile(rb"# END OF PATCH APPLICATIONS[\s=]*$")


def why_not(document: Document) -> Sequence[str]:
    """It says in its first line who wrote it."""
    return () if document.data.startswith(_FIRST) else ("its first line does not say that backport wrote it",)


def plan(document: Document, change: Change) -> Sequence[Insertion]:
    """Declarations and `%patch -P` lines before the two comments that end them."""
    definitions = document.anchor(_DEFINITIONS, "", "line `# END OF PATCH DEFINITIONS`")
    applications = document.anchor(_APPLICATIONS, "prep", "line `# END OF PATCH APPLICATIONS`")
    same_conditions(document, definitions, applications)
    declared = declare.patches(document, change, definitions)
    return [
        declared,
        Insertion(applications.number, declare.applied_by_number(declared)),
        *declare.buildid(document, change, needed=True),
    ]


DIALECT = Dialect("generated", why_not, plan, config=("config-*",))
