"""What a person decided once is used again for the same conflict, wherever it stands, and for no other: rerere, but portable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from backport.model.finding import Finding, Level
from backport.model.recording import Recording
from backport.model.series import Patch
from backport.replay.policy import Policy
from backport.replay.situation import Answers
from tests.gitrepo import Content, Repo, Session, replayed
from tests.resolve.person import decided

HEAD = b"#include <linux/mm.h>\n\nint first(void)\n{\n\treturn 1;\n}\n\n"
TAIL = b"\nint last(void)\n{\n\treturn 9;\n}\n"


def function(line: bytes, name: bytes = b"walk", tab: bytes = b"\t") -> bytes:
    return b"int %s(struct page *page)\n{\n\tint found = 0;\n\n%s\n\treturn found;\n}\n".replace(b"\t", tab) % (
        name,
        b"".join(b"%s%s\n" % (tab, part) for part in line.split(b" | ")),
    )


OLD, OURS, THEIRS = b"found += look(page);", b"found += look(page, 0);", b"found += look(page, data);"
DECIDED = b"found += look(page, 0, data);"
BASE = HEAD + function(OLD) + TAIL


def ladder_of(recordings: Sequence[Recording]) -> Policy:
    return Policy(ladder=lambda _: Answers(), recordings=tuple(recordings))


def texts(ours: bytes, theirs: bytes, base: bytes = BASE) -> tuple[Mapping[bytes, Content], ...]:
    return ({b"mm/w.c": base}, {b"mm/w.c": ours}, {b"mm/w.c": theirs})


def learn(repo: Repo, scratch: Path, result: bytes | None = None) -> tuple[Recording, ...]:
    """The decision: on a target where `look` has another argument."""
    base = repo.commit({b"mm/w.c": BASE}, b"base\n", parents=[])
    target = repo.on(base, {b"mm/w.c": HEAD + function(OURS) + TAIL}, b"target\n")
    patch = repo.on(base, {b"mm/w.c": HEAD + function(THEIRS) + TAIL}, b"mm: data for look\n")
    with replayed(repo, [patch], target, scratch, base, policy=ladder_of(())) as session:
        assert session.verdicts == ["conflict"]
        return decided(session, target, {b"mm/w.c": result or HEAD + function(DECIDED) + TAIL})


def again(
    repo: Repo,
    scratch: Path,
    recordings: Sequence[Recording],
    base: Mapping[bytes, Content],
    target: Mapping[bytes, Content | None],
    patch: Mapping[bytes, Content | None],
    subject: bytes = b"mm: data for look\n",
) -> tuple[str, dict[bytes, bytes], Session]:
    """Verdict and files of the same patch in another place."""
    first = repo.commit(base, b"other base\n", parents=[])
    onto = repo.on(first, target, b"other target\n")
    commit = repo.on(first, patch, subject)
    with replayed(repo, [commit], onto, scratch, first, policy=ladder_of(recordings)) as session:
        (outcome,) = session.outcomes
        files = {path: session.trees.read(outcome.tree, path) for path in target} if outcome.tree else {}
        return session.verdicts[0], {path: text for path, text in files.items() if text is not None}, session


def test_it_is_used_on_the_same_target(repo: Repo, tmp_path: Path) -> None:
    known = learn(repo, tmp_path / "a")
    base, target, patch = texts(HEAD + function(OURS) + TAIL, HEAD + function(THEIRS) + TAIL)
    verdict, files, session = again(repo, tmp_path / "b", known, base, target, patch)
    assert (verdict, files[b"mm/w.c"]) == ("recorded", HEAD + function(DECIDED) + TAIL)
    (evidence,) = session.outcomes[0].files[0].evidence
    assert (evidence.rule, evidence.function, evidence.line) == ("recorded", "walk", 13 - 1)
    assert {"same-conflict", "same-patch", "same-function"} <= set(evidence.checks)
    assert "Runa Vale" in evidence.why


def test_it_moves_with_its_function_to_another_line(repo: Repo, tmp_path: Path) -> None:
    known = learn(repo, tmp_path / "a")
    more = HEAD + b"".join(function(b"return %d;" % i, b"more_%d" % i) for i in range(20))
    base, target, patch = texts(more + function(OURS) + TAIL, HEAD + function(THEIRS) + TAIL)
    verdict, files, _ = again(repo, tmp_path / "b", known, base, target, patch)
    assert (verdict, files[b"mm/w.c"]) == ("recorded", more + function(DECIDED) + TAIL)


def test_it_holds_in_a_file_with_crlf(repo: Repo, tmp_path: Path) -> None:
    known = learn(repo, tmp_path / "a")
    texts_of = [text.replace(b"\n", b"\r\n") for text in (BASE, HEAD + function(OURS) + TAIL, HEAD + function(THEIRS) + TAIL)]
    base, target, patch = texts(texts_of[1], texts_of[2], texts_of[0])
    verdict, files, _ = again(repo, tmp_path / "b", known, base, target, patch)
    assert (verdict, files[b"mm/w.c"]) == ("recorded", (HEAD + function(DECIDED) + TAIL).replace(b"\n", b"\r\n"))


def test_it_holds_after_a_change_around_it(repo: Repo, tmp_path: Path) -> None:
    known = learn(repo, tmp_path / "a")
    other = TAIL.replace(b"9", b"10")
    around = function(OURS).replace(b"int found = 0;", b"int found = 0, more;")
    base, target, patch = texts(HEAD + around + other, HEAD + function(THEIRS) + TAIL)
    verdict, files, _ = again(repo, tmp_path / "b", known, base, target, patch)
    assert (verdict, files[b"mm/w.c"]) == ("recorded", HEAD + around.replace(OURS, DECIDED) + other)


def test_white_space_is_the_target_s_own(repo: Repo, tmp_path: Path) -> None:
    both = HEAD + function(OURS + b" | use(found);") + TAIL
    kept = HEAD + function(OURS + b" | use(found); | " + DECIDED) + TAIL
    base = repo.commit({b"mm/w.c": BASE}, b"base\n", parents=[])
    target = repo.on(base, {b"mm/w.c": both}, b"target\n")
    patch = repo.on(base, {b"mm/w.c": HEAD + function(THEIRS) + TAIL}, b"mm: data for look\n")
    with replayed(repo, [patch], target, tmp_path / "a", base, policy=ladder_of(())) as session:
        known = decided(session, target, {b"mm/w.c": kept})
    spaced = [text.replace(b"\t", b"        ") for text in (BASE, both, HEAD + function(THEIRS) + TAIL)]
    verdict, files, _ = again(repo, tmp_path / "b", known, *texts(spaced[1], spaced[2], spaced[0]))
    assert verdict == "recorded"
    assert files[b"mm/w.c"] == kept.replace(b"\t", b"        ")


def test_it_is_used_in_another_file_where_the_function_went(repo: Repo, tmp_path: Path) -> None:
    known = learn(repo, tmp_path / "a")
    files = [{b"mm/other.c": b"/* moved */\n" + function(line)} for line in (OLD, OURS, THEIRS)]
    verdict, found, _ = again(repo, tmp_path / "b", known, *files, subject=b"mm: data for look, v2\n")
    assert (verdict, found[b"mm/other.c"]) == ("recorded", b"/* moved */\n" + function(DECIDED))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (OURS, THEIRS.replace(b"data", b"date")),
        (OURS.replace(b"0", b"1"), THEIRS),
        (OURS + b" | use(found);", THEIRS),
        (b"found += lo ok(page, 0);", THEIRS),
    ],
)
def test_a_conflict_that_differs_in_a_word_is_another(ours: bytes, theirs: bytes, repo: Repo, tmp_path: Path) -> None:
    known = learn(repo, tmp_path / "a")
    base, target, patch = texts(HEAD + function(ours) + TAIL, HEAD + function(theirs) + TAIL)
    verdict, _, session = again(repo, tmp_path / "b", known, base, target, patch)
    assert (verdict, session.outcomes[0].suggestions) == ("conflict", ())


def test_the_same_lines_in_another_patch_and_function_are_a_suggestion(repo: Repo, tmp_path: Path) -> None:
    known = learn(repo, tmp_path / "a")
    files = [{b"mm/w.c": function(line, b"count")} for line in (OLD, OURS, THEIRS)]
    verdict, _, session = again(repo, tmp_path / "b", known, *files, subject=b"mm: count\n")
    (suggestion,) = session.outcomes[0].suggestions
    assert (verdict, suggestion.rules) == ("conflict", ("recorded",))
    assert b"+\tfound += look(page, 0, data);\n" in suggestion.diff


def test_lines_changed_beside_the_conflict_come_along(repo: Repo, tmp_path: Path) -> None:
    made = HEAD.replace(b"return 1", b"return 2") + function(DECIDED) + TAIL.replace(b"9", b"8")
    known = learn(repo, tmp_path / "a", made)
    assert [str(r.kind) for r in known] == ["lines", "conflict", "lines"]
    more = function(b"return 0;", b"more")
    base, target, patch = texts(HEAD + more + function(OURS) + TAIL, HEAD + function(THEIRS) + TAIL)
    verdict, files, _ = again(repo, tmp_path / "b", known, base, target, patch)
    assert (verdict, files[b"mm/w.c"]) == ("recorded", made.replace(function(DECIDED), more + function(DECIDED)))


def test_where_such_a_line_is_gone_a_person_is_asked_and_told(repo: Repo, tmp_path: Path) -> None:
    known = learn(repo, tmp_path / "a", HEAD.replace(b"return 1", b"return 2") + function(DECIDED) + TAIL)
    base, target, patch = texts(HEAD.replace(b"return 1", b"return 0") + function(OURS) + TAIL, HEAD + function(THEIRS) + TAIL)
    verdict, _, session = again(repo, tmp_path / "b", known, base, target, patch)
    assert verdict == "conflict"
    (suggestion,) = session.outcomes[0].suggestions
    assert suggestion.doubts == ("the lines of mm/w.c that were changed by hand on v1 are no longer there",)


def test_two_equal_conflicts_that_became_different_are_kept_as_one(repo: Repo, tmp_path: Path) -> None:
    def both(line: bytes, other: bytes) -> bytes:
        return function(b" | ".join([line, *(b"between(%d);" % i for i in range(9)), other]))

    base = repo.commit({b"f.c": both(OLD, OLD)}, b"base\n", parents=[])
    target = repo.on(base, {b"f.c": both(OURS, OURS)}, b"target\n")
    patch = repo.on(base, {b"f.c": both(THEIRS, THEIRS)}, b"patch\n")
    made = both(DECIDED, b"found += 1;")
    for whole, verdict in ((False, "conflict"), (True, "recorded")):
        with replayed(repo, [patch], target, tmp_path / f"a{whole}", base, policy=ladder_of(())) as session:
            known = decided(session, target, {b"f.c": made}, whole=whole)
        with replayed(repo, [patch], target, tmp_path / f"b{whole}", base, policy=ladder_of(known)) as session:
            assert session.verdicts == [verdict]
    assert session.trees.read(session.outcomes[0].tree, b"f.c") == made


@pytest.mark.parametrize(
    ("ours", "theirs", "made"),
    [
        ({b"f": None}, {b"f": b"new\n"}, {b"f": None}),
        ({b"f": None}, {b"f": b"new\n"}, {b"f": b"new\n"}),
        ({b"f": None}, {b"f": b"new\n"}, {b"f": b"by hand\n"}),
        ({b"f": b"mine\n"}, {b"f": None}, {b"f": b"mine\n"}),
        ({b"f": b"mine\n"}, {b"f": None}, {b"f": None}),
        ({b"g": b"mine\n"}, {b"g": b"theirs\n"}, {b"g": b"both\n"}),
        ({b"f": b"\0mine"}, {b"f": b"\0theirs"}, {b"f": b"\0theirs"}),
        ({b"f": b"\0mine"}, {b"f": b"\0theirs"}, {b"f": b"\0other"}),
        ({b"f": None}, {b"f": b"new\n"}, {b"f": None, b"g": b"the code is here now\n"}),
    ],
)
def test_decisions_about_whole_files(
    ours: Mapping[bytes, bytes | None],
    theirs: Mapping[bytes, bytes | None],
    made: Mapping[bytes, bytes | None],
    repo: Repo,
    tmp_path: Path,
) -> None:
    base = repo.commit({b"f": b"\0old" if b"\0mine" in ours.values() else b"old\n", b"h": b"h\n"}, b"base\n", parents=[])
    target = repo.on(base, ours, b"target\n")
    patch = repo.on(base, dict(theirs) | {b"h": b"H\n"}, b"patch\n")
    with replayed(repo, [patch], target, tmp_path / "a", base, policy=ladder_of(())) as session:
        assert session.verdicts == ["conflict"]
        known = decided(session, target, made)
    with replayed(repo, [patch], target, tmp_path / "b", base, policy=ladder_of(known)) as session:
        (outcome,) = session.outcomes
        assert outcome.verdict == "recorded"
        assert {path: session.trees.read(outcome.tree, path) for path in made} == dict(made)
        assert session.trees.read(outcome.tree, b"h") == b"H\n"


class Refusing:
    """A guard that knows better."""

    def findings(self, patch: Patch, tree: str) -> Sequence[Finding]:
        return (Finding(Level.ERROR, "absent-symbol", "look", patch.commit, b"mm/w.c", 1),)

    def accept(self, patch: Patch) -> None:
        raise AssertionError("nothing landed")


def test_what_the_guard_refuses_is_a_suggestion_with_its_doubt(repo: Repo, tmp_path: Path) -> None:
    known = learn(repo, tmp_path / "a")
    base = repo.commit({b"mm/w.c": BASE}, b"base\n", parents=[])
    target = repo.on(base, {b"mm/w.c": HEAD + function(OURS) + TAIL}, b"target\n")
    patch = repo.on(base, {b"mm/w.c": HEAD + function(THEIRS) + TAIL}, b"mm: data for look\n")
    with replayed(repo, [patch], target, tmp_path / "b", base, guard=Refusing(), policy=ladder_of(known)) as session:
        (outcome,) = session.outcomes
        assert outcome.verdict == "conflict"
        assert [s.doubts for s in outcome.suggestions] == [("it needs look: see the findings",)]


def test_a_patch_of_which_a_person_left_nothing_is_there_already(repo: Repo, tmp_path: Path) -> None:
    """It became an empty commit, of which git makes no mail."""
    base = repo.commit({b"f": b"a\nb\nc\nd\ne\n"}, b"base\n", parents=[])
    target = repo.on(base, {b"f": b"A\nb\nc\nd\ne\n"}, b"target\n")
    patch = repo.on(base, {b"f": b"a\nb\nc\nd\nE\n"}, b"patch\n")
    with replayed(repo, [patch], target, tmp_path / "a", base, guard=Refusing(), policy=ladder_of(())) as session:
        assert session.verdicts == ["suspect"]
        known = decided(session, target, {b"f": b"A\nb\nc\nd\ne\n"})
    with replayed(repo, [patch], target, tmp_path / "b", base, policy=ladder_of(known)) as session:
        assert session.verdicts == ["already-present"]
        assert session.outcomes[0].reason == "what a person made of it before leaves nothing to do"
