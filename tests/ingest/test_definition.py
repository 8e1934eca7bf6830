"""Broken definitions: every error names file, line and key. And what is written is read back the same."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backport.ingest import catalog
from backport.ingest.definition import dump, load
from backport.model.definition import ConfigValue, DefinedCommit, Definition, Drop, Topic
from backport.model.errors import InputError

GOOD = """\
name = "ksm"
title = "Kernel samepage merging"

[upstream]
repository = "https://git.kernel.org/linux.git"
range = "v2.6.31..v2.6.32"

[target]
onto = "v2.6.31"

[config]
KSM = "y"
HZ = "250"

[[topic]]
file = "one.patch"
title = "the first"

[[topic]]
file = "two.patch"
title = "the second"

[[commit]]
id = "111111111111"
subject = "first"
topic = "one.patch"

[[commit]]
id = "222222222222"
subject = "second"
topic = "two.patch"

[[drop]]
id = "333333333333"
subject = "third"
reason = "not wanted"
"""
BARE = GOOD.replace('topic = "one.patch"\n', "").replace('topic = "two.patch"\n', "")
BARE = re.sub(r"\[\[topic\]\]\n.*\n.*\n\n", "", BARE)

# name: (what is replaced, by what, line and key of the error, a word of the message)
BROKEN: dict[str, tuple[str, str, str, str]] = {
    "unknown key at the top": ('title = "K', 'titel = "x"\ntitle = "K', "2: titel", "unknown key"),
    "unknown key in a table": ("range =", 'rang = "x"\nrange =', "6: upstream.rang", "unknown key"),
    "unknown key in the second commit": (
        'subject = "second"',
        'subject = "second"\nauthor = "x"',
        "31: commit.author",
        "unknown key",
    ),
    "unknown table": ("[config]", "[konfig]", "11: konfig", "unknown key"),
    "unknown array of tables": ("[[drop]]", "[[dropped]]", "33: dropped", "unknown key"),
    "two unknown keys": ('title = "K', 'zz = 1\naa = 1\ntitle = "K', "3: aa", "unknown key 'aa'"),
    "no name": ('name = "ksm"\n', "", "1: name", "missing"),
    "no title": ('title = "Kernel samepage merging"\n', "", "1: title", "missing"),
    "no range": ('range = "v2.6.31..v2.6.32"\n', "", "4: upstream.range", "missing"),
    "no target": ('[target]\nonto = "v2.6.31"\n', "", "1: target", "[target] is missing"),
    "no onto": ('onto = "v2.6.31"\n', "", "8: target.onto", "missing"),
    "no id": ('id = "222222222222"\n', "", "28: commit.id", "missing"),
    "no subject": ('subject = "first"\n', "", "23: commit.subject", "missing"),
    "no reason": ('reason = "not wanted"\n', "", "33: drop.reason", "missing"),
    "no title of a topic": ('title = "the second"\n', "", "19: topic.title", "missing"),
    "name is a number": ('name = "ksm"', "name = 5", "1: name", "will not do"),
    "name is a list": ('name = "ksm"', 'name = ["ksm"]', "1: name", "will not do"),
    "name leaves the folder": ('name = "ksm"', 'name = "../ksm"', "1: name", "letters"),
    "name begins with a dash": ('name = "ksm"', 'name = "-ksm"', "1: name", "letters"),
    "name is too long": ('name = "ksm"', f'name = "{"x" * 65}"', "1: name", "letters"),
    "name is empty": ('name = "ksm"', 'name = ""', "1: name", "letters"),
    "title is a date": ('title = "Kernel samepage merging"', "title = 1979-05-27", "2: title", "will not do"),
    "title with a control character": ("Kernel samepage", "Kernel\\u001b[31m", "2: title", "will not do"),
    "title of two lines": ('"Kernel samepage merging"', '"""a\nb"""', "2: title", "will not do"),
    "id is a number": ('id = "111111111111"', "id = 111111111111", "24: commit.id", "12 to 40"),
    "id is too short": ('id = "111111111111"', 'id = "11111111111"', "24: commit.id", "12 to 40"),
    "id is too long": ('id = "111111111111"', f'id = "{"1" * 41}"', "24: commit.id", "12 to 40"),
    "id in capitals": ('id = "111111111111"', 'id = "AAAAAAAAAAAA"', "24: commit.id", "12 to 40"),
    "id is a revision": ('id = "111111111111"', 'id = "v2.6.32~12345"', "24: commit.id", "12 to 40"),
    "id twice": ('id = "222222222222"', 'id = "111111111111"', "29: commit.id", "already"),
    "id twice, once longer": ('id = "222222222222"', f'id = "{"1" * 40}"', "29: commit.id", "already"),
    "id of a drop is a commit's": ('id = "333333333333"', 'id = "111111111111"', "34: drop.id", "already"),
    "subject is empty": ('subject = "first"', 'subject = ""', "25: commit.subject", "empty"),
    "subject with a tab": ('subject = "first"', 'subject = "fi\\trst"', "25: commit.subject", "will not do"),
    "topic of a commit is unknown": ('topic = "two.patch"', 'topic = "three.patch"', "31: commit.topic", "not among"),
    "topic of a commit is missing": ('topic = "two.patch"\n', "", "28: commit.topic", "not among"),
    "topic of a commit is a table": ('topic = "two.patch"', "topic = {}", "31: commit.topic", "will not do"),
    "topic without commits": ('topic = "two.patch"', 'topic = "one.patch"', "20: topic.file", "no commit"),
    "topic twice": ('file = "two.patch"', 'file = "one.patch"', "20: topic.file", "two topics"),
    "topic is no patch": ('file = "two.patch"', 'file = "two.diff"', "20: topic.file", "patch file name"),
    "topic leaves the folder": ('file = "two.patch"', 'file = "../two.patch"', "20: topic.file", "patch file name"),
    "topic is hidden": ('file = "two.patch"', 'file = ".two.patch"', "20: topic.file", "patch file name"),
    "topic with a macro": ('file = "two.patch"', 'file = "%{x}.patch"', "20: topic.file", "patch file name"),
    "topic taken up again": (
        "[[drop]]",
        '[[commit]]\nid = "444444444444"\nsubject = "x"\ntopic = "one.patch"\n[[drop]]',
        "36: commit.topic",
        "taken up again",
    ),
    "config value is a boolean": ('KSM = "y"', "KSM = true", "12: config.KSM", "y, m, n"),
    "config value is a word": ('KSM = "y"', 'KSM = "yes"', "12: config.KSM", "y, m, n"),
    "config value ends the line": ('KSM = "y"', 'KSM = "y\\n"', "12: config.KSM", "y, m, n"),
    "config value closes its quote": ('HZ = "250"', 'HZ = "\\"a\\"b\\""', "13: config.HZ", "y, m, n"),
    "config symbol with its prefix": ('KSM = "y"', 'CONFIG_KSM = "y"', "12: config.CONFIG_KSM", "without CONFIG_"),
    "config symbol with a sign": ('KSM = "y"', '"K-SM" = "y"', "12: config.K-SM", "no Kconfig symbol"),
    "config is a list": ('[config]\nKSM = "y"\nHZ = "250"', "[[config]]\nKSM = 1", "11: config", "[config]"),
    "commit is one table": (
        '[[commit]]\nid = "111111111111"\nsubject = "first"\ntopic = "one.patch"\n\n[[commit]]\nid = "222222222222"',
        '[commit]\nid = "222222222222"',
        "23: commit",
        "[[commit]]",
    ),
    "upstream is a string": (
        '[upstream]\nrepository = "https://git.kernel.org/linux.git"\nrange = "v2.6.31..v2.6.32"',
        'upstream = "x"',
        "4: upstream",
        "[upstream]",
    ),
    "upstream in one line, wrong key": (
        '[upstream]\nrepository = "https://git.kernel.org/linux.git"\nrange = "v2.6.31..v2.6.32"',
        'upstream = { repository = "x", rang = "y" }',
        "4: upstream.rang",
        "unknown key",
    ),
    "upstream in dotted keys, one missing": (
        '[upstream]\nrepository = "https://git.kernel.org/linux.git"\nrange = "v2.6.31..v2.6.32"',
        'upstream.repository = "x"',
        "4: upstream.range",
        "missing",
    ),
    "a line separator of Unicode in a comment": (
        "[upstream]\nrep",
        "# a\u2028b\x85c\n[upstream]\nrang = 1\nrep",
        "6: upstream.rang",
        "unknown",
    ),
    "syntax error": ("range =", "range", "6:7", "broken TOML"),
    "key twice": ("range =", 'range = "x"\nrange =', "7", "broken TOML"),
    "string without end": ('reason = "not wanted"\n', 'reason = """x\n\n', "36", "broken TOML"),
    "number of five thousand digits": ('name = "ksm"', f"name = {'1' * 5000}", "", "broken TOML"),
    "ten thousand brackets": ('name = "ksm"', f"name = {'[' * 10000}", "", "broken TOML"),
    "byte order mark": ('name = "ksm"', '\ufeffname = "ksm"', "1:1", "broken TOML"),
    "NUL": ("Kernel", "Ker\0nel", "2:", "broken TOML"),
    "windows line ends, unknown key": ("\n", "\r\n", "", ""),
}


