"""Followed series in mainline: what was merged of them and what came after is run onto the targets, once."""

from __future__ import annotations

import json

import pytest

from backport.model.verdict import Verdict
from backport.report import document
from backport.watch.state import State
from tests.gitrepo import numbered
from tests.watch.place import Place

A, B = b"mm/a.c", b"mm/b.c"
FEATURE = {f"l{n}": b"long_enough_to_be_known(%d);" % n for n in range(5, 12)}


def merged(place: Place) -> str:
    """A posting that was handled, and mainline with its commit: that."""
    commit = place.post(1, **FEATURE)
    place.once()
    place.kernel.branch("master", commit)
    return commit


def verdicts(place: Place, folder: str) -> list[str]:
    """Of the run onto the target that lies in a result."""
    path = place.folder / "results" / folder / "target" / "report.json"
    return [f"{patch.subject}: {patch.verdict}" for patch in document.load(path.read_bytes(), "").patches]


def test_what_was_merged_is_run_and_what_was_known_of_the_posting_is_carried_over(place: Place) -> None:
    commit = merged(place)
    (event,) = place.once()
    assert (event.kind, event.status, event.folder) == ("merged", "ok", "00002-feature-merged")
    assert "1 of them as in 00001-feature-v1" in event.said
    assert verdicts(place, event.folder) == ["mm: change of a file: exact"]
    (told,) = json.loads((place.folder / "results" / event.folder / "events.json").read_bytes())
    assert told["key"] == f"merged:feature:{commit}"
    summary = (place.folder / "results" / event.folder / "summary.md").read_text()
    assert "### Carried over" in summary
    assert "of 00001-feature-v1, patch-id: exact onto target" in summary


def test_a_fix_that_names_nothing_is_found_by_the_lines_that_it_changes(place: Place) -> None:
    commit = merged(place)
    place.once()
    changed = {A: numbered(40, **FEATURE | {"l7": b"mended_and_long_enough(7);", "l9": b"mended_and_long_enough(9);"})}
    fix = place.kernel.on(commit, changed, b"mm: fix a deadlock\n")
    place.kernel.branch("master", fix)
    (event,) = place.once()
    assert (event.kind, event.status, event.key) == ("fix", "person", f"fix:feature:{fix}")
    assert "is mandatory: changes or removes 2 lines" in event.said
    assert verdicts(place, event.folder) == ["mm: change of a file: exact", "mm: fix a deadlock: exact"]
    assert place.once() == []


def test_a_revert_is_called_one(place: Place) -> None:
    commit = merged(place)
    place.once()
    message = b'Revert "mm: change of a file"\n\nThis reverts commit %s.\n' % commit.encode()
    place.kernel.branch("master", place.kernel.on(commit, {A: numbered(40)}, message))
    (event,) = place.once()
    assert (event.kind, event.status) == ("revert", "person")


def test_a_change_that_only_passes_by_is_no_event(place: Place) -> None:
    commit = merged(place)
    place.once()
    place.kernel.branch("master", place.kernel.on(commit, {B: numbered(40, l3=b"elsewhere")}, b"mm: fix something else\n"))
    assert place.once() == []


def test_merged_and_mended_between_two_rounds_is_one_run(place: Place) -> None:
    commit = merged(place)
    message = b'mm: mend it\n\nFixes: %s ("mm: change of a file")\n' % commit[:12].encode()
    fix = place.kernel.on(commit, {A: numbered(40, **FEATURE | {"l7": b"mended"})}, message)
    place.kernel.branch("master", fix)
    events = place.once()
    assert [(event.kind, event.folder) for event in events] == [
        ("merged", "00002-feature-merged"),
        ("fix", "00002-feature-merged"),
    ]
    assert verdicts(place, events[0].folder) == ["mm: change of a file: exact", "mm: mend it: exact"]
    assert place.once() == []


def test_a_branch_that_was_rewound_brings_nothing_again(place: Place) -> None:
    commit = merged(place)
    place.once()
    message = b'mm: mend it\n\nFixes: %s ("x")\n' % commit[:12].encode()
    fix = place.kernel.on(commit, {B: numbered(40, l9=b"fixed")}, message)
    place.kernel.branch("master", fix)
    assert len(place.once()) == 1
    other = place.kernel.on(commit, {B: numbered(40, l30=b"other")}, b"other\n")
    place.kernel.branch("master", other)
    assert place.once() == []
    place.kernel.branch("master", fix)
    assert place.once() == []


@pytest.mark.parametrize("mail", [True, False])
def test_a_defined_series_is_followed_without_any_mail(mail: bool, place: Place) -> None:
    feature = place.kernel.on(place.base, {A: numbered(40, **FEATURE)}, b"mm: feature\n")
    message = b'mm: mend it\n\nFixes: %s ("mm: feature")\n' % feature[:12].encode()
    fix = place.kernel.on(feature, {A: numbered(40, **FEATURE | {"l7": b"mended"})}, message)
    place.kernel.branch("master", fix)
    folder = place.folder / "patches" / "mine"
    folder.mkdir(parents=True)
    (folder / "series.toml").write_text(
        f"name = 'mine'\ntitle = 'Mine'\n[upstream]\nrepository = 'x'\nrange = '{place.base}..'\n[target]\nonto = 'target'\n"
        f"[[commit]]\nid = '{feature}'\nsubject = 'mm: feature'\n"
    )
    place.write("series = 'mine'")
    if mail:
        place.mails.append(b"Message-ID: <other@x>\nSubject: something else\nFrom: a@b\n\nspam\n")
        place.deliver()
    else:
        path = place.folder / "watch.toml"
        path.write_text(path.read_text().partition("\n")[2])
    (event,) = place.once()
    assert (event.kind, event.key) == ("fix", f"fix:feature:{fix}")
    assert verdicts(place, event.folder) == ["mm: feature: exact", "mm: mend it: exact"]


def test_what_a_person_decided_of_one_posting_holds_for_the_next(place: Place) -> None:
    """`backport resolve` in the folder of the result; the next revision has the same patch with another beside it."""
    from backport.cli.resolve import _wish
    from backport.model.progress import Silent
    from backport.resolve import flow

    place.kernel.branch("target", place.kernel.on(place.base, {A: numbered(40, l5=b"the target's own")}, b"target\n"))
    place.post(1, l5=b"feature")
    (event,) = place.once()
    assert event.status == "person"
    result = place.folder / "results" / event.folder
    tree = place.folder / "tree"
    flow.begin(_wish("feature", (str(place.kernel.path),), "target", tree, result / "patches"), Silent())
    (tree / "mm/a.c").write_bytes(numbered(40, l5=b"both"))
    flow.proceed(tree, "", Silent())
    place.post(2, l5=b"feature")
    (event,) = place.once()
    assert (event.status, event.said) == ("ok", "v2, 1 patches; 1 of them as in 00001-feature-v1")
    report = document.load((place.folder / "results" / event.folder / "target" / "report.json").read_bytes(), "")
    assert report.patches[0].verdict is Verdict.RECORDED
    assert "carried over from" in report.patches[0].files[0].evidence[0].why
    assert [(one.verdict, one.resolutions) for one in report.carried] == [("conflict", 1)]
    with State(place.folder / "results") as state:
        assert len(state.events()) == 2
