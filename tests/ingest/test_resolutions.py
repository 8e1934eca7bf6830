"""Recorded resolutions as text: what is written is read back, whatever bytes a source has; damage is told by file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backport.ingest import resolutions
from backport.model.errors import InputError
from backport.model.recording import Choice, Kind, Recording, conflict_key, file_key, lines_key

OID = "3da0dd433dc399a8c0124d0614d82a09b6a49bce"
odd = st.sampled_from(
    [b"", b"\n", b" x\n", b"\tx\r\n", b">>>>>>> becomes\n", b"\\ No newline at end of part\n", b"--- above\n", b"\xff\xfe", b"x"]
)
text = st.lists(odd, max_size=6).map(b"".join)


def conflict(**parts: bytes) -> Recording:
    sides = {name: parts.get(name, b"") for name in ("ours", "base", "theirs")}
    return Recording(Kind.CONFLICT, conflict_key(**sides), OID, "subject: it", b"mm/a b.c", "f", "v1", "A <a@b>", **parts)


@settings(max_examples=200, deadline=None)
@given(text, text, text, text, text, text)
def test_a_conflict_is_read_back(ours: bytes, base: bytes, theirs: bytes, above: bytes, below: bytes, result: bytes) -> None:
    made = conflict(ours=ours, base=base, theirs=theirs, above=above, below=below, result=result)
    assert resolutions.parse(resolutions.dump(made), "here") == made


@settings(max_examples=100, deadline=None)
@given(text, text, text, text, st.binary(min_size=1, max_size=30).filter(lambda path: b"\0" not in path))
def test_lines_are_read_back_whatever_the_path(above: bytes, ours: bytes, below: bytes, result: bytes, path: bytes) -> None:
    key = lines_key(above, ours, below)
    made = Recording(Kind.LINES, key, OID, "s", path, "", "", "", ours=ours, above=above, below=below, result=result)
    assert resolutions.parse(resolutions.dump(made), "here") == made


@pytest.mark.parametrize("choice", list(Choice))
def test_a_file_is_read_back(choice: Choice) -> None:
    key = file_key("absent", b"f", None, b"old", b"new")
    made = Recording(Kind.FILE, key, OID, "s", b"f", "", "v1", "", result=b"x\n", rule="absent", choice=choice, mode=0o100755)
    assert resolutions.parse(resolutions.dump(made), "here") == made


def test_what_it_becomes_may_be_edited_and_the_conflict_may_not() -> None:
    data = resolutions.dump(conflict(ours=b"a\n", base=b"b\n", theirs=b"c\n", result=b"d\n"))
    assert resolutions.parse(data.replace(b"\n d\n", b"\n e\n"), "here").result == b"e\n"
    with pytest.raises(InputError, match="its key is another"):
        resolutions.parse(data.replace(b"\n a\n", b"\n z\n"), "here")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"backport-resolution/1", b"backport-resolution/9", "this is no resolution"),
        (b" conflict\n", b" poem\n", "this is no resolution"),
        (b"Key: ", b"Kee: ", "needs the headers"),
        (b"Commit: ", b"Commit: x", "needs the headers"),
        (b"\n a\n", b"\na\n", "neither a heading nor begins with a space: 'a'"),
        (b"\n\n", b"\n", "this is no resolution"),
    ],
)
def test_damage_is_told_with_the_file(old: bytes, new: bytes, said: str, tmp_path: Path) -> None:
    data = resolutions.dump(conflict(ours=b"a\n", base=b"b\n", theirs=b"c\n", result=b"d\n"))
    (tmp_path / "x.resolution").write_bytes(data.replace(old, new, 1))
    with pytest.raises(InputError, match=said) as caught:
        resolutions.load(tmp_path)
    assert caught.value.where == str(tmp_path / "x.resolution")


def test_a_decision_taken_again_replaces_its_file(tmp_path: Path) -> None:
    one, two = (conflict(ours=b"a\n", base=b"b\n", theirs=b"c\n", result=result) for result in (b"1\n", b"2\n"))
    resolutions.write(tmp_path, [one])
    resolutions.write(tmp_path, [two])
    assert resolutions.load(tmp_path) == (two,)
