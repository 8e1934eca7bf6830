"""What the engine makes of what rules say: AUTO, SUGGEST or a conflict, with a rule that is told its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from backport.model.evidence import Evidence
from backport.model.finding import Finding, Level
from backport.model.series import Patch
from backport.replay.policy import Policy
from backport.replay.situation import Answers, Resolution, Situation
from tests.gitrepo import LINK, SUBMODULE, Repo, numbered, replayed


def answer(texts: Mapping[bytes, bytes | None], rule: str = "told", *, sure: bool = True) -> Resolution:
    evidence = tuple(Evidence(rule, path, "", 5, 0, "it was told so") for path in texts)
    return Resolution(rule, sure, texts, evidence)


@dataclass
class Told:
    """A ladder that answers by path, and remembers what it was asked."""

    answers: Mapping[bytes, Sequence[Resolution]]

    def __post_init__(self) -> None:
        self.asked: list[Situation] = []

    def __call__(self, situation: Situation) -> Answers:
        self.asked.append(situation)
        return Answers(tuple(self.answers.get(situation.path, ())))


class Refusing:
    """A guard that refuses every tree but '', for a name in a file that no rule touched."""

    def findings(self, patch: Patch, tree: str) -> Sequence[Finding]:
        return (Finding(Level.ERROR, "absent-symbol", "frob", patch.commit, b"g", 1),) if tree else ()

    def accept(self, patch: Patch) -> None:
        raise AssertionError("nothing landed")


MINE, WANTED, OTHER = numbered(9, l5=b"mine"), numbered(9, l5=b"both"), numbered(9, l5=b"other")


@pytest.fixture
def case(repo: Repo) -> tuple[str, list[str], str]:
    """Target, patches and base: the first patch conflicts in `f` and merges in `g`, the second builds on it."""
    base = repo.commit({b"f": numbered(9), b"g": numbered(9)}, b"base\n")
    target = repo.on(base, {b"f": MINE, b"g": numbered(9, l1=b"mine")}, b"target\n")
    one = repo.on(base, {b"f": numbered(9, l5=b"theirs"), b"g": numbered(9, l9=b"theirs")}, b"one\n\nSigned-off-by: A <a@b>\n")
    two = repo.on(one, {b"f": numbered(9, l1=b"two", l5=b"theirs")}, b"two\n")
    return target, [one, two], base


def test_a_sure_resolution_lands_and_its_commit_says_so(repo: Repo, case: tuple[str, list[str], str], tmp_path: Path) -> None:
    target, commits, base = case
    ladder = Told({b"f": [answer({b"f": WANTED})]})
    with replayed(repo, commits, target, tmp_path / "store", base, policy=Policy(ladder)) as session:
        assert session.verdicts == ["resolved", "merged"]
        (first, second) = session.outcomes
        assert session.git("cat-file", "blob", f"{first.tree}:f") == WANTED
        assert session.git("cat-file", "blob", f"{first.tree}:g") == numbered(9, l1=b"mine", l9=b"theirs")
        assert session.git("cat-file", "blob", f"{second.tree}:f") == numbered(9, l1=b"two", l5=b"both")
        message = session.git("log", "-1", "--format=%B", first.commit)
        assert message.rstrip().endswith(b"\nBackport-verdict: resolved (told)")
        files = {file.path: file for file in first.files}
        assert (files[b"f"].rule, files[b"g"].rule) == ("told", "3-way")
        assert [item.why for item in files[b"f"].evidence] == ["it was told so"]
        (asked,) = ladder.asked
        assert (asked.base, asked.ours, asked.theirs) == (numbered(9), MINE, numbered(9, l5=b"theirs"))
        assert (asked.since, [region.line for region in asked.regions]) == (base, [5])


def test_what_is_not_sure_is_suggested_in_order_and_not_applied(
    repo: Repo, case: tuple[str, list[str], str], tmp_path: Path
) -> None:
    target, commits, base = case
    ladder = Told({b"f": [answer({b"f": WANTED}, "first", sure=False), answer({b"f": OTHER}, "second", sure=False)]})
    with replayed(repo, commits[:1], target, tmp_path / "store", base, policy=Policy(ladder)) as session:
        (outcome,) = session.outcomes
        assert (outcome.verdict, outcome.tree, session.landed) == ("conflict", "", [])
        assert [suggestion.rules for suggestion in outcome.suggestions] == [("first",), ("second",)]
        for suggestion, text in zip(outcome.suggestions, (WANTED, OTHER), strict=True):
            assert session.git("cat-file", "blob", f"{suggestion.tree}:f") == text
        assert b"\n-mine\n+both\n" in outcome.suggestions[0].diff


def test_a_suggestion_is_applied_when_asked_for(repo: Repo, case: tuple[str, list[str], str], tmp_path: Path) -> None:
    target, commits, base = case
    ladder = Told({b"f": [answer({b"f": WANTED}, sure=False)]})
    with replayed(repo, commits, target, tmp_path / "store", base, policy=Policy(ladder, accept=True)) as session:
        assert session.verdicts == ["suggested", "merged"]
        message = session.git("log", "-1", "--format=%B", session.landed[0])
        assert message.rstrip().endswith(b"\nBackport-verdict: suggested (told)")


def test_a_suggestion_to_leave_the_patch_out_is_not_applied(repo: Repo, case: tuple[str, list[str], str], tmp_path: Path) -> None:
    """It was, as an empty commit, of which git makes no mail: a traceback."""
    target, _, base = case
    patch = repo.on(base, {b"f": numbered(9, l5=b"theirs")}, b"patch\n")
    ladder = Told({b"f": [answer({b"f": MINE}, "present", sure=False), answer({b"f": WANTED}, sure=False)]})
    with replayed(repo, [patch], target, tmp_path / "store", base, policy=Policy(ladder, accept=True)) as session:
        assert session.verdicts == ["conflict"]
        assert [told.rules for told in session.outcomes[0].suggestions] == [("present",), ("told",)]


def test_two_proofs_that_differ_are_none(repo: Repo, case: tuple[str, list[str], str], tmp_path: Path) -> None:
    target, commits, base = case
    ladder = Told({b"f": [answer({b"f": WANTED}, "first"), answer({b"f": OTHER}, "second")]})
    with replayed(repo, commits[:1], target, tmp_path / "store", base, policy=Policy(ladder)) as session:
        assert session.verdicts == ["conflict"]
        assert len(session.outcomes[0].suggestions) == 2


def test_a_file_on_which_all_abstain_leaves_the_patch_to_a_person(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"f": numbered(9), b"h": numbered(9)}, b"base\n")
    target = repo.on(base, {b"f": MINE, b"h": MINE}, b"target\n")
    patch = repo.on(base, {b"f": numbered(9, l5=b"theirs"), b"h": numbered(9, l5=b"theirs")}, b"patch\n")
    ladder = Told({b"f": [answer({b"f": WANTED}), answer({b"f": OTHER})]})
    with replayed(repo, [patch], target, tmp_path / "store", base, policy=Policy(ladder, accept=True)) as session:
        (outcome,) = session.outcomes
        assert outcome.verdict == "conflict"
        (partial,) = outcome.suggestions
        assert partial.rules == ("told", "partial")
        assert partial.doubts == ("it leaves out what no rule knows a place for: h",)
        assert session.git("cat-file", "blob", f"{partial.tree}:f") == WANTED
        assert session.git("cat-file", "blob", f"{partial.tree}:h") == MINE


def test_a_patch_of_which_nothing_is_known_has_no_suggestion(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"f": numbered(9), b"h": numbered(9)}, b"base\n")
    target = repo.on(base, {b"f": MINE, b"h": MINE}, b"target\n")
    patch = repo.on(base, {b"f": numbered(9, l5=b"theirs"), b"h": numbered(9, l5=b"theirs")}, b"patch\n")
    with replayed(repo, [patch], target, tmp_path / "store", base, policy=Policy(Told({}))) as session:
        (outcome,) = session.outcomes
        assert (outcome.verdict, outcome.suggestions) == ("conflict", ())


def test_what_the_guard_refuses_is_a_doubted_suggestion_that_nobody_can_accept_blindly(
    repo: Repo, case: tuple[str, list[str], str], tmp_path: Path
) -> None:
    target, commits, base = case
    policy = Policy(Told({b"f": [answer({b"f": WANTED})]}), accept=True)
    with replayed(repo, commits[:1], target, tmp_path / "store", base, guard=Refusing(), policy=policy) as session:
        (outcome,) = session.outcomes
        assert (outcome.verdict, outcome.tree) == ("conflict", "")
        assert "frob" in outcome.suggestions[0].doubts[0]


def test_a_file_that_the_patch_renames_is_resolved_under_its_new_name(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"f": numbered(30)}, b"base\n")
    target = repo.on(base, {b"f": numbered(30, l5=b"mine")}, b"target\n")
    patch = repo.on(base, {b"f": None, b"n": numbered(30, l5=b"theirs")}, b"patch\n")
    ladder = Told({b"f": [answer({b"f": numbered(30, l5=b"both")})]})
    with replayed(repo, [patch], target, tmp_path / "store", base, policy=Policy(ladder)) as session:
        (outcome,) = session.outcomes
        assert outcome.verdict == "resolved"
        assert session.git("ls-tree", "-r", "--name-only", outcome.tree) == b"n\n"


def test_a_resolution_that_changes_nothing_says_that_the_target_has_it(
    repo: Repo, case: tuple[str, list[str], str], tmp_path: Path
) -> None:
    base = repo.commit({b"f": numbered(9)}, b"base\n")
    target = repo.on(base, {b"f": MINE}, b"target\n")
    patch = repo.on(base, {b"f": numbered(9, l5=b"theirs")}, b"patch\n")
    ladder = Told({b"f": [answer({b"f": MINE})]})
    with replayed(repo, [patch], target, tmp_path / "store", base, policy=Policy(ladder)) as session:
        assert session.verdicts == ["already-present"]


class Drift:
    """A guard that has something to say about two of upstream's words."""

    def findings(self, patch: Patch, tree: str) -> Sequence[Finding]:
        return [Finding(Level.ERROR, "absent-symbol", word, patch.commit, b"f", 5) for word in ("theirs", "both")]

    def accept(self, patch: Patch) -> None:
        """Nothing."""


