"""The job that runs by itself: each posting and commit once, whatever happens in between."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from backport.model.errors import BackportError, InputError
from backport.watch import job, results
from backport.watch.config import load
from backport.watch.state import State
from tests.cli.test_bad_input import backport
from tests.gitrepo import numbered
from tests.watch.place import Place


def test_a_new_posting_is_run_and_told_once(place: Place) -> None:
    place.post(1, l5=b"one")
    (event,) = place.once()
    assert (event.kind, event.status, event.follow) == ("revision", "ok", "feature")
    folder = place.folder / "results" / event.folder
    assert json.loads((folder / "target" / "report.json").read_bytes())["summary"]["landed"] == 1
    suites = Xml.parse(folder / "junit.xml").getroot()
    assert next(suites.iter("testcase")).get("name", "")[13:] == "mm: change of a file"
    assert "# feature" in (folder / "summary.md").read_text()
    assert json.loads((folder / "findings.sarif").read_bytes())["version"] == "2.1.0"
    assert place.once() == []
    assert len(place.results) == 1


def test_the_next_revision_is_another_event_and_what_it_replaced_before_is_none(place: Place) -> None:
    place.post(1, l5=b"one")
    place.post(2, l5=b"two")
    assert [event.said for event in place.once()] == ["v2, 1 patches"]
    place.post(3, l5=b"three")
    assert [event.said for event in place.once()] == ["v3, 1 patches"]


def test_what_is_merged_and_what_fixes_it(place: Place) -> None:
    commit = place.post(1, l5=b"one")
    place.once()
    place.kernel.branch("master", commit)
    (event,) = place.once()
    assert (event.kind, event.key) == ("merged", f"merged:feature:{commit}")
    assert "patch-id, 0 %" in event.said
    fix = place.kernel.on(
        commit, {b"mm/b.c": numbered(40, l9=b"fixed")}, b'mm: mend it\n\nFixes: %s ("x")\n' % commit[:12].encode()
    )
    place.kernel.branch("master", fix)
    (event,) = place.once()
    assert (event.kind, event.status, event.key) == ("fix", "person", f"fix:feature:{fix}")
    assert place.once() == []


def test_an_archive_whose_history_was_rewritten_brings_nothing_again(place: Place) -> None:
    place.mails.append(b"Message-ID: <spam@x>\nSubject: spam\nFrom: a@b\n\nspam\n")
    place.post(1, l5=b"one")
    assert len(place.once()) == 1
    del place.mails[0]
    place.deliver()
    assert place.once() == []


@pytest.mark.parametrize("moment", ["before the result is in place", "before it is written down", "after it"])
def test_killed_at_any_moment_it_is_done_once(place: Place, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    place.post(1, l5=b"one")
    with monkeypatch.context() as patched:

        def killed(*words: object, **more: object) -> None:
            raise KeyboardInterrupt

        target = {
            "before the result is in place": (results, "_write"),
            "before it is written down": (State, "record"),
            "after it": (job.atom, "render"),
        }
        patched.setattr(*target[moment], killed)
        with pytest.raises(KeyboardInterrupt):
            place.once()
    events = place.once()
    assert len(events) == (0 if moment == "after it" else 1)
    assert place.results == ["00001-feature-v1"]
    assert place.once() == []
    assert Xml.parse(place.folder / "results" / "feed.atom").getroot().tag.endswith("feed")


def test_a_second_one_says_so(place: Place) -> None:
    place.post(1, l5=b"one")
    with State(place.folder / "results"):
        done = backport("watch", "watch.toml", "--once", cwd=place.folder)
    assert done.returncode == 3
    assert "another watch is at work" in done.stderr


def test_a_posting_that_does_not_apply_is_an_event_that_failed(place: Place) -> None:
    place.post(1, l5=b"one")
    place.mails[0] = place.mails[0].replace(b"-line 5\n", b"-line five\n")
    place.deliver()
    (event,) = place.once()
    assert event.status == "failed"
    assert "patch failed: mm/a.c" in event.said
    suites = Xml.parse(place.folder / "results" / event.folder / "junit.xml").getroot()
    assert [one.get("type") for one in suites.iter("failure")] == ["refused"]
    assert place.once() == []


def test_the_command_is_told_until_it_listens(place: Place) -> None:
    place.post(1, l5=b"one")
    told = place.folder / "told"
    listen = place.folder / "listen.py"
    program = f"""import sys, pathlib
