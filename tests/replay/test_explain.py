"""A conflict is shown where it is, with the function and the commits that caused it; git blame is the witness."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.replay.explain import locate
from backport.replay.policy import MERGES_ALONE
from tests.gitrepo import Repo, numbered, replayed

SOURCE = b"""#include <linux/mm.h>

static int first(int a)
{
\tif (a)
\t\treturn 1;
\treturn 0;
}

static int second(int b)
{
\tif (b)
\t\treturn 1;
\treturn 0;
}

int third(void)
{
\treturn second(first(1));
}
"""


def explained(repo: Repo, tmp_path: Path, before: bytes, between: list[bytes], after: bytes, target: bytes):
    """The outcome of one patch `between[-1]` -> `after` of the file f, and the commits between base and patch."""
    base = repo.commit({b"f.c": before}, b"base\n")
    onto = repo.on(base, {b"f.c": target}, b"target\n") if target != before else base
    at, drift = base, []
    for number, content in enumerate(between):
        at = repo.on(at, {b"f.c": content}, b"drift %d\n" % number)
        drift.append(at)
    patch = repo.on(at, {b"f.c": after}, b"the patch\n")
    with replayed(repo, [patch], onto, tmp_path / "store", base, policy=MERGES_ALONE) as session:
        return session.outcomes[0], drift


def test_function_line_and_cause_are_those_that_git_blame_names(repo: Repo, tmp_path: Path) -> None:
    drifted = SOURCE.replace(b"\tif (b)\n", b"\tif (unlikely(b))\n")
    unrelated = drifted.replace(b"linux/mm.h", b"linux/ksm.h")
    after = unrelated.replace(b"if (unlikely(b))", b"if (likely(b))")
    outcome, drift = explained(repo, tmp_path, SOURCE, [drifted, unrelated], after, SOURCE)
    (conflict,) = outcome.conflicts
    assert (conflict.path, conflict.rule, conflict.function, conflict.line) == (b"f.c", "content", "second", 12)
    assert (conflict.ours, conflict.base, conflict.theirs) == (b"\tif (b)\n", b"\tif (unlikely(b))\n", b"\tif (likely(b))\n")
    blamed = repo.text("blame", "-s", "--abbrev=39", "-L12,12", drift[1], "--", "f.c").split()[0]
    assert [c.commit for c in conflict.causes] == [blamed] == [drift[0]]
    assert conflict.causes[0].subject == "drift 0"
    assert "12" in conflict.causes[0].why
    assert outcome.causes == conflict.causes


def test_upstream_only_removed_a_line(repo: Repo, tmp_path: Path) -> None:
    """Blame knows nothing of a line that is gone; the commit that took it away is the cause all the same."""
    removed = SOURCE.replace(b"\tif (b)\n\t\treturn 1;\n\treturn 0;\n", b"\treturn 0;\n")
    outcome, drift = explained(
        repo, tmp_path, SOURCE, [removed], removed.replace(b"(int b)\n{\n\treturn 0", b"(int b)\n{\n\treturn 2"), SOURCE
    )
    assert outcome.verdict == "conflict"
    assert [c.commit for c in outcome.causes] == drift
    assert outcome.conflicts[0].function == "second"


def test_of_equal_blocks_the_one_in_conflict_is_blamed(repo: Repo, tmp_path: Path) -> None:
    """The block reads the same in three functions; each was last changed by another commit."""
    one = b"void f%d(void)\n{\n\tlock();\n\twork(a);\n\tunlock();\n}\n\n"
    before = b"".join(one % i for i in range(3))
    steps, text = [], before
    for number in range(3):  # three commits that each touch one function's block
        at = text.index(b"f%d" % number)
        text = text[:at] + text[at:].replace(b"\twork(a);\n\tunlock", b"\twork(b);\n\tunlock", 1)
        steps.append(text)
    at = text.index(b"f1")
    after = text[:at] + text[at:].replace(b"work(b)", b"work(c)", 1)
    outcome, drift = explained(repo, tmp_path, before, steps, after, before)
    (conflict,) = outcome.conflicts
    assert (conflict.function, conflict.line) == ("f1", 11)
    assert [c.commit for c in conflict.causes] == [drift[1]]


def test_two_conflicts_with_equal_lines_are_told_apart(repo: Repo, tmp_path: Path) -> None:
    before = b"a\n}\nb\n" + numbered(20) + b"c\n}\nd\n"
    drifted = before.replace(b"a\n}\nb\n", b"a\n]\nb\n")
    both = drifted.replace(b"c\n}\nd\n", b"c\n]\nd\n")
    outcome, drift = explained(repo, tmp_path, before, [drifted, both], both.replace(b"]", b")"), before)
    assert [(c.line, [x.commit for x in c.causes]) for c in outcome.conflicts] == [(2, [drift[0]]), (25, [drift[1]])]


def test_lines_that_the_merge_took_cleanly_do_not_shift_the_place(repo: Repo, tmp_path: Path) -> None:
    before = numbered(40)
    drifted = numbered(40, l35=b"drift")
    after = b"new\n" * 9 + numbered(40, l35=b"patch")
    outcome, _ = explained(repo, tmp_path, before, [drifted], after, numbered(40, l35=b"target"))
    assert [c.line for c in outcome.conflicts] == [35]


@pytest.mark.parametrize(
    ("before", "drift", "after", "target"),
    [
        (numbered(4)[:-1], numbered(4, l4=b"drift")[:-1], numbered(4, l4=b"patch")[:-1], numbered(4, l4=b"target")[:-1]),
        (numbered(4)[:-1], b"1\n2\n3\n4\n5\n6", b"1\n2\n3\n4\n5", b"w\nx\ny\nz"),
        (b"", b"x\n", b"y\n", b"z\n"),
        (b"", b"", b"y\n", b"z\n"),
        (b"a\n", b"", b"y\n", b"a\n"),
        (b"one", b"two", b"three", b"four"),
        (b"a\n", b"a\nb\n", b"a\nb\nc\n", b"a\nx\n"),
        (b"a\n", b"b\na\n", b"c\nb\na\n", b"x\na\n"),
        (b"}\n" * 9, b"}\n" * 8, b"}\n" * 7 + b"]\n", b"}\n" * 8 + b"x\n"),
    ],
    ids=[
        "no newline at end",
        "no newline at end of a long block",
        "empty file",
        "empty until the patch",
        "emptied",
        "one line without newline",
        "appended at the end",
        "put before the first line",
        "nothing but braces",
    ],
)
def test_conflicts_at_the_edge_of_a_file_are_explained(
    repo: Repo, tmp_path: Path, before: bytes, drift: bytes, after: bytes, target: bytes
) -> None:
    outcome, _ = explained(repo, tmp_path, before, [drift], after, target)
    assert outcome.verdict == "conflict"
    for conflict in outcome.conflicts:
        assert conflict.rule == "content"
        assert 1 <= conflict.line <= target.count(b"\n") + 1
        assert conflict.ours.strip() in target


def test_crlf_conflict_shows_its_lines(repo: Repo, tmp_path: Path) -> None:
    """git ends its markers with CRLF in such a file; the conflict was once taken for one of a binary file."""
    crlf = [
        numbered(9, **({"l4": word} if word else {})).replace(b"\n", b"\r\n") for word in (b"", b"drift", b"patch", b"target")
    ]
    outcome, drift = explained(repo, tmp_path, crlf[0], [crlf[1]], crlf[2], crlf[3])
    (conflict,) = outcome.conflicts
    assert (conflict.rule, conflict.line, conflict.ours, conflict.theirs) == ("content", 4, b"target\r\n", b"patch\r\n")
    assert [c.commit for c in conflict.causes] == drift


@pytest.mark.parametrize("length", [7, 32, 157])
def test_underlines_and_markers_inside_a_conflict_are_content(repo: Repo, tmp_path: Path, length: int) -> None:
    mark = b"".join(sign * min(length, 156) + b"\n" for sign in (b"<", b"|", b"=", b">"))
    texts = [numbered(3) + mark + word + b"\n" + mark + numbered(3) for word in (b"base", b"patch", b"target")]
    tangled = [text.replace(b"line 3\n=", word + b"\n=") for text, word in zip(texts, (b"a", b"b", b"c"), strict=True)]
    outcome, _ = explained(repo, tmp_path, tangled[0], [tangled[0]], tangled[1], tangled[2])
    (conflict,) = outcome.conflicts
    assert (conflict.ours, conflict.base, conflict.theirs) == (b"target\n", b"base\n", b"patch\n")


def test_a_title_that_changes_with_its_underline_of_32(repo: Repo, tmp_path: Path) -> None:
    def page(title: bytes, size: int) -> bytes:
        return b"top\n\n" + title + b"\n" + b"=" * size + b"\n\nend\n"

    outcome, _ = explained(repo, tmp_path, page(b"old", 32), [page(b"drift", 32)], page(b"patch", 31), page(b"target", 30))
    (conflict,) = outcome.conflicts
    assert conflict.theirs == b"patch\n" + b"=" * 31 + b"\n"
    assert conflict.base == b"drift\n" + b"=" * 32 + b"\n"


def test_a_patch_that_needs_one_that_was_left_out_says_so(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"f": numbered(9)}, b"base\n")
    target = repo.on(base, {b"f": numbered(9, l5=b"target")}, b"target\n")
    first = repo.on(base, {b"f": numbered(9, l5=b"one")}, b"first\n")
    other = repo.on(first, {b"g": b"g\n"}, b"other\n")
    second = repo.on(other, {b"f": numbered(9, l5=b"two")}, b"second\n")
    with replayed(repo, [first, other, second], target, tmp_path / "store", base) as session:
        assert session.verdicts == ["conflict", "exact", "conflict"]
        assert [o.needs for o in session.outcomes] == [(), (), (first,)]


def test_a_patch_to_a_file_whose_patch_was_left_out_needs_it(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"f": numbered(9)}, b"base\n")
    target = repo.on(base, {b"f": numbered(9, l5=b"target")}, b"target\n")
    first = repo.on(base, {b"f": numbered(9, l5=b"one"), b"new": b"1\n"}, b"first\n")
    second = repo.on(first, {b"new": b"2\n"}, b"second\n")
    with replayed(repo, [first, second], target, tmp_path / "store", base) as session:
        assert session.verdicts == ["conflict", "conflict"]
        assert session.outcomes[1].needs == (first,)
        assert first[:12] in session.outcomes[1].reason


def test_a_file_absent_in_the_target_names_the_commit_that_brought_it(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"f": numbered(9)}, b"base\n")
    brought = repo.on(base, {b"new": b"1\n", b"also": b"1\n"}, b"bring two\n")
    removed = repo.on(brought, {b"new": None}, b"remove\n")
    again = repo.on(removed, {b"new": b"3\n"}, b"bring again\n")
    patch = repo.on(again, {b"new": b"4\n"}, b"patch\n")
    with replayed(repo, [patch], base, tmp_path / "store", base) as session:
        (outcome,) = session.outcomes
        assert outcome.verdict == "not-applicable"
        witness = repo.text("log", "-1", "--diff-filter=A", "--format=%H", patch, "--", "new")
        assert [c.commit for c in outcome.causes] == [witness] == [again]


@pytest.mark.parametrize("since", ["root", "unrelated"])
def test_explains_where_the_base_is_no_ancestor(repo: Repo, tmp_path: Path, since: str) -> None:
    """A definition's range may begin at a commit that the patches do not descend from."""
    other = repo.commit({b"z": b"z\n"}, b"unrelated\n")
    root = repo.commit({b"f": numbered(9)}, b"root\n", parents=[])
    drift = repo.on(root, {b"f": numbered(9, l5=b"drift")}, b"drift\n")
    patch = repo.on(drift, {b"f": numbered(9, l5=b"patch")}, b"patch\n")
    with replayed(repo, [patch], root, tmp_path / "store", root if since == "root" else other) as session:
        assert drift in [c.commit for c in session.outcomes[0].causes]


