"""Looks at a spec without changing it: its dialect, our lines in it, the files that they name; and, if trusted, what rpm says."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from backport.model.errors import BackportError, MissingToolError
from backport.package import blocks, declare, macros, verify
from backport.package.dialects import recognise
from backport.package.document import Document


@dataclass(frozen=True, slots=True)
class Checked:
    """What is right with a spec, and what is not: one sentence each."""

    facts: tuple[str, ...]
    faults: tuple[str, ...]


def check(document: Document, folder: Path, *, trusted: bool) -> Checked:
    """All that can be said of the spec. InputError where it cannot be read at all; a fault of our lines is in `faults`."""
    facts, faults = [], []
    try:
        dialect = recognise(document)
        facts.append(f"dialect {dialect.name}")
        found = macros.tags(document, "x86_64", {"dist": "", **dialect.presets(document)})
        if "Version" in found and "Release" in found:
            facts.append(f"{found.get('Name', 'kernel')}-{found['Version']}-{found['Release']}")
    except BackportError as error:
        faults.append(error.what)
    written = blocks.find(document.data, document.where)
    for block in written:
        if not block.intact:
            faults.append(f"line {block.line}: the lines of {block.series} were changed by hand")
        names = declare.recorded_names(block.lines) if declare.recorded_digest(block.lines) else []
        faults += [f"line {block.line}: {name} is not beside the spec" for name in names if not (folder / name).is_file()]
    count = Counter(block.series for block in written)
    facts += [f"{number} blocks of {series}" for series, number in count.items()]
    if trusted:
        try:
            facts += verify.confirm(document, folder) + verify.lint(document)
        except MissingToolError:
            raise
        except BackportError as error:
            faults.append(error.what)
    else:
        facts.append("rpm was not asked: reading a spec runs what is in it (--trust-spec)")
    return Checked(tuple(facts), tuple(faults))
