"""A link on which the sides differ: the target's may stay, which is recorded like any decision; another cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.model.errors import InputError
from backport.replay.policy import Policy
from tests.gitrepo import LINK, Repo, Session, numbered, replayed
from tests.resolve.person import decided

MINE, WANTED = numbered(9, l5=b"mine"), numbered(9, l5=b"both")


def test_the_targets_link_stays_by_a_recorded_decision(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({b"f": numbered(9), b"l": (LINK, b"f")}, b"base\n")
    onto = repo.on(base, {b"f": MINE, b"l": (LINK, b"mine")}, b"target\n")
    patch = repo.on(base, {b"f": numbered(9, l5=b"theirs"), b"l": (LINK, b"theirs")}, b"patch\n")
    with replayed(repo, [patch], onto, tmp_path / "a", base) as session:
        assert session.verdicts == ["conflict"]
        recordings = decided(session, onto, {b"f": WANTED, b"l": session.trees.entry(onto_tree(session, onto), b"l")})
        with pytest.raises(InputError) as caught:
            decided(session, onto, {b"f": WANTED, b"l": session.series.patches[0].changes[1].new})
        assert "cannot be recorded" in caught.value.what
    with replayed(repo, [patch], onto, tmp_path / "b", base, policy=Policy(recordings=recordings)) as session:
        assert session.verdicts == ["recorded"]
        assert session.git("ls-tree", session.landed[0], "l") == session.git("ls-tree", onto, "l")
        assert session.git("cat-file", "blob", f"{session.landed[0]}:f") == WANTED


def onto_tree(session: Session, onto: str) -> str:
    return str(session.history.commit(onto).tree)
