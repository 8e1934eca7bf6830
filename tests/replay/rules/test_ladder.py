"""The ladder: disputes settled one by one and put together, and nothing lost that merges by itself."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from backport.git.merge import Region
from backport.replay.rules.anchor import anchor
from backport.replay.rules.ladder import attempt
from backport.replay.situation import Answers, Resolution, Situation
from tests.replay.rules.ask import best, situation, text

BASE = b"".join(b"\tstep_%d(card, %d);\n" % (n, n) for n in range(40))
TOP, END = b"int all(struct card *card)\n{\n", b"\treturn 0;\n}\n"


def whole(**changed: bytes) -> bytes:
    rows = BASE.splitlines(keepends=True)
    for name, row in changed.items():
        rows[int(name[1:])] = row
    return TOP + b"".join(rows) + END


def test_two_rules_for_two_places_and_a_clean_one_between() -> None:
    ours = whole(l5=b"\tdrifted(card);\n", l30=b"\tstep_30(card->old, 30);\n")
    theirs = whole(l6=b"\tnew_6(card);\n", l20=b"\tnew_20(card);\n", l30=b"\tstep_30(card, 31);\n")
    found = best(whole(), ours, theirs)
    assert found is not None
    assert found.rule == "anchor+words"
    assert found.sure
    wanted = whole(l5=b"\tdrifted(card);\n", l6=b"\tnew_6(card);\n", l20=b"\tnew_20(card);\n", l30=b"\tstep_30(card->old, 31);\n")
    assert text(found) == wanted
    assert [e.rule for e in found.evidence] == ["anchor", "words"]


def test_each_place_is_told_by_its_line_in_the_file_that_all_answers_make() -> None:
    """Three lines that merge by themselves go in above; then the answer of one rule, two lines longer, above that of another."""
    ours = whole(l5=b"\tdrifted(card);\n", l30=b"\tstep_30(card->old, 30);\n")
    theirs = whole(
        l1=b"\tstep_1(card, 1);\n\tmore_a(card);\n\tmore_b(card);\n\tmore_c(card);\n",
        l6=b"\tnew_6(card);\n\tnew_7(card);\n\tnew_8(card);\n",
        l30=b"\tstep_30(card, 31);\n",
    )
    found = best(whole(), ours, theirs)
    assert found is not None
    made = (text(found) or b"").splitlines(keepends=True)
    assert [made[item.line - 1] for item in found.evidence] == [b"\tnew_6(card);\n", b"\tstep_30(card->old, 31);\n"]


def test_one_place_that_no_rule_knows_is_no_answer() -> None:
    ours = whole(l5=b"\tdrifted(card);\n", l30=b"\tstep_30(card, 31);\n")
    theirs = whole(l6=b"\tnew_6(card);\n", l30=b"\tstep_30(card, 32);\n")
    found = best(whole(), ours, theirs)
    assert found is None or not found.sure


def test_rules_that_disagree_are_not_sure() -> None:
    def other(asked: Situation) -> Resolution | None:
        right = anchor(asked)
        return None if right is None else Resolution("other", True, {asked.path: b"another\n"}, right.evidence)

    asked = situation(whole(), whole(l5=b"\tdrifted(card);\n"), whole(l6=b"\tnew_6(card);\n"))
    found = attempt(asked, (anchor, other)).found
    assert len(found) == 2
    assert not any(answer.sure for answer in found)


def test_what_merges_by_itself_is_what_git_makes_of_it(tmp_path: Path) -> None:
    """With the disputed line put aside, the text is that of `git merge-file`."""
    ours = whole(l2=b"\tmine_2(card);\n", l5=b"\tdrifted(card);\n", l39=b"\tmine_39(card);\n")
    theirs = whole(l6=b"\tnew_6(card);\n", l20=b"\tnew_20(card);\n", l36=b"")
    calm = theirs.replace(b"\tnew_6(card);\n", b"\tstep_6(card, 6);\n")
    for name, content in (("ours", ours), ("base", whole()), ("theirs", calm)):
        (tmp_path / name).write_bytes(content)
    merged = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    assert text(best(whole(), ours, theirs)) == merged.replace(b"\tstep_6(card, 6);\n", b"\tnew_6(card);\n")


@pytest.mark.parametrize(
    "texts",
    [
        (b"", b"", b""),
        (b"\0\1", b"\0\2", b"\0\3"),
        (b"a\n", None, b"b\n"),
        (None, b"a\n", b"b\n"),
        (b"{" * 5000 + b"\n", b"}" * 5000 + b"\n", b"{" * 4999 + b"\n"),
        (b"x" * 1_000_000, b"y" * 1_000_000, b"z" * 1_000_000),
        (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n", b"a\r\nb\r\nd\r\n"),
        (b"\xff\xfe(\n\x80\n", b"\xff\xfe[\n\x80\n", b"\xff\xfe(\n\x81\n"),
        (b"/*\n" * 50, b'"\n' * 50, b"#if\n" * 50),
    ],
    ids=["empty", "binary", "absent", "added", "unbalanced", "one-line", "crlf", "no-utf8", "open-comments"],
)
def test_odd_input_is_answered_or_not_but_never_raises(texts: tuple[bytes | None, bytes | None, bytes | None]) -> None:
    base, ours, theirs = texts
    for answer in attempt(situation(base, ours, theirs)).found:
        assert all(content is None or isinstance(content, bytes) for content in answer.texts.values())


def test_two_thousand_disputes_are_given_up_in_bounded_time() -> None:
    """Each is settled over the whole file: without a bound, five thousand took more than five minutes."""
    base = [b"#define R_%d 0x%x\n" % (i, i) for i in range(20_000)]
    ours = [b"#define R_%d (0x%x)\n" % (i, i + 1) if i % 10 == 0 else row for i, row in enumerate(base)]
    theirs = [b"#define R_%d 0x%xUL\n" % (i, i) if i % 10 == 1 else row for i, row in enumerate(base)]
    start = time.monotonic()
    assert attempt(situation(b"".join(base), b"".join(ours), b"".join(theirs), b"include/x.h")) == Answers()
    assert time.monotonic() - start < 60


def test_a_file_that_was_laid_out_anew_between_is_for_a_person() -> None:
    ours = whole(**{f"l{n}": b"\tstep_%d( card,%d );\n" % (n, n) for n in range(20, 30)}, l5=b"\tdrifted(card);\n")
    theirs = whole(l6=b"\tnew_6(card);\n")
    found = best(whole(), ours, theirs)
    assert found is not None
    assert not found.sure
    assert text(found) == ours.replace(b"\tstep_6(card, 6);\n", b"\tnew_6(card);\n")


def test_more_disputes_than_a_file_may_have_are_said_to_be_too_many() -> None:
    base = b"".join(b"int a%d;\nint b%d;\nint c%d;\n" % (i, i, i) for i in range(70))
    ours, theirs = base.replace(b"int a", b"long a"), base.replace(b"int b", b"char b")
    asked = replace(situation(base, ours, theirs), regions=(Region(1, b"", b"", b""),))
    told = attempt(asked)
    assert told.found == ()
    assert told.why == "the rules abstained: over budget (70 disputes in one file, 60 at most)"
    assert attempt(replace(asked, theirs=base)) == Answers()