def test_a_root_commit_in_conflict(repo: Repo, tmp_path: Path) -> None:
    target = repo.commit({b"f": b"mine\n"}, b"target\n")
    root = repo.commit({b"f": b"theirs\n"}, b"root\n", parents=[])
    with replayed(repo, [root], target, tmp_path / "store") as session:
        assert [c.rule for c in session.outcomes[0].conflicts] == ["exists"]


def test_many_conflicts_in_one_file(repo: Repo, tmp_path: Path) -> None:
    changed = [numbered(200, **{f"l{i}": word for i in range(5, 200, 10)}) for word in (b"drift", b"patch", b"target")]
    outcome, drift = explained(repo, tmp_path, numbered(200), [changed[0]], changed[1], changed[2])
    assert [c.line for c in outcome.conflicts] == list(range(5, 200, 10))
    assert {x.commit for c in outcome.conflicts for x in c.causes} == set(drift)


def test_locate_takes_the_place_nearest_to_the_change_and_never_goes_back() -> None:
    lines = [b"}\n", b"x\n"] * 10
    assert locate(lines, [b"}\n"], [(12, 1)], 1) in (11, 13)
    assert locate(lines, [b"}\n"], [(1, 1)], 6) == 7
    assert locate(lines, [], [(12, 0)], 1) == 12
    assert locate(lines, [b"not there\n"], [(12, 0)], 1) == 12
    assert locate([], [], [], 1) == 1


