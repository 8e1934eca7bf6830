"""Every value of a report is changed in turn, and the report sealed again by whoever changed it: verify must notice all the same.

What it cannot notice then is listed here, by name: words for people that follow from nothing.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backport.cli.resolve import _wish
from backport.examine import open_histories
from backport.git.publish import unbundle
from backport.ingest import catalog
from backport.model import codec
from backport.model.errors import InputError
from backport.model.evidence import Evidence
from backport.model.progress import Silent
from backport.model.result import RunResult
from backport.model.series import Entry
from backport.model.verdict import FileOutcome, Verdict
from backport.pipeline import Options, run
from backport.report import document, seal
from backport.verify.check import Subject, differences, read, verify
from backport.verify.claims import _silent

WORDS_ONLY = (
    r"tool",
    r"patches\[\d+\]\.files\[\d+\]\.evidence\[\d+\]\.(why|offset|checks\[\d+\]|line)",
    r"patches\[\d+\]\.suggestions\[\d+\]\..*",
    r"patches\[\d+\]\.reason",  # of a patch that is there already, or does not apply
    r"findings\[\d+\]\.(level|kind|symbol|line|upstream|target|hint|accepted|introduced_by\.why)",
    r"skipped\[\d+\]\..*",
)
"""What only the seal covers."""


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Each value that is no object and no list, with its path."""

    def walk(value: Any, place: str, keys: tuple[Any, ...]) -> Iterator[tuple[str, tuple[Any, ...]]]:
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                yield from walk(inner, f"{place}.{key}" if place else key, (*keys, key))
        elif isinstance(value, list) and value:
            for number, inner in enumerate(value):
                yield from walk(inner, f"{place}[{number}]", (*keys, number))
        else:
            yield place, keys

    return walk(value, place, ())


def changed(value: Any, keys: tuple[Any, ...]) -> Any:
    """A value of the same kind that says something else."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if value is None:
        return {"mode": "100644", "oid": "0" * 40} if keys[-1] in ("base", "ours", "theirs", "result") else None
    if isinstance(value, list):
        return [copy.deepcopy(FILLER[keys[-1]])] if keys[-1] in FILLER else value
    if re.fullmatch(r"[0-9a-f]{40,64}", value):
        return ("1" if value[0] == "0" else "0") + value[1:]
    if re.fullmatch(r"[0-7]{6}", value):
        return "100755" if value != "100755" else "100644"
    if keys[-1] == "verdict":
        return "exact" if value != "exact" else "merged"
    if keys[-1] == "level":
        return "note" if value != "note" else "error"
    return value + "x" if value else "f" * 40 if keys[-1] in ("commit", "tree") else "x"


CAUSE = {"commit": "0" * 40, "subject": "s", "why": "w"}
FILLER: dict[Any, Any] = {
    "causes": CAUSE,
    "needs": "0" * 40,
    "files": {"path": "x", "upstream_path": "x", "rule": "take"}
    | {"base": None, "ours": None, "theirs": None, "result": None, "evidence": []},
    "conflicts": {"path": "x", "rule": "absent", "function": "", "line": 0, "ours": "", "base": "", "theirs": "", "causes": []},
    "evidence": {"rule": "x", "path": "x", "function": "", "line": 0, "offset": 0, "why": "", "causes": [], "checks": []},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the sample with one decision of a person: recorded, suspect or conflict, and all the others."""
    place = tmp_path_factory.mktemp("verify")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("XDG_CACHE_HOME", str(place / "cache"))
        decide_one(place)
        definition = catalog.find("sample", catalog.places())
        run(Options(definition, (), definition.onto, place / "out", srpm=False), Silent())
    return place


def decide_one(place: Path) -> None:
    """The suspect patch is adapted; the conflict is left."""
    from backport.resolve import flow

    wish = _wish("sample", (), None, place / "tree", None)
    flow.begin(wish, Silent())
    file = place / "tree/mm/vmscan.c"
    file.write_text(file.read_text().replace("trylock_page", "test_set_page_locked"))
    flow.proceed(place / "tree", "", Silent())
    flow.abort(place / "tree")


def test_nothing_is_said_against_a_true_report(folder: Path) -> None:
    result, broken = read(folder / "out/report.json")
    found = verify(Subject(folder / "out/report.json", result, broken, (), catalog.find("sample", catalog.places())), Silent())
    assert found.differences == ()
    assert {Verdict.RECORDED, Verdict.CONFLICT, Verdict.ALREADY_PRESENT} <= {patch.verdict for patch in result.patches}
    assert found.evidence > 0


def test_every_value_that_is_changed_breaks_the_seal(folder: Path) -> None:
    true = json.loads((folder / "out/report.json").read_bytes())
    count = 0
    for place, keys in leaves({key: value for key, value in true.items() if key != seal.KEY}):
        changed_one = tampered(true, keys)
        if changed_one == true:
            continue
        count += 1
        top = re.match(r"\w+(\[\d+\])?", place)
        assert top is not None
        assert {place, top.group(), str(keys[0])} & set(seal.broken(changed_one)), place
        with pytest.raises(InputError):
            document.load(json.dumps(changed_one).encode(), "here")
    assert count > 300


def test_sealed_again_all_but_words_is_still_noticed(folder: Path) -> None:
    definition = catalog.find("sample", catalog.places())
    path = folder / "out/report.json"
    true = json.loads(path.read_bytes())
    unnoticed = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        sources = open_histories(definition, (), ["v2.6.31.1"], folder / "scratch", Silent())
    with sources.store(folder / "scratch/run.git") as store:
        unbundle(store, folder / "out/sample.bundle")
        for place, keys in leaves(true):
            if keys[0] in (seal.KEY, "summary", "schema") or (document_ := tampered(true, keys)) == true:
                continue
            del document_[seal.KEY], document_["summary"], document_["schema"]
            try:
                result = codec.decode(RunResult, document_, "")
            except codec.MismatchError:
                continue  # refused outright
            subject = Subject(path, result, (), (), definition)
            try:
                if not any(True for _ in differences(subject, sources.clones, store, Silent())):
                    unnoticed.append(place)
            except InputError:
                continue  # an object that is nowhere, named
    strange = [place for place in unnoticed if not any(re.fullmatch(words, place) for words in WORDS_ONLY)]
    assert not strange, "\n".join(strange)


def tampered(true: dict[str, Any], keys: tuple[Any, ...]) -> dict[str, Any]:
    made = copy.deepcopy(true)
    inner: Any = made
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = changed(inner[keys[-1]], keys)
    return made


def test_a_rule_that_had_a_part_in_a_file_says_which() -> None:
    def made(rule: str, *rules: str) -> FileOutcome:
        some = Entry(0o100644, "1" * 40)
        told = tuple(Evidence(name, b"x.c", "", 1, 0, "it is here") for name in rules)
        return FileOutcome(b"x.c", b"x.c", rule, some, some, some, some, told)

    assert _silent(made("anchor+words", "3-way", "anchor")) == ["words"]
    assert _silent(made("versions", "3-way")) == ["versions"]
    assert _silent(made("anchor+words", "words", "anchor")) == []
    assert _silent(made("mined+anchor", "mined+anchor")) == []
    assert _silent(made("3-way", "3-way")) == []
