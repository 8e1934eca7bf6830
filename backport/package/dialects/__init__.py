"""The ways in which distributions write a kernel.spec, one module each; which one a spec is written in is recognised, or said."""

from __future__ import annotations

from backport.model.errors import InputError
from backport.package.change import Dialect
from backport.package.dialects import ark, autosetup, f12, generated, patch_p
from backport.package.document import Document

DIALECTS: tuple[Dialect, ...] = (generated.DIALECT, ark.DIALECT, f12.DIALECT, autosetup.DIALECT, patch_p.DIALECT)


def recognise(document: Document) -> Dialect:
    """The first dialect whose every mark the spec bears; InputError saying of each dialect what is missing."""
    missing = []
    for dialect in DIALECTS:
        reasons = dialect.why_not(document)
        if not reasons:
            return dialect
        missing.append(f"{dialect.name} ({'; '.join(reasons)})")
    raise InputError(
        "the spec is written in none of the known ways: " + ", ".join(missing),
        where=document.where,
        then="nothing was written; `backport spec new` writes a spec of its own",
    )
