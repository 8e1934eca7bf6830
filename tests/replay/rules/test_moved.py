"""Code that stands elsewhere in the target, and features that it does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.git.clone import open_clone
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.series import Entry, FileChange, Patch
from backport.replay.rules.ladder import attempt
from backport.replay.rules.moved import moved
from backport.replay.rules.unneeded import unneeded
from backport.replay.situation import Answers, Library, Resolution, Situation
from tests.gitrepo import FILE, Files, Repo
from tests.replay.rules.ask import ask, text

HEAD = b"#include <x.h>\n\n"
START = b"""static int start(struct s *s)
{
	int err = 0;

	lock_it(s, err);
	s->state = next_state(1);
	unlock_it(s, err);
	return err;
}

"""
STOP = b"static void stop(struct s *s)\n{\n\tstruct t *t = s->t;\n\n\tfree_one(t);\n\tfree_other(t);\n\ts->t = 0;\n}\n\n"
SHOW = b"static int show(struct s *s)\n{\n\tint n;\n\n\tfor (n = 0; n < 8; n++)\n\t\tprint(s, n);\n\treturn 0;\n}\n\n"
FIXED = START.replace(b"next_state(1)", b"next_state(2)")


class World:
    """A target tree in a repository, and questions about one file of a patch."""

    def __init__(self, repo: Repo, scratch: Path, files: Files) -> None:
        self.repo, self.tree = repo, repo.tree(files)
        store = Store(scratch, [open_clone(repo.path).objects])
        self.library = Library(store, Trees(store), History(store))
        self.files = files

    def ask(
        self, path: bytes, base: bytes, theirs: bytes, other: bytes = b"", upstream: Files | None = None, whole: bytes = b""
    ) -> Situation:
        """A file of a patch that changes an `other` as well; `upstream` is the tree before, `whole` the file after all of it."""
        old, new = (Entry(FILE, self.library.store.write("blob", text)) for text in (base, whole or theirs))
        change = FileChange("M", path, path, old, new)
        more = (FileChange("M", other, other, Entry(FILE, "1" * 40), Entry(FILE, "3" * 40)),) if other else ()
        before = self.repo.tree(upstream or {path: base})
        patch = Patch("1" * 40, "2" * 40, "3" * 40, before, b"", b"", b"", b"subject\n", (change, *more))
        ours = self.files.get(path)
        assert ours is None or isinstance(ours, bytes)
        return Situation(patch, change, path, self.tree, "", base, ours, theirs, (), self.library)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "store.git"


def first(answers: Answers) -> Resolution:
    assert answers.found
    return answers.found[0]


def test_the_function_is_further_down_in_the_file() -> None:
    base, ours = HEAD + START + STOP + SHOW, HEAD + STOP + SHOW + START
    found = ask(moved, base, ours, HEAD + FIXED + STOP + SHOW)
    assert text(found) == HEAD + STOP + SHOW + FIXED
    assert found is not None
    assert found.evidence[0].line == ours[: ours.index(b"\ts->state")].count(b"\n") + 1


def test_the_function_is_in_another_file_of_the_folder(repo: Repo, scratch: Path) -> None:
    world = World(repo, scratch, {b"drivers/a/core.c": HEAD + STOP, b"drivers/a/main.c": HEAD + SHOW + START})
    asked = world.ask(b"drivers/a/core.c", HEAD + START + STOP, HEAD + FIXED + STOP)
    found = first(attempt(asked))
    assert found.rule == "moved"
    assert found.sure
    assert found.texts == {b"drivers/a/main.c": HEAD + SHOW + FIXED}
    assert found.evidence[0].path == b"drivers/a/main.c"


def test_the_file_is_absent_and_its_function_in_another(repo: Repo, scratch: Path) -> None:
    world = World(repo, scratch, {b"drivers/a/main.c": HEAD + SHOW + START})
    found = first(attempt(world.ask(b"drivers/a/init.c", HEAD + START, HEAD + FIXED)))
    assert found.texts == {b"drivers/a/main.c": HEAD + SHOW + FIXED}


def test_two_files_define_the_function(repo: Repo, scratch: Path) -> None:
    files = {b"drivers/a/pci.c": HEAD + START, b"drivers/a/usb.c": HEAD + SHOW + START}
    asked = World(repo, scratch, files).ask(b"drivers/a/lib.c", HEAD + START, HEAD + FIXED)
    assert moved(asked) is None
    assert not any(answer.sure for answer in attempt(asked).found)


def test_an_empty_function_of_that_name_is_not_it(repo: Repo, scratch: Path) -> None:
    stub = b"#else\nstatic int start(struct s *s)\n{\n\treturn 0;\n}\n#endif\n"
    world = World(repo, scratch, {b"drivers/a/main.c": HEAD + b"#ifdef X\n" + START + stub})
    base, theirs = (HEAD + b"#ifdef X\n" + text + stub for text in (START, FIXED))
    found = first(attempt(world.ask(b"drivers/a/init.c", base, theirs)))
    assert found.texts == {b"drivers/a/main.c": HEAD + b"#ifdef X\n" + FIXED + stub}
    assert found.sure


def test_another_function_of_that_name_is_not_it(repo: Repo, scratch: Path) -> None:
    other = b"static int start(struct s *s)\n{\n\treturn bind(s, 5, 7);\n}\n"
    asked = World(repo, scratch, {b"drivers/a/main.c": HEAD + other}).ask(b"drivers/a/init.c", HEAD + START, HEAD + FIXED)
    assert moved(asked) is None


def test_a_renamed_function_elsewhere_is_the_same_where_upstream_has_none_of_its_name(repo: Repo, scratch: Path) -> None:
    renamed = START.replace(b"int start(", b"int a_start(")
    world = World(repo, scratch, {b"drivers/a/main.c": HEAD + SHOW + renamed})
    found = first(attempt(world.ask(b"drivers/a/init.c", HEAD + START, HEAD + FIXED)))
    assert found.texts == {b"drivers/a/main.c": HEAD + SHOW + FIXED.replace(b"int start(", b"int a_start(")}
    assert found.sure
    both = {b"drivers/a/init.c": HEAD + START, b"drivers/a/main.c": HEAD + renamed}
    assert not first(attempt(world.ask(b"drivers/a/init.c", HEAD + START, HEAD + FIXED, upstream=both))).sure


def test_a_function_that_the_target_lacks_is_left_out_as_a_suggestion(repo: Repo, scratch: Path) -> None:
    world = World(repo, scratch, {b"drivers/a/core.c": HEAD + STOP})
    found = unneeded(world.ask(b"drivers/a/core.c", HEAD + START + STOP, HEAD + FIXED + STOP))
    assert found is not None
    assert not found.sure
    assert found.texts == {b"drivers/a/core.c": HEAD + STOP}
    assert "start" in found.evidence[0].why


MENDED = STOP.replace(b"s->t = 0", b"s->t = NULL")
CARRIED = START.replace(b"s->state = next_state(1)", b"s->t = 0")  # what stop() did, start() does
OTHER = STOP.replace(b"void stop", b"void other")


@pytest.mark.parametrize(
    ("ours", "whole", "sure"),
    [
        (STOP, FIXED + MENDED, True),
        (STOP + START.replace(b"int start", b"int other"), FIXED + MENDED, False),  # the same function under another name
        (STOP.replace(b"free_one(t);", b"s->state = next_state(1);"), FIXED + MENDED, False),  # its lines are elsewhere
        (SHOW, FIXED + MENDED, False),  # nothing is left that the patch mends
        (STOP, CARRIED + MENDED, False),
    ],
)
def test_a_function_of_which_the_target_has_nothing_is_left_out_beside_one_that_is_mended(
    repo: Repo, scratch: Path, ours: bytes, whole: bytes, sure: bool
) -> None:
    path = b"drivers/a/core.c"
    world = World(repo, scratch, {path: HEAD + ours + OTHER})
    theirs, whole = HEAD + whole.replace(MENDED, STOP) + OTHER, HEAD + whole + OTHER
    found = unneeded(world.ask(path, HEAD + START + STOP + OTHER, theirs, whole=whole))
    assert (found is not None and found.sure) == sure


def test_a_function_that_another_folder_has_is_not_left_out_for_sure(repo: Repo, scratch: Path) -> None:
    world = World(repo, scratch, {b"drivers/a/core.c": HEAD + STOP, b"lib/start.c": START})
    found = unneeded(world.ask(b"drivers/a/core.c", HEAD + START + STOP, HEAD + FIXED + STOP, whole=HEAD + FIXED + MENDED))
    assert found is not None
    assert not found.sure


def test_an_absent_file_is_left_out_for_sure_beside_one_that_is_there(repo: Repo, scratch: Path) -> None:
    world = World(repo, scratch, {b"drivers/b/other.c": SHOW})
    found = unneeded(world.ask(b"arch/new/start.c", HEAD + START, HEAD + FIXED, b"drivers/b/other.c"))
    assert found is not None
    assert found.sure
    assert not found.texts
    assert unneeded(world.ask(b"arch/new/start.c", HEAD + START, HEAD + FIXED)) is None


def test_what_is_there_is_not_left_out(repo: Repo, scratch: Path) -> None:
    world = World(repo, scratch, {b"drivers/a/core.c": HEAD + START})
    assert unneeded(world.ask(b"drivers/a/core.c", HEAD + START, HEAD + FIXED)) is None
