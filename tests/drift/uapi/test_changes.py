"""What moved between two surfaces, and what a series does to one."""

from __future__ import annotations

from pathlib import Path

from backport.drift.uapi.changes import compare
from backport.drift.uapi.feature import compare_named, feature_at, series_surface
from backport.drift.uapi.surface import Reader
from tests.drift.uapi.examples import LISTS
from tests.gitrepo import Repo, replayed

SHOWN = b"include/linux/shown.h"
RELEASE = {**LISTS, SHOWN: b"#define FIRST 1\n", b"Makefile": b"VERSION = 2\n", b"include/linux/own.h": b"#define OWN 1\n"}


def knob(*names: bytes) -> bytes:
    """A source with attributes in /sys/kernel/mm/garage."""
    made = b"".join(b"static struct kobj_attribute %s_attr = __ATTR(%s, 0644, s, t);\n" % (name, name) for name in names)
    listed = b", ".join(b"&%s_attr.attr" % name for name in names)
    group = (
        b'static struct attribute *all[] = { %s, NULL };\nstatic struct attribute_group g = { .name = "garage", .attrs = all };\n'
    )
    return made + group % listed + b"int init(void) { return sysfs_create_group(mm_kobj, &g); }\n"


def test_a_series_is_what_its_own_patches_do(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit(RELEASE, b"release\n")
    one = repo.on(base, {SHOWN: b"#define FIRST 1\n#define MINE 2\n", b"mm/g.c": knob(b"speed")}, b"one\n")
    foreign = repo.on(one, {SHOWN: b"#define FIRST 1\n#define MINE 2\n#define FOREIGN 9\n"}, b"somebody else\n")
    last = {SHOWN: b"/* moved down */\n#define FIRST 1\n#define MINE 3\n#define FOREIGN 9\n", b"mm/g.c": knob(b"speed", b"level")}
    two = repo.on(foreign, last, b"two\n")
    later = repo.on(two, {b"mm/g.c": knob(b"speed", b"later")}, b"later\n")
    with replayed(repo, [one, two], base, tmp_path) as session:
        reader = Reader(session.trees, session.store)
        feature = series_surface(session.series, reader)
        assert [(c.word, c.item.name, c.item.value, c.item.line) for c in feature.changes.changes] == [
            ("added", "MINE", "3", 3),
            ("added", "/sys/kernel/mm/garage/level", "0644", 2),
            ("added", "/sys/kernel/mm/garage/speed", "0644", 1),
        ]
        upstream = feature_at(feature, session.history.commit(two).tree, reader)
        equal = compare_named(("v1", feature.surface), ("v2", upstream))
        assert equal.verdict == "stable: equal in v1 and v2 (3 items)"
        moved = compare_named(("v1", feature.surface), ("v3", feature_at(feature, session.history.commit(later).tree, reader)))
        assert [(c.word, c.item.name) for c in moved.changes.changes] == [
            ("added", "/sys/kernel/mm/garage/later"),
            ("removed", "/sys/kernel/mm/garage/level"),
        ]
        assert moved.verdict == "moved: v3 has 1 added, 1 removed against v1 (2 items equal)"


def test_words_of_changes(repo: Repo, tmp_path: Path) -> None:
    old = repo.commit({**RELEASE, SHOWN: b"#define SAME 1\n#define OTHER 2\n#define GONE 3\n#define WENT 4\n"}, b"old\n")
    new = repo.on(
        old, {SHOWN: b"#define SAME 01\n#define OTHER 5\n#define COME 6\n", b"include/linux/mixed.h": b"#define WENT 4\n"}
    )
    with replayed(repo, [new], old, tmp_path) as session:
        reader = Reader(session.trees, session.store)
        found = compare(reader.surface(session.history.commit(old).tree), reader.surface(session.history.commit(new).tree))
    assert sorted((c.word, c.item.name) for c in found.changes) == [
        ("added", "COME"), ("changed", "OTHER"), ("moved", "WENT"), ("removed", "GONE"),
    ]  # fmt: skip
    assert found.same == 1


def test_a_list_of_headers_that_changes_gives_what_they_hold(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit(RELEASE, b"release\n")
    given = repo.on(base, {b"include/linux/Kbuild": LISTS[b"include/linux/Kbuild"] + b"header-y += own.h\n"}, b"export it\n")
    with replayed(repo, [given], base, tmp_path) as session:
        feature = series_surface(session.series, Reader(session.trees, session.store))
    assert [(c.word, c.item.name) for c in feature.changes.changes] == [("added", "OWN")]


def test_a_number_that_moved_into_an_included_header_is_still_there(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit(RELEASE, b"release\n")
    one = repo.on(base, {SHOWN: b"#define FIRST 1\n#define MINE 2\n"}, b"one\n")
    split = {SHOWN: b"#include <linux/mixed.h>\n#define FIRST 1\n", b"include/linux/mixed.h": b"#define MINE 2\n"}
    later = repo.on(one, split, b"split\n")
    with replayed(repo, [one], base, tmp_path) as session:
        reader = Reader(session.trees, session.store)
        feature = series_surface(session.series, reader)
        there = feature_at(feature, session.history.commit(later).tree, reader)
        assert compare_named(("a", feature.surface), ("b", there)).stable
