"""What a command is asked about: a series by name or path, or commits, ranges and patch files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backport.cli import shared

if TYPE_CHECKING:
    from backport.examine import Request


def request(
    what: tuple[str, ...], kernels: tuple[str, ...], onto: str | None, patches: Path | None, whitelist: Path | None = None
) -> Request:
    """The words of a command line with every default filled in. InputError for a definition that is broken."""
    from backport import examine
    from backport.ingest import catalog

    definition = None
    if len(what) == 1 and (what[0].endswith(".toml") or what[0] in catalog.names(catalog.places(patches))):
        definition = catalog.find(what[0], catalog.places(patches))
    return examine.Request(
        what=what,
        definition=definition,
        kernels=shared.histories(kernels, definition),
        onto=onto or (definition.onto if definition else ""),
        kabi_whitelist=whitelist,
    )
