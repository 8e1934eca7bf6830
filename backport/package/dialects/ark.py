"""kernel-ark and today's Fedora dist-git: one linux-kernel-test.patch and one kernel-local for what is not Fedora's.

By default the spec is left alone but for the buildid. With `own_lines` the series gets PatchN lines of its own before
`# END OF PATCH DEFINITIONS`, applied before linux-kernel-test.patch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from backport.model.errors import InputError
from backport.package import declare, escape
from backport.package.change import Change, Dialect, Insertion, same_conditions
from backport.package.document import Document

TEST_PATCH = "linux-kernel-test.patch"
_DECLARED = re.compile(rb"Patch999999:\s*linux-kernel-test\.patch\s*$")
_APPLIED = re.compile(rb"ApplyOptionalPatch linux-kernel-test\.patch\s*$")
_DEFINITIONS = re.compile(rb"# END OF PATCH DEFINITIONS[\s=]*$")
_DEFINITIONS_END, _TEST_DECLARED = "line `# END OF PATCH DEFINITIONS`", "line `Patch999999: linux-kernel-test.patch`"
_NOPATCHES = re.compile(rb"%define nopatches\s")
_SKIPPED = 9  # lines; ApplyOptionalPatch takes a file of no more for an empty one, and says nothing


def why_not(document: Document) -> Sequence[str]:
    """The test patch, declared and applied."""
    return [
        what
        for what, found in (
            ("no `Patch999999: linux-kernel-test.patch`", document.matching(_DECLARED, "")),
            ("no `ApplyOptionalPatch linux-kernel-test.patch` in %prep", document.matching(_APPLIED, "prep")),
        )
        if not found
    ]


def plan(document: Document, change: Change) -> Sequence[Insertion]:
    """The buildid, and with `own_lines` declarations and applications."""
    ours = declare.buildid(document, change, needed=True)
    if not change.own_lines:
        document.anchor(_DECLARED, "", _TEST_DECLARED)
        document.anchor(_APPLIED, "prep", "line `ApplyOptionalPatch linux-kernel-test.patch`")
        return ours
    pattern, what = (_DEFINITIONS, _DEFINITIONS_END) if document.matching(_DEFINITIONS, "") else (_DECLARED, _TEST_DECLARED)
    definitions = document.anchor(pattern, "", what)  # RHEL 6 has no such comment: before the test patch, then
    test = document.anchor(_APPLIED, "prep", "line `ApplyOptionalPatch linux-kernel-test.patch`")
    same_conditions(document, definitions, test)
    for patch in change.patches:
        if patch.data.count(b"\n") <= _SKIPPED:
            raise InputError("ApplyOptionalPatch would skip the patch: it has nine lines or fewer", where=patch.name)
    calls = [f"ApplyOptionalPatch {escape.patch_name(patch.name)}".encode() for patch in change.patches]
    declared = declare.patches(document, change, definitions)
    if document.matching(
        _NOPATCHES, ""
    ):  # the test patch is applied with --with vanilla too; a series of one's own is not vanilla
        declared = replace(declared, lines=(declared.lines[0], *_unless_vanilla(declared.lines[1:])))
        calls = _unless_vanilla(calls)
    return [declared, Insertion(test.number, tuple(calls)), *ours]


def _unless_vanilla(lines: Sequence[bytes]) -> list[bytes]:
    return [b"%if !%{nopatches}", *lines, b"%endif"]


DIALECT = Dialect(
    "ark",
    why_not,
    plan,
    config=("kernel-local", "config-generic"),  # the second in RHEL 6, from which the test patch comes
    trees=("configs/fedora/generic", "configs/common/generic"),  # a checkout of kernel-ark: redhat/configs beside the spec
    test_patch=TEST_PATCH,
    strict_config=True,
)
