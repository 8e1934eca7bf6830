"""figures.json: what the probes measured in a run, beside its report.

A speed is another one each time it is taken. In the report it would make two equal runs differ, and a seal over it would say
nothing: so it stands here, and `backport log` shows both. Schema `backport-figures/1`; `boots` is a list of
`{kind, subject, setup, measures: [{name, value, unit}]}`, the first three as in the report's proofs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from backport.model import codec
from backport.model.errors import InputError
from backport.model.proof import Measured

FILE = "figures.json"
SCHEMA = "backport-figures/1"


def dump(measured: Sequence[Measured]) -> bytes:
    """The file's content."""
    document = {"schema": SCHEMA, "boots": [codec.encode(boot) for boot in measured]}
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def load(folder: Path) -> tuple[Measured, ...]:
    """The figures in a run's folder; none where the run measured nothing. InputError for a file that is damaged."""
    path = folder / FILE
    try:
        document = json.loads(path.read_bytes())
        if not isinstance(document, dict) or document.get("schema") != SCHEMA or not isinstance(document.get("boots"), list):
            raise ValueError(f"it is no {SCHEMA}")
        return tuple(codec.decode(Measured, boot, f"boots[{number}]") for number, boot in enumerate(document["boots"]))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:
        then = "remove it: the report does not need it, and the next run writes it anew"
        raise InputError(f"the figures are damaged: {error}", where=str(path), then=then) from error