def test_a_patch_to_an_absent_file_whose_function_is_in_another_needs_a_person(repo: Repo, tmp_path: Path) -> None:
    """76f273640134: the function was in mlme.c before it was in work.c. Here no rule can settle it: its lines were rewritten."""
    old = b"".join(b"\tstep(%d);\n" % n for n in range(8))
    before, since = b"\told_way(a);\n\told_end(a);\n", b"\tway(b->one,\n\t    b->two);\n"
    base = repo.commit({b"net/mlme.c": b"int x;\n\nvoid assoc(void)\n{\n" + old + before + b"}\n"}, b"base\n")
    split = {b"net/mlme.c": b"int x;\n", b"net/work.c": b"void assoc(void)\n{\n" + old + since + b"}\n"}
    brought = repo.on(base, split, b"split\n")
    fixed = split[b"net/work.c"].replace(since, b"\tif (b->two)\n\t" + since.replace(b"\n", b"\n\t").rstrip(b"\t"))
    patch = repo.on(brought, {b"net/work.c": fixed}, b"fix\n")
    with replayed(repo, [patch], base, tmp_path / "store", base, policy=MERGES_ALONE) as session:
        (outcome,) = session.outcomes
        assert (outcome.verdict, outcome.reason) == ("conflict", "the target has none of its files, but assoc() is in net/mlme.c")
        assert [c.commit for c in outcome.causes] == [brought]


