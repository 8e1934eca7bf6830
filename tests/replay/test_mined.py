"""Names that the history between changed: put back where a commit shows what they were, and only there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from backport.model.finding import Finding, Level
from backport.model.series import Patch
from backport.replay.policy import Policy
from tests.gitrepo import Repo, replayed

PATH = b"drivers/x.c"


def driver(name: bytes, *more: bytes, uses: int = 3) -> bytes:
    """A driver that says `name` some times, with `more` lines at its end."""
    lines = [
        b"int %s(int port);" % name,
        *(b"int port_%d(void)\n{\n\treturn %s(%d);\n}\n" % (i, name, i) for i in range(uses)),
        *more,
    ]
    return b"\n".join(lines) + b"\n"


ADDED = b"int port_last(void)\n{\n\treturn %s(9);\n}\n"


@dataclass
class Missing:
    """A guard that misses a name as long as the patch has upstream's own blob; afterwards it agrees."""

    upstream: str
    symbol: str = "dev_open"
    kind: str = "absent-symbol"

    def findings(self, patch: Patch, tree: str) -> Sequence[Finding]:
        new = patch.changes[0].new
        if new is None or new.oid != self.upstream:
            return ()
        return (Finding(Level.ERROR, self.kind, self.symbol, patch.commit, PATH, 1),)

    def accept(self, patch: Patch) -> None:
        """Nothing changes."""


def history(repo: Repo, before: bytes, renamed: bytes, patched: bytes, target: bytes = b"") -> tuple[str, str, str, Missing]:
    """Target, patch and base, and the guard: upstream renames between the base and the patch."""
    base = repo.commit({PATH: before}, b"base\n")
    onto = repo.on(base, {PATH: target or before, b"other": b"1\n"}, b"target\n")
    middle = repo.on(base, {PATH: renamed}, b"Rename it\n")
    patch = repo.on(middle, {PATH: patched}, b"patch\n")
    return onto, patch, base, Missing(repo.git("rev-parse", f"{patch}:{PATH.decode()}").decode().strip())


def test_a_name_that_a_commit_between_made_is_put_back(repo: Repo, tmp_path: Path) -> None:
    cases = history(repo, driver(b"open"), driver(b"dev_open"), driver(b"dev_open", ADDED % b"dev_open"))
    onto, patch, base, guard = cases
    with replayed(repo, [patch], onto, tmp_path / "store", base, guard=guard) as session:
        (outcome,) = session.outcomes
        assert session.verdicts == ["resolved"]
        assert session.git("cat-file", "blob", f"{outcome.tree}:{PATH.decode()}") == driver(b"open", ADDED % b"open")
        (file,) = outcome.files
        assert (file.rule, file.theirs and file.theirs.oid) == ("mined", guard.upstream)
        (told,) = [item for item in file.evidence if item.rule == "mined"]
        assert told.why.startswith("dev_open was open before ")
        assert [cause.subject for cause in told.causes] == ["Rename it"]
        (finding,) = session.replayed.findings
        assert (finding.symbol, finding.blocks) == ("dev_open", False)
        assert finding.accepted == f"put back by the rule mined: {told.why}"


def test_a_name_that_was_shown_once_is_a_suggestion(repo: Repo, tmp_path: Path) -> None:
    renamed = driver(b"open").replace(b"return open(1)", b"return dev_open(1)")
    onto, patch, base, guard = history(repo, driver(b"open"), renamed, renamed + ADDED % b"dev_open")
    with replayed(repo, [patch], onto, tmp_path / "store", base, guard=guard) as session:
        (outcome,) = session.outcomes
        assert session.verdicts == ["suspect"]
        assert [told.rules for told in outcome.suggestions] == [("mined",), ("3-way",)]
        assert outcome.suggestions[0].doubts == ()
    with replayed(repo, [patch], onto, tmp_path / "again", base, guard=guard, policy=Policy(accept=True)) as session:
        assert session.verdicts == ["suggested"]


@pytest.mark.parametrize(
    "renamed",
    [
        pytest.param(driver(b"dev_open").replace(b"dev_open(1)", b"dev_open(1) + 1"), id="more than the name was changed"),
        pytest.param(driver(b"dev_open").replace(b"int dev_open(", b"int open("), id="the name is not the only one"),
    ],
)
def test_what_is_no_rename_is_left_to_a_person(repo: Repo, tmp_path: Path, renamed: bytes) -> None:
    before = driver(b"open").replace(b"return open(2)", b"return shut(2)") if b"int open(" in renamed else driver(b"open")
    onto, patch, base, guard = history(repo, before, renamed, renamed + ADDED % b"dev_open")
    with replayed(repo, [patch], onto, tmp_path / "store", base, guard=guard) as session:
        assert session.verdicts == ["suspect"]
        assert [told.rules for told in session.outcomes[0].suggestions] == [("3-way",)]


def test_a_member_is_put_back_behind_an_arrow_alone(repo: Repo, tmp_path: Path) -> None:
    before = b"struct s {\n\tint shadow;\n};\n\nvoid f(struct s *s, int efer)\n{\n\ts->shadow = 1;\n\tg(s->shadow);\n\th();\n}\n"
    renamed = before.replace(b"shadow", b"efer")
    patched = renamed.replace(b"\th();\n", b"\th();\n\tif (s->efer == efer)\n\t\treturn;\n")
    onto, patch, base, guard = history(repo, before, renamed, patched)
    guard.symbol, guard.kind = "efer", "absent-member"
    with replayed(repo, [patch], onto, tmp_path / "store", base, guard=guard) as session:
        (outcome,) = session.outcomes
        assert session.verdicts == ["resolved"]
        assert b"\tif (s->shadow == efer)\n" in session.git("cat-file", "blob", f"{outcome.tree}:{PATH.decode()}")


def test_a_name_that_came_beside_the_old_one_is_a_suggestion(repo: Repo, tmp_path: Path) -> None:
    """69df9d5993bd: dev_get_by_index_rcu() was put for __dev_get_by_index(), which is still there and needs another lock."""
    beside = driver(b"dev_open").replace(b"int dev_open(int port);", b"int open(int port);\nint dev_open(int port);")
    onto, patch, base, guard = history(repo, driver(b"open"), beside, beside + ADDED % b"dev_open")
    with replayed(repo, [patch], onto, tmp_path / "store", base, guard=guard) as session:
        assert [told.rules for told in session.outcomes[0].suggestions][:1] == [("mined",)]
        assert session.outcomes[0].verdict.needs_person


def test_a_word_that_nothing_declared_is_a_suggestion(repo: Repo, tmp_path: Path) -> None:
    """3c77f8457221: MM_ANONPAGES is put where anon_rss was, which a macro pasted into the name of a member."""
    renamed = driver(b"RSS_ANON").replace(b"int RSS_ANON(int port);", b"enum { RSS_ANON };")
    before = driver(b"anon").replace(b"int anon(int port);", b"int _anon;")
    onto, patch, base, guard = history(repo, before, renamed, renamed + ADDED % b"RSS_ANON")
    guard.symbol = "RSS_ANON"
    with replayed(repo, [patch], onto, tmp_path / "store", base, guard=guard) as session:
        assert session.verdicts == ["suspect"]
        assert session.outcomes[0].suggestions[0].rules == ("mined",)