@pytest.mark.parametrize(("text", "verdict"), [(b"other", "resolved"), (b"both", "conflict"), (b"both_sides", "resolved")])
def test_a_word_that_the_rule_put_out_of_the_way_is_no_reproach(
    repo: Repo, case: tuple[str, list[str], str], tmp_path: Path, text: bytes, verdict: str
) -> None:
    target, commits, base = case
    policy = Policy(Told({b"f": [answer({b"f": numbered(9, l5=text)})]}))
    with replayed(repo, commits[:1], target, tmp_path / "store", base, guard=Drift(), policy=policy) as session:
        assert session.verdicts == [verdict]


def test_every_hunk_that_landed_has_its_evidence(repo: Repo, tmp_path: Path) -> None:
    code = b"int f(void)\n{\n%s}\n\nint g(void)\n{\n%s}\n"
    rows = numbered(20)
    base = repo.commit({b"a.c": code % (rows, rows), b"b.c": code % (rows, rows), b"k": rows}, b"base\n")
    drift = repo.on(base, {b"b.c": code % (rows, numbered(20, l15=b"drift"))}, b"drift\n")
    after = code % (numbered(20, l9=b"patch"), numbered(20, l15=b"patch"))
    patch = repo.on(drift, {b"a.c": code % (numbered(20, l3=b"new", l9=b"new"), rows), b"b.c": after, b"n": b"1\n"}, b"patch\n")
    target = repo.on(base, {b"b.c": b"/* head */\n" + code % (rows, numbered(20, l15=b"mine"))}, b"target\n")
    result = b"/* head */\n" + code % (numbered(20, l9=b"patch"), numbered(20, l15=b"both"))
    told = Resolution("told", True, {b"b.c": result}, (Evidence("told", b"b.c", "g", 42, 1, "because", checks=("unique",)),))
    with replayed(repo, [patch], target, tmp_path / "store", base, policy=Policy(Told({b"b.c": [told]}))) as session:
        (outcome,) = session.outcomes
        assert (outcome.verdict, outcome.conflicts) == ("resolved", ())
        places = [(e.rule, e.path, e.function, e.line, e.offset) for file in outcome.files for e in file.evidence]
        assert places == [
            ("take", b"a.c", "f", 5, 0),
            ("take", b"a.c", "f", 11, 0),
            ("3-way", b"b.c", "f", 12, 1),
            ("told", b"b.c", "g", 42, 1),
            ("take", b"n", "", 1, 0),
        ]
        (told_of,) = [e for file in outcome.files for e in file.evidence if e.rule == "told"]
        assert [cause.commit for cause in told_of.causes] == [drift]
        assert told_of.checks[0] == "unique"
        assert "other-function" in told_of.checks


