"""Whether a tree has a change that does not apply."""

from __future__ import annotations

from backport.git.diff import Hunk
from backport.replay.followups.content import has

PATH = b"a.c"
ADDED = (b"\tfirst_added_line();", b"\tsecond_added_line();", b"\tthird_added_line();", b"\tfourth_added_line();")
REMOVED = (b"\tthe_old_way_of_it();", b"\tthe_other_old_way();")


def there(text: bytes | None, removed: tuple[bytes, ...] = REMOVED, added: tuple[bytes, ...] = ADDED) -> bool:
    return has([Hunk(PATH, 1, removed, 1, added)], lambda path: text if path == PATH else None)


def test_most_of_its_lines_and_few_of_those_it_removes() -> None:
    assert there(b"\n".join(ADDED))
    assert there(b"\n".join([*ADDED[:3], REMOVED[0]]))
    assert not there(b"\n".join(ADDED[:2]))
    assert not there(b"\n".join([*ADDED, *REMOVED]))


def test_a_change_that_only_removes() -> None:
    assert there(b"something else", added=())
    assert not there(REMOVED[0], added=())


def test_a_file_that_is_not_there_has_no_addition() -> None:
    assert not there(None)


def test_moved_and_short_lines_say_nothing() -> None:
    assert not there(b"}\n", (b"}",), (b"{",))
    assert not there(ADDED[0], ADDED, ADDED)