@pytest.mark.parametrize("name", [name for name in BROKEN if not name.startswith("windows")])
def test_error_names_file_line_and_key(tmp_path: Path, name: str) -> None:
    old, new, place, word = BROKEN[name]
    assert old in GOOD
    path = tmp_path / "series.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8", newline="")
    with pytest.raises(InputError) as caught:
        load(path)
    assert caught.value.where.startswith(f"{path}:{place}")
    assert word in caught.value.what


def test_good_and_bare_definitions_load(tmp_path: Path) -> None:
    for text in (GOOD, BARE, GOOD.replace("\n", "\r\n")):
        (tmp_path / "series.toml").write_text(text, newline="")
        found = load(tmp_path / "series.toml")
        assert [c.commit for c in found.commits] == ["1" * 12, "2" * 12]
        assert [c.line for c in found.commits] == [i for i, row in enumerate(text.splitlines(), 1) if re.match("id = .[12]", row)]
        assert found.base == "v2.6.31"


def test_windows_line_ends_do_not_shift_the_lines(tmp_path: Path) -> None:
    (tmp_path / "series.toml").write_text(GOOD.replace("range =", "rang =").replace("\n", "\r\n"), newline="")
    with pytest.raises(InputError) as caught:
        load(tmp_path / "series.toml")
    assert caught.value.where.endswith("series.toml:6: upstream.rang")