def test_what_a_left_out_patch_would_have_brought_is_not_absent(repo: Repo, tmp_path: Path) -> None:
    """A rule that finds a file or a function unneeded in the target cannot know that the series itself was to bring it."""
    base = repo.commit({b"f": numbered(9), b"k": b"k\n"}, b"base\n")
    target = repo.on(base, {b"f": MINE}, b"target\n")
    one = repo.on(base, {b"f": numbered(9, l5=b"theirs"), b"n": b"1\n"}, b"brings n\n")
    two = repo.on(one, {b"n": b"2\n", b"k": b"kk\n"}, b"changes n\n")
    three = repo.on(two, {b"f": numbered(9, l5=b"again")}, b"changes f\n")
    ladder = Told({b"n": [answer({}, "unneeded")], b"f": []})
    with replayed(repo, [one, two], target, tmp_path / "store", base, policy=Policy(ladder)) as session:
        assert session.verdicts == ["conflict", "conflict"]
        assert session.outcomes[1].needs == (one,)
        assert not session.outcomes[1].suggestions
    later = Once(Told({}), WANTED)
    with replayed(repo, [one, three], target, tmp_path / "again", base, policy=Policy(later)) as session:
        assert session.verdicts == ["conflict", "conflict"]
        assert len(session.outcomes[1].suggestions) == 1


