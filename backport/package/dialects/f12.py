"""Fedora's kernel.spec from about Fedora 8 to 13: ApplyPatch, config-generic, a buildid, everything under `%if !%{nopatches}`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backport.model.errors import InputError
from backport.package import declare, escape
from backport.package.change import Change, Dialect, Insertion, same_conditions
from backport.package.document import Document, Line

_FUNCTION = re.compile(rb"ApplyPatch\(\)")
_END = re.compile(rb"# END OF PATCH APPLICATIONS[\s=]*$")
_CALL = re.compile(rb"Apply(?:Optional)?Patch [A-Za-z0-9]")
_ENDIF = re.compile(rb"\s*%endif(?=\W|$)")
_NOPATCHES = re.compile(rb"!\s*%\{\??nopatches\}")
_ORIGIN = re.compile(rb"%(?:define|global)\s+fedora_cvs_origin\s+(\d+)\s*$")
_REVISION = re.compile(rb"\$Revision: 1\.(\d+)((?:\.\d+)*) \$")
_RAISED_BUILD = re.compile(rb"%global fedora_build [\d.]+$")  # ours, see release.py
_DEFINES_BUILD = re.compile(rb"%(?:define|global)\s+fedora_build\s+%\(")


def why_not(document: Document) -> Sequence[str]:
    """An ApplyPatch function, the comment behind its calls, patches declared where --with vanilla leaves them out."""
    return [
        what
        for what, found in (
            ("no function ApplyPatch in %prep", document.matching(_FUNCTION, "prep")),
            ("no line `# END OF PATCH APPLICATIONS` in %prep", document.matching(_END, "prep")),
            ("no patches under `%if !%{nopatches}`", _ends(document)),
            ("no patch applied by ApplyPatch", document.matching(_CALL, "prep")),
        )
        if not found
    ]


def plan(document: Document, change: Change) -> Sequence[Insertion]:
    """Declarations at the end of the `%if !%{nopatches}`, ApplyPatch lines before the end of the applications, the buildid."""
    end = document.only(_ends(document), "%endif of the `%if !%{nopatches}` that declares patches")
    applications = document.anchor(_END, "prep", "line `# END OF PATCH APPLICATIONS`")
    same_conditions(document, end, applications)
    calls = [f"ApplyPatch {escape.patch_name(patch.name)}".encode() for patch in change.patches]
    return [
        declare.patches(document, change, end),
        Insertion(applications.number, tuple(calls)),
        *declare.buildid(document, change, needed=True),
    ]


def presets(document: Document) -> dict[str, str | None]:
    """`fedora_build`, which the spec has a shell compute from CVS's $Revision$: the distance from fedora_cvs_origin.

    On a branch the revision is 1.1205.1.1: what follows the second number is kept, as the spec's awk does.
    """
    if raised := document.matching(_RAISED_BUILD, ""):
        return {"fedora_build": raised[-1].text.split()[-1].decode()}
    build = document.matching(_DEFINES_BUILD, "")
    origin = document.matching(_ORIGIN, "")
    revision = _REVISION.search(build[0].text) if build else None
    if revision is None or not origin:
        return {}
    base = _ORIGIN.match(document.only(origin, "definition of fedora_cvs_origin").text)
    if base is None or int(revision[1]) < int(base[1]):
        raise InputError("fedora_build cannot be computed", where=f"{document.where}:{build[0].number}", then="give --evr")
    return {"fedora_build": f"{int(revision[1]) - int(base[1])}{revision[2].decode()}"}


def _ends(document: Document) -> list[Line]:
    """The %endif of each `%if !%{nopatches}` of the preamble in which patches are declared."""
    opened = {
        condition.line
        for line in document.matching(declare.PATCH, "")
        for condition in line.conditions
        if condition.keyword == b"if" and condition.branch == 0 and _NOPATCHES.match(condition.expression)
    }
    return [line for line in document.matching(_ENDIF, "") if line.conditions and line.conditions[-1].line in opened]


DIALECT = Dialect(
    "f12",
    why_not,
    plan,
    config=("config-generic",),
    overriding="config-*",
    strict_config=True,
    spec_name="kernel.spec",
    presets=presets,
)