def test_a_topic_where_there_is_no_topic(tmp_path: Path) -> None:
    (tmp_path / "series.toml").write_text(BARE.replace('subject = "first"', 'subject = "first"\ntopic = "one.patch"'))
    with pytest.raises(InputError, match="no \\[\\[topic\\]\\]") as caught:
        load(tmp_path / "series.toml")
    assert caught.value.where.endswith(": commit.topic")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (GOOD.encode().replace(b"Kernel", b"K\xe9rnel"), "not UTF-8"),
        (b"\xff\xfen\0", "not UTF-8"),
        (b"", "missing|no \\[\\[commit"),
        (b"\0", "broken TOML"),
    ],
    ids=["latin-1", "UTF-16", "empty", "NUL"],
)
def test_what_is_no_toml(tmp_path: Path, content: bytes, word: str) -> None:
    (tmp_path / "series.toml").write_bytes(content)
    with pytest.raises(InputError, match=word) as caught:
        load(tmp_path / "series.toml")
    assert caught.value.where.startswith(str(tmp_path / "series.toml"))


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "x" / "y.toml"):
        with pytest.raises(InputError, match="cannot read") as caught:
            load(path)
        assert caught.value.where == str(path)


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"], include_characters=" "),
    min_size=1,
).filter(str.isprintable)
IDS = st.text("0123456789abcdef", min_size=12, max_size=40)
FILES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,57}\.patch", fullmatch=True)
VALUES = st.one_of(st.sampled_from(["y", "m", "n", "0x1F", "-1"]), st.from_regex(r'"[a-zA-Z ,/#\[\]=]*"', fullmatch=True))


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    ids = draw(st.lists(IDS, min_size=1, max_size=6, unique_by=lambda oid: oid[:12]))
    split = draw(st.integers(1, len(ids)))
    topics = draw(st.lists(FILES, max_size=split, unique=True))
    order = sorted(draw(st.lists(st.sampled_from(range(len(topics))), min_size=split, max_size=split))) if topics else []
    topics = [name for i, name in enumerate(topics) if i in order]
    kept = sorted(set(order))
    return Definition(
        Path("series.toml"),
        draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)),
        draw(TEXT),
        draw(TEXT),
        draw(TEXT),
        draw(TEXT),
        tuple(
            DefinedCommit(oid, draw(TEXT), topics[kept.index(order[i])] if topics else "", 0) for i, oid in enumerate(ids[:split])
        ),
        tuple(Drop(oid, draw(TEXT), draw(TEXT), 0) for oid in ids[split:]),
        tuple(Topic(name, draw(TEXT)) for name in topics),
        tuple(
            ConfigValue(s, draw(VALUES))
            for s in draw(st.lists(st.from_regex(r"[A-Z0-9_]{1,9}", fullmatch=True), max_size=3, unique=True))
        ),
    )


@settings(max_examples=60, deadline=None)
@given(definitions())
def test_what_dump_writes_load_reads(definition: Definition) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "series.toml"
        path.write_bytes(dump(definition))
        found = load(path)
    text = dump(definition).decode().split("\n")
    for row in (*found.commits, *found.drops):
        assert row.commit in text[row.line - 1], "the line is the one of the id"
    commits = tuple(replace(c, line=0) for c in found.commits)
    drops = tuple(replace(d, line=0) for d in found.drops)
    assert replace(found, commits=commits, drops=drops, source=definition.source) == definition
    assert dump(found) == dump(definition)


def test_the_definitions_that_come_with_the_tool_load() -> None:
    for path in catalog.names([catalog.data_folder("patches")]).values():
        assert load(path).name == path.parent.name


def test_find_by_name_path_and_what_it_suggests(tmp_path: Path) -> None:
    for folder, title in (("mine/ksm", "mine"), ("theirs/ksm", "theirs"), ("theirs/other", "other"), ("theirs/bad name", "x")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "series.toml").write_text(GOOD.replace("Kernel samepage merging", title))
    places = [tmp_path / "mine", tmp_path / "none", tmp_path / "theirs"]
    assert catalog.find("ksm", places).title == "mine"
    assert catalog.find(str(tmp_path / "theirs" / "ksm"), places).title == "theirs"
    assert catalog.find(str(tmp_path / "theirs" / "ksm" / "series.toml"), []).title == "theirs"
    assert set(catalog.names(places)) == {"ksm", "other"}
    for name, word in (("kms", "did you mean ksm"), ("zzz", "ksm, other"), ("../ksm", ""), ("", "ksm"), ("bad name", "")):
        with pytest.raises(InputError) as caught:
            catalog.find(name, places)
        assert word in caught.value.then
