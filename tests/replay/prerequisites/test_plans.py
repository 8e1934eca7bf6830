"""Plans on small histories in which it is known what a patch needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from backport.git.clone import open_clone
from backport.git.history import History
from backport.git.trees import Trees
from backport.ingest.commits import ingest
from backport.ingest.sources import Sources
from backport.model.prerequisites import Needed, Role
from backport.model.progress import Silent
from backport.model.verdict import Verdict
from backport.replay.engine import replay
from backport.replay.guard import Trusting
from backport.replay.policy import Policy
from backport.replay.prerequisites.plans import Case, needed
from backport.replay.prerequisites.trial import Bench
from backport.replay.situation import Answers, Library
from tests.gitrepo import Repo, definition, numbered

FILE = b"mm/a.c"


@contextmanager
def case(repo: Repo, patch: str, onto: str, scratch: Path) -> Iterator[Case]:
    """The question about one patch, without ladder and guard: whatever conflicts stays a conflict."""
    sources = Sources((open_clone(repo.path),))
    with sources.store(scratch) as store:
        trees, history = Trees(store), History(store)
        series = ingest(definition(repo, [patch], onto), sources.clones, store, Silent())
        bare = Policy(ladder=lambda situation: Answers(), diffs=False)
        replayed = replay(series, onto, store, trees, history, Silent(), policy=bare)
        bench = Bench(Library(store, trees, history), onto, {}, bare)
        outcome = replayed.outcomes[0]
        yield Case(series.patches[0], replayed.tree, outcome, (), bench, lambda tried, behind: Trusting(), Silent())


def asked(repo: Repo, patch: str, onto: str, tmp_path: Path) -> Needed:
    with case(repo, patch, onto, tmp_path / "store") as found:
        return needed(found)


def history_of(repo: Repo, *contents: bytes, messages: Sequence[bytes] = ()) -> list[str]:
    """Commits that make the file each of the contents in turn."""
    told = messages or [b"version %d\n" % i for i in range(len(contents))]
    return [repo.commit({FILE: text}, message) for text, message in zip(contents, told, strict=True)]


def test_the_one_commit_that_made_the_lines_differ(repo: Repo, tmp_path: Path) -> None:
    base, _far, near, fix = history_of(
        repo, numbered(30), numbered(30, l2=b"far"), numbered(30, l2=b"far", l20=b"near"), numbered(30, l2=b"far", l20=b"fixed")
    )
    found = asked(repo, fix, base, tmp_path)
    assert (found.verdict, found.conflicts) == (Verdict.CONFLICT, 1)
    (candidate,) = found.candidates
    assert (candidate.commit, candidate.role, candidate.gone, candidate.alone) == (near, Role.LINES, 1, Verdict.MERGED)
    assert candidate.breaks
    assert found.best is not None
    assert [pick.commit for pick in found.best.picks] == [near]  # not `far`, whose lines are elsewhere
    assert (found.best.conflicts, found.best.added, found.best.removed) == (1, 1, 1)


def test_the_resulting_tree_is_that_of_git(repo: Repo, tmp_path: Path) -> None:
    base, *_, fix = history_of(
        repo, numbered(30), numbered(30, l2=b"far"), numbered(30, l2=b"far", l20=b"near"), numbered(30, l2=b"far", l20=b"fixed")
    )
    with case(repo, fix, base, tmp_path / "store") as found:
        best = needed(found).best
        assert best is not None
        assert found.bench.library.trees.read(best.tree, FILE) == numbered(30, l20=b"fixed")


def test_a_prerequisite_that_needs_another(repo: Repo, tmp_path: Path) -> None:
    base, first, second, fix = history_of(
        repo,
        numbered(30),
        numbered(30, l20=b"one"),
        numbered(30, l20=b"two", l10=b"ten"),
        numbered(30, l20=b"two", l10=b"fixed"),
    )
    found = asked(repo, fix, base, tmp_path)
    assert found.best is not None
    assert [pick.commit for pick in found.best.picks] == [first, second]
    assert [pick.needed_by for pick in found.best.picks] == [second, fix]


def test_who_removed_what_the_target_still_has(repo: Repo, tmp_path: Path) -> None:
    gone = b"".join(row + b"\n" for row in numbered(30).split(b"\n")[:-1] if row != b"line 16")
    fixed = gone.replace(b"line 15\n", b"line 15 fixed\n")
    base, removal, fix = history_of(repo, numbered(30), gone, fixed)
    found = asked(repo, fix, base, tmp_path)
    assert [c.commit for c in found.candidates] == [removal]
    assert "removed 1 line that the target still has" in found.candidates[0].why
    assert found.best is not None


def test_a_file_that_came_later(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({FILE: b"a\n"})
    brought = repo.commit({FILE: b"a\n", b"mm/new.c": numbered(5)}, b"bring it\n")
    fix = repo.commit({FILE: b"a\n", b"mm/new.c": numbered(5, l3=b"x")}, b"fix it\n")
    found = asked(repo, fix, base, tmp_path)
    assert found.verdict is Verdict.NOT_APPLICABLE
    assert [(c.commit, c.role) for c in found.candidates] == [(brought, Role.FILE)]
    assert found.best is not None
    assert [pick.commit for pick in found.best.picks] == [brought]


def test_a_rename_is_told_as_incidental_and_as_lines_to_adapt(repo: Repo, tmp_path: Path) -> None:
    base, _rename, fix = history_of(repo, b"f(old, 1);\n", b"f(new, 1);\n", b"f(new, 2);\n")
    found = asked(repo, fix, base, tmp_path)
    assert found.candidates[0].incidental == "only renames (old to new)"
    by_hand = next(plan for plan in found.plans if not plan.picks)
    (adapt,) = by_hand.adapt
    assert (adapt.target, adapt.removes, adapt.adds, adapt.lines) == (b"f(old, 1);\n", b"f(new, 1);\n", b"f(new, 2);\n", 1)
    assert not by_hand.complete


def test_lines_of_the_targets_own_have_no_prerequisite(repo: Repo, tmp_path: Path) -> None:
    base, fix = history_of(repo, numbered(9), numbered(9, l5=b"fixed"))
    own = repo.on(base, {FILE: numbered(9, l5=b"own")}, b"of the distribution\n")
    found = asked(repo, fix, own, tmp_path)
    assert found.candidates == ()
    assert found.best is None
    assert [plan.picks for plan in found.plans] == [()]


def test_a_merge_is_no_candidate(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({FILE: numbered(9)})
    left = repo.on(base, {FILE: numbered(9, l2=b"left")}, b"left\n")
    right = repo.on(base, {FILE: numbered(9, l8=b"right")}, b"right\n")
    evil = repo.commit({FILE: numbered(9, l2=b"left", l5=b"evil", l8=b"right")}, b"merge\n", parents=[left, right])
    repo.files[evil] = {FILE: numbered(9, l2=b"left", l5=b"evil", l8=b"right")}
    fix = repo.on(evil, {FILE: numbered(9, l2=b"left", l5=b"fixed", l8=b"right")}, b"fix\n")
    found = asked(repo, fix, base, tmp_path)
    assert evil not in [c.commit for c in found.candidates]
    assert found.best is None


def test_too_long_a_chain_is_given_up_and_said(repo: Repo, tmp_path: Path) -> None:
    steps = history_of(repo, *(numbered(9, l5=b"step %d" % i) for i in range(30)))
    found = asked(repo, steps[-1], steps[0], tmp_path)
    assert found.best is None
    assert [skipped.what for skipped in found.skipped] == ["a longer plan"]