@dataclass
class Once:
    """Abstains on the first question, and is sure of every later one."""

    told: Told
    text: bytes

    def __call__(self, situation: Situation) -> Answers:
        first = not self.told.asked
        self.told(situation)
        return Answers(() if first else (answer({situation.path: self.text}),))


def test_a_patch_of_which_nothing_is_left_is_not_applicable(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"k": b"k\n"}, b"base\n")
    brought = repo.on(base, {b"n": b"1\n"}, b"brings n\n")
    patch = repo.on(brought, {b"n": b"2\n"}, b"changes n\n")
    with replayed(
        repo, [patch], base, tmp_path / "store", base, policy=Policy(Told({b"n": [answer({}, "unneeded")]}))
    ) as session:
        assert session.verdicts == ["not-applicable"]


def test_a_patch_may_define_the_configuration_symbol_that_it_asks_for(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"a.c": numbered(30), b"Kconfig": b"config OTHER\n\tbool\n"}, b"base\n")
    target = repo.on(base, {b"a.c": numbered(30, l25=b"target")}, b"target\n")
    changes = {b"a.c": numbered(30, l5=b"#ifdef CONFIG_LID"), b"Kconfig": b"config LID\n\tbool\n\nconfig OTHER\n\tbool\n"}
    later = repo.on(base, {b"Kconfig": changes[b"Kconfig"]}, b"Kconfig: LID\n")
    both, alone = repo.on(base, changes, b"both\n"), repo.on(later, {b"a.c": changes[b"a.c"]}, b"alone\n")
    for number, (patch, verdict) in enumerate([(both, "merged"), (alone, "suspect")]):
        with replayed(repo, [patch], target, tmp_path / str(number), base) as session:
            assert session.verdicts == [verdict]


FUNCTION = b"int %s(int a)\n{\n\tint b = a;\n\n\treturn %s;\n}\n"
KINDS = {"link": (LINK, b"x.c"), "submodule": (SUBMODULE, b"1" * 40)}


@pytest.mark.parametrize("kind", KINDS)
def test_a_link_or_submodule_is_no_file_that_the_target_lacks(repo: Repo, tmp_path: Path, kind: str) -> None:
    """`unneeded` was sure that the file is absent, and the target's link went."""
    base = repo.commit({b"a.c": FUNCTION % (b"a", b"b"), b"l.c": FUNCTION % (b"lone", b"b")}, b"base\n")
    target = repo.on(base, {b"l.c": KINDS[kind]}, b"target\n")
    patch = repo.on(base, {b"a.c": FUNCTION % (b"a", b"b + 1"), b"l.c": FUNCTION % (b"lone", b"b + 1")}, b"patch\n")
    with replayed(repo, [patch], target, tmp_path / "store", base) as session:
        assert session.verdicts == ["conflict"]
        for told in session.outcomes[0].suggestions:
            assert session.git("ls-tree", told.tree, "l.c") == session.git("ls-tree", target, "l.c")


def test_a_file_that_upstream_makes_a_link_is_not_deleted(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"a.c": FUNCTION % (b"a", b"b"), b"l": numbered(40)}, b"base\n")
    target = repo.on(base, {b"l": numbered(40, l5=b"step_5( 5 )")}, b"target\n")
    patch = repo.on(base, {b"a.c": FUNCTION % (b"a", b"b + 1"), b"l": KINDS["link"]}, b"patch\n")
    with replayed(repo, [patch], target, tmp_path / "store", base) as session:
        assert session.verdicts == ["conflict"]
        for told in session.outcomes[0].suggestions:
            assert session.git("ls-tree", told.tree, "l") == session.git("ls-tree", target, "l")


@pytest.mark.parametrize("kind", [*KINDS, "folder"])
def test_what_is_no_file_is_left_as_the_target_has_it(repo: Repo, tmp_path: Path, kind: str) -> None:
    """The suggestion said "it leaves out l", and took it away."""
    base = repo.commit({b"f": numbered(9), b"l": numbered(9)}, b"base\n")
    theirs = {b"l": None, b"l/x": b"x\n"} if kind == "folder" else {b"l": KINDS[kind]}
    target = repo.on(base, {b"f": MINE, **theirs}, b"target\n")
    patch = repo.on(base, {b"f": numbered(9, l5=b"theirs"), b"l": numbered(9, l2=b"theirs")}, b"patch\n")
    with replayed(
        repo, [patch], target, tmp_path / "store", base, policy=Policy(Told({b"f": [answer({b"f": WANTED})]}))
    ) as session:
        assert session.verdicts == ["conflict"]
        (told,) = session.outcomes[0].suggestions
        assert session.git("ls-tree", told.tree, "l") == session.git("ls-tree", target, "l")