text, path = sys.stdin.read(), pathlib.Path({str(told)!r})
busy = not path.exists()
path.write_text(text)
sys.exit(busy)
"""
    listen.write_text(program)
    words = ("watch", "watch.toml", "--on-change", f"{sys.executable} {listen}")
    first = backport(*words, cwd=place.folder)
    assert first.returncode == 0, first.stderr
    assert "will be told again" in first.stderr
    assert json.loads(told.read_text())["key"].startswith("revision:feature:m1@example.com")
    told.write_text("")
    assert backport(*words, cwd=place.folder).stderr == ""
    assert json.loads(told.read_text())["number"] == 1
    told.unlink()
    backport(*words, cwd=place.folder)
    assert not told.exists()


def test_the_feed_has_what_rfc_4287_asks_for(place: Place) -> None:
    place.post(1, l5=b"one")
    place.once()
    space = "{http://www.w3.org/2005/Atom}"
    feed = Xml.parse(place.folder / "results" / "feed.atom").getroot()
    (entry,) = feed.findall(f"{space}entry")
    for part in (feed, entry):
        assert all(part.find(f"{space}{name}") is not None for name in ("id", "title", "updated"))
    assert entry.find(f"{space}updated").text.startswith("2009-08-1")  # type: ignore[union-attr]
    assert feed.find(f"{space}author/{space}name") is not None


@pytest.mark.parametrize(
    ("follow", "taken"),
    [
        ("titles = ['other words', 'CHANGE OF']", 1),
        ("titles = ['other words']", 0),
        ("authors = ['Author@example.com']", 1),
        ("authors = ['x@example.com']", 0),
        ("paths = ['mm/']", 1),
        ("paths = ['net/']", 0),
        ("titles = ['change of']\npaths = ['net/']", 0),
    ],
)
def test_what_is_followed(place: Place, follow: str, taken: int) -> None:
    place.write(follow)
    (place.folder / "watch.toml").write_text((place.folder / "watch.toml").read_text().replace("targets = ['target']", ""))
    place.post(1, l5=b"one")
    assert len(place.once()) == taken


WRONG = {
    "mail = ['x']\n": "nothing to follow",
    "mail = ['x']\n[[follow]]\nname = 'a'\n": "follows everything",
    "[[follow]]\nname = 'a'\ntitles = ['b']\n": "no mail to read",
    "mail = ['x']\nnonsense = 1\n[[follow]]\nname = 'a'\ntitles = ['b']\n": "unknown key 'nonsense'",
    "mail = ['x']\n[[follow]]\nname = 'a'\ntitles = ['b']\n[[follow]]\nname = 'a'\ntitles = ['c']\n": "two [[follow]]",
    "mail = ['x']\ntargets = ['v1']\n[[follow]]\nname = 'a'\ntitles = ['b']\n": "targets need a history",
    "mail = [3]\n[[follow]]\nname = 'a'\ntitles = ['b']\n": "a list of texts",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_in_a_watch_toml_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "watch.toml").write_text(text)
    with pytest.raises(InputError) as told:
        load(tmp_path / "watch.toml")
    assert WRONG[text] in str(told.value)
    assert "watch.toml:" in told.value.where


def test_a_source_that_is_not_there_is_an_error_and_nothing_is_lost(place: Place) -> None:
    place.post(1, l5=b"one")
    text = (place.folder / "watch.toml").read_text()
    (place.folder / "watch.toml").write_text(text.replace("inbox.git", "nowhere.git"))
    with pytest.raises(BackportError):
        place.once()
    (place.folder / "watch.toml").write_text(text)
    assert len(place.once()) == 1
