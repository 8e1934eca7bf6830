"""What the drift guard says of upstream's lines, and what of it is still true of the lines that landed.

A rule may have put the target's word for upstream's, or kept an argument of the target's: then what was found about upstream's
line says nothing about the result. Findings about files that no rule touched all stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backport.csource.accesses import arguments_of
from backport.csource.tokens import blank, says
from backport.git.store import Store
from backport.model.finding import Finding
from backport.model.verdict import PLAIN, FileOutcome
from backport.replay.guard.text import added


def still_said(findings: Sequence[Finding], files: Sequence[FileOutcome], store: Store) -> list[Finding]:
    """The findings that are about the patch as it landed.

    Of a name, where an added line has it; of a member, where one has it behind a dot or an arrow (b69e8caef5b1:
    `efer` is a parameter there as well); of a number of arguments, where the file does not call with one and the
    same number throughout, and did before (93d5c9be1ddd: the target's call has one more, which the merge of words kept).
    """
    touched = {file.upstream_path: file for file in files if file.rule not in PLAIN}
    return [found for found in findings if found.path not in touched or _is_true(found, touched[found.path], store)]


def _is_true(found: Finding, file: FileOutcome, store: Store) -> bool:
    name = found.symbol.encode("utf-8", "replace")
    lines = added(file, store)
    if found.kind == "absent-member":
        return re.search(rb"(?:->|\.)\s*" + re.escape(name) + rb"(?!\w)", blank(lines)) is not None
    if found.kind == "arity-changed" and says(lines, name):
        ours, result = store.text(file.ours) or b"", store.text(file.result) or b""
        known = set(_counts(ours, name))
        return len(known) != 1 or set(_counts(result, name)) != known
    return says(lines, name)


def _counts(text: bytes, name: bytes) -> Iterator[int]:
    """With how many arguments a function is called, or declared, at each place of a text."""
    plain = blank(text)
    for match in re.finditer(rb"(?<!\w)" + re.escape(name) + rb"\s*\(", plain):
        yield len(arguments_of(plain, match.end() - 1))
