"""series.json: what is in a package and why, for whoever opens the SRPM without the report: ids, verdicts, checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from backport.model.definition import Definition
from backport.model.verdict import PatchOutcome, rules_of
from backport.package.plan import PatchFile

_FORMAT = 1


def dump(
    definition: Definition,
    onto: str,
    onto_tree: str,
    outcomes: Sequence[PatchOutcome],
    files: Sequence[PatchFile],
    file_of: Mapping[str, str],
) -> bytes:
    """The manifest, UTF-8, the same bytes for the same run.

    `patches` has every patch of the series in order, also those that are not in the package, each with its upstream id, verdict
    and rules; those that landed with commit, tree and the file that holds them. `files` has the sha256 of each patch file.
    """
    said = {
        "format": _FORMAT,
        "series": definition.name,
        "title": definition.title,
        "onto": {"commit": onto, "tree": onto_tree},
        "patches": [_patch(outcome, file_of) for outcome in outcomes],
        "dropped": [{"upstream": d.commit, "subject": d.subject, "reason": d.reason} for d in definition.drops],
        "files": [{"name": file.name, "sha256": hashlib.sha256(file.data).hexdigest()} for file in files],
        "config": {value.symbol: value.value for value in definition.config},
    }
    return json.dumps(said, indent=1, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _patch(outcome: PatchOutcome, file_of: Mapping[str, str]) -> dict[str, object]:
    said: dict[str, object] = {"upstream": outcome.upstream, "subject": outcome.subject, "verdict": outcome.verdict.value}
    if rules := rules_of(outcome.files):
        said["rules"] = list(rules)
    if outcome.commit:
        said |= {"commit": outcome.commit, "tree": outcome.tree, "file": file_of.get(outcome.upstream, "")}
    if outcome.reason:
        said["reason"] = outcome.reason
    return said
