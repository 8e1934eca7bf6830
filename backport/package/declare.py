"""The lines that dialects have in common: patch declarations with free numbers, and the buildid."""

from __future__ import annotations

import re

from backport.model.errors import InputError
from backport.package import escape
from backport.package.change import Change, Insertion
from backport.package.document import Document, Line, show

PATCH = re.compile(rb"\s*Patch(\d*)\s*:\s*(.*)", re.IGNORECASE)
_TAKEN = re.compile(rb"\bPatch(\d+)\s*:", re.IGNORECASE)
_MACRO = re.compile(rb"[^#]*\bPatch(?:%|\{)", re.IGNORECASE)
_ACTIVE_BUILDID = re.compile(rb"\s*%(?:define|global)\s+buildid\s")
_LOCAL_BUILDID = re.compile(rb"#\s*%?\s*define buildid \.local\s*$")
_SOURCE = re.compile(rb"\s*Source\d*\s*:", re.IGNORECASE)
_FILES = b"# files "
_LARGEST = 999_998  # Patch999999 is ark's linux-kernel-test.patch, which must stay the last


def patches(document: Document, change: Change, before: Line) -> Insertion:
    """One `PatchN: name` a patch file, with numbers above all that are taken, in a block before the line `before`."""
    refuse_known(document, change)
    first = next_number(document)
    if first + len(change.patches) > _LARGEST:
        raise InputError(
            f"no patch numbers are free: {first - 1} is taken", where=document.where, then="renumber the last patches"
        )
    lines = [_FILES + change.digest.encode()]
    lines += [f"Patch{first + i}: {escape.patch_name(patch.name)}".encode() for i, patch in enumerate(change.patches)]
    return Insertion(before.number, tuple(lines))


def recorded_digest(lines: tuple[bytes, ...]) -> str:
    """The digest of the patch files that a block of ours declares; '' for a block of another kind."""
    return lines[0].removeprefix(_FILES).decode() if lines and lines[0].startswith(_FILES) else ""


def recorded_names(lines: tuple[bytes, ...]) -> list[str]:
    """The patch files that a block of ours declares, in order."""
    return [found[2].decode() for line in lines if (found := PATCH.match(line))]


def next_number(document: Document) -> int:
    """The first number above all that any line of the spec uses for a patch, whatever its conditions."""
    for line in document.lines:
        if line.section == "" and _MACRO.match(line.text):
            raise InputError(
                f"the number of a patch is made by a macro in line {line.number} ({show(line.text)})",
                where=document.where,
                then="nothing was written: which numbers are free cannot be told; write plain numbers",
            )
    taken = [int(n) for line in document.lines if line.section == "" for n in _TAKEN.findall(line.text)]
    return max([n for n in taken if n <= _LARGEST], default=0) + 1


def refuse_known(document: Document, change: Change) -> None:
    """InputError where the spec declares a patch file of the same name already, and not by our hand."""
    names = {patch.name.encode(): patch.name for patch in change.patches}
    for line in document.section(""):
        found = PATCH.match(line.text)
        if found and found[2].strip() in names:
            raise InputError(
                f"the spec has the patch already, and not from backport: line {line.number} ({show(line.text)})",
                where=document.where,
                then="take that line and its application out first, or name the series' patch files otherwise",
            )


def buildid(document: Document, change: Change, *, needed: bool) -> list[Insertion]:
    """`%define buildid .ksm` behind the line that offers `.local`, or added to a buildid that the spec has.

    An insertion, not a replacement: the line of the distribution comes back when ours is taken out.
    """
    if not change.buildid:
        return []
    word = escape.buildid(change.buildid)
    offered = document.matching(_LOCAL_BUILDID, "")
    active = document.matching(_ACTIVE_BUILDID, "")
    # From Fedora 12's last year on, a `--define buildid` is joined to the spec's own below `%if 0%{?orig_buildid:1}`: no buildid.
    if active and not (offered and all(line.conditions for line in active)):
        line = document.only(active, "definition of buildid (--buildid '' leaves it alone)")
        return [Insertion(line.number + 1, (f"%global buildid %{{?buildid}}{word}".encode(),), blank=False)]
    if not offered and not needed:
        return []
    line = document.only(offered, "line that offers a buildid (`# define buildid .local`)")
    return [Insertion(line.number + 1, (f"%define buildid {word}".encode(),), blank=False)]


def applied_by_number(declared: Insertion) -> tuple[bytes, ...]:
    """`%patch -P N -p1` for each declaration: the one form that every rpm takes (`%patchN` is an error from 4.20 on)."""
    return tuple(b"%%patch -P %s -p1" % found[1] for line in declared.lines if (found := PATCH.match(line)))


def behind_last(document: Document) -> Line:
    """The line behind the last patch (or source) that the preamble declares, outside of every %if."""
    declared = document.matching(PATCH, "") or document.matching(_SOURCE, "")
    if not declared:
        raise InputError("the spec declares neither patches nor sources", where=document.where, then="nothing was written")
    return behind(document, declared[-1])


def behind(document: Document, line: Line) -> Line:
    """The first line behind `line` that stands in no %if. InputError where the file ends before."""
    rest = document.lines[line.number :]
    found = next((other for other in rest if not other.conditions and not other.body), None)
    if found is None:
        raise InputError(
            f"nothing follows line {line.number} ({show(line.text)})", where=document.where, then="is the spec whole?"
        )
    return found
