"""Arguments that a commit dropped from all calls: put back in a call that the target would not take."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.git.clone import open_clone
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.cause import Cause
from backport.replay.mined_calls import MinedArgument, dropped, with_arguments
from backport.replay.rules.lines import Hunk
from backport.replay.situation import Library
from tests.gitrepo import Repo

CALLS = b"int f(void)\n{\n\ttell(a, 1, NULL);\n\treturn g(tell(b(c, d),\n\t\t2, NULL));\n}\n"
BEFORE = b"void tell(struct s *s, int how, void *more);\n" + CALLS
AFTER = BEFORE.replace(b", NULL", b"").replace(b", void *more", b"")
CAUSE = Cause("c" * 40, "subject", "")


def mined(repo: Repo, before: bytes, after: bytes, tmp_path: Path) -> MinedArgument | None:
    base = repo.commit({b"f.c": before}, b"base\n")
    commit = repo.on(base, {b"f.c": after}, b"drop it\n")
    with Store(tmp_path / "store", [open_clone(repo.path).objects]) as store:
        return dropped(b"tell", Cause(commit, "drop it", ""), Library(store, Trees(store), History(store)))


def test_what_all_calls_lost(repo: Repo, tmp_path: Path) -> None:
    found = mined(repo, BEFORE, AFTER, tmp_path)
    assert found is not None
    assert (found.at, found.text, found.shown) == (2, b"NULL", 2)


def test_a_name_that_is_spelt_out_is_the_function_that_calls(repo: Repo, tmp_path: Path) -> None:
    before = b'int f(void)\n{\n\ttell(a, __func__, "one");\n\ttell(a, "f", "two " "three");\n}\n'
    found = mined(repo, before, b'int f(void)\n{\n\ttell(a, "one");\n\ttell(a, "two three");\n}\n', tmp_path)
    assert found is not None
    assert (found.at, found.text) == (1, b"__func__")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(BEFORE.replace(b"2, NULL", b"2, 0"), AFTER, id="not the same everywhere"),
        pytest.param(BEFORE.replace(b"NULL", b"other"), AFTER, id="no constant"),
        pytest.param(BEFORE, AFTER.replace(b"tell(a, 1)", b"tell(z, 1)"), id="another one was changed too"),
        pytest.param(BEFORE, AFTER.replace(b"\ttell(a, 1);\n", b""), id="a call went"),
        pytest.param(BEFORE, BEFORE + b"int x;\n", id="nothing was lost"),
    ],
)
def test_what_is_not_plain_is_nothing(repo: Repo, tmp_path: Path, before: bytes, after: bytes) -> None:
    assert mined(repo, before, after, tmp_path) is None


def test_it_is_put_back_in_the_calls_on_changed_lines_alone() -> None:
    text = b"{\n\ttell(a, 1);\n\ttell(b(c, d),\n\t\t2);\n\ttell();\n"
    last, first = MinedArgument(b"tell", 2, b"NULL", 2, CAUSE), MinedArgument(b"tell", 0, b"NULL", 2, CAUSE)
    assert with_arguments(text, [Hunk(0, 0, 2, 4)], [last]) == text.replace(b"2);", b"2, NULL);")
    assert with_arguments(text, [Hunk(0, 0, 1, 2)], [first]) == text.replace(b"tell(a", b"tell(NULL, a")