def test_a_patch_to_an_absent_kconfig_whose_entry_is_in_another_needs_a_person(repo: Repo, tmp_path: Path) -> None:
    """550e7fd8afb7 on 2.6.27.y. Where another file has little of it, the patch is not applicable as before."""
    head, tail = b'config OLD_DOCK\n\tbool "Docking the old way"\n', b"\tdefault n\n\t---help---\n\t  Docks laptops of old.\n"
    head = head.replace(b"tbool", b"tdepends on OLD_LAPTOPS=y\n\tbool").replace(b"DOCK", b"DOCKING_STATION")
    other = b'config OLD_BAY\n\tbool "Bays the old way"\n' + tail
    base = repo.commit({b"drivers/misc/Kconfig": other + head + tail}, b"base\n")
    far = repo.commit({b"drivers/misc/Kconfig": other}, b"older\n")
    brought = repo.on(base, {b"drivers/new/Kconfig": head + tail}, b"split\n")
    patch = repo.on(brought, {b"drivers/new/Kconfig": head + b"\tdepends on BROKEN\n" + tail}, b"fix\n")
    for onto, verdict in ((base, "conflict"), (far, "not-applicable")):
        with replayed(repo, [patch], onto, tmp_path / f"store-{verdict}", onto, policy=MERGES_ALONE) as session:
            (outcome,) = session.outcomes
            assert outcome.verdict == verdict
            assert ("in drivers/misc/Kconfig" in outcome.reason) == (verdict == "conflict")
