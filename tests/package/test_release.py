"""The release, raised as each era counts it, told by rpm, and put back byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.model.errors import InputError
from backport.package import document, edit, verify
from backport.package.plan import PatchFile
from tests.package.examples import needs_rpm
from tests.package.specs import TWO, added, change, contents, folder, take_in, take_out

NEXT = {"f12": "2.6.31.6-15.ksm", "ark": "6.1.5-201.ksm", "autosetup": "6.1.5-4", "patch-p": "5.10-8"}
ONE = {"patches": TWO[:1], "entries": ("Add KSM support",)}


def altered(where: Path, name: str, old: bytes, new: bytes) -> Path:
    spec = folder(name, where)
    data = spec.read_bytes()
    assert old in data
    spec.write_bytes(data.replace(old, new))
    return spec


def release(spec: Path, **more: object) -> str:
    """The release that the newest changelog header has after an edit with --bump."""
    take_in(spec, change(bump=True, **more))
    header = next(line for line in spec.read_text().splitlines() if line.startswith("* "))
    return header.rpartition("-")[2].strip("]").removesuffix(".ksm")


@needs_rpm
@pytest.mark.parametrize("name", NEXT)
def test_rpm_reads_the_next_release(name: str, tmp_path: Path) -> None:
    spec = folder(name, tmp_path)
    before = contents(spec.parent)
    assert take_in(spec, change(bump=True, own_lines=True)).changed
    said = verify.confirm(document.read(spec), spec.parent)
    assert f"-{NEXT[name]}, the release raised from" in said[1]
    assert not take_in(spec, change(bump=True, own_lines=True)).changed
    take_out(spec)
    assert contents(spec.parent) == before


def test_the_changelog_says_it_as_the_spec_does(tmp_path: Path) -> None:
    assert added(take_in(folder("f12", tmp_path), change(bump=True)))[-5].endswith("<kim@example.org> 2.6.31.6-15.ksm")


def test_without_it_the_release_stays(tmp_path: Path) -> None:
    assert not [line for line in added(take_in(folder("f12", tmp_path))) if "fedora_build" in line]


def test_taken_back_it_is_as_if_it_had_not_been_asked_for(tmp_path: Path) -> None:
    spec = folder("autosetup", tmp_path)
    take_in(spec)
    plain = spec.read_bytes()
    take_in(spec, change(bump=True))
    take_in(spec)
    assert spec.read_bytes() == plain


def test_other_patches_are_another_release(tmp_path: Path) -> None:
    spec = folder("patch-p", tmp_path)
    assert [release(spec), release(spec), release(spec, **ONE), release(spec, **ONE)] == ["8", "8", "9", "9"]


def test_a_spec_that_went_on_is_followed(tmp_path: Path) -> None:
    spec = folder("patch-p", tmp_path)
    assert release(spec) == "8"
    spec.write_bytes(spec.read_bytes().replace(b"\nRelease: 7%", b"\nRelease: 12%"))
    assert release(spec, **ONE) == "13"


@pytest.mark.parametrize(
    ("name", "old", "new", "wanted"),
    [
        ("f12", b"$Revision: 1.1800 $", b"$Revision: 1.1800.1.4 $", "14.1.5"),
        ("ark", b"specrelease 200%", b"specrelease 0.rc2.20230307git8ca09d5fa354.24%", "0.rc2.20230307git8ca09d5fa354.25"),
        ("autosetup", b"Release: 3%{?buildid}", b"%global baserelease 300\nRelease: %{baserelease}%{?buildid}", "301"),
        ("autosetup", b"Release: 3%{?buildid}%{?dist}", b"Release:\t0.rc1.9", "0.rc1.10"),
    ],
    ids=["cvs-branch", "candidate", "baserelease", "plain"],
)
def test_the_number_is_found(name: str, old: bytes, new: bytes, wanted: str, tmp_path: Path) -> None:
    spec = altered(tmp_path, name, old, new)
    before = spec.read_bytes()
    assert release(spec, own_lines=True) == wanted
    take_out(spec)
    assert spec.read_bytes() == before


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (b"Release: %{my_release}", "not a number that can be raised"),
        (b"%define baserelease 1\n%define baserelease 2\nRelease: %{baserelease}", "2 candidates for definition of baserelease"),
        (b"%if 1\nRelease: 3\n%else\nRelease: 4\n%endif", "no Release outside of every %if"),
    ],
    ids=["macro", "two", "in-if"],
)
def test_a_release_that_cannot_be_told_is_refused(new: bytes, said: str, tmp_path: Path) -> None:
    spec = altered(tmp_path, "autosetup", b"Release: 3%{?buildid}%{?dist}", new)
    before = contents(spec.parent)
    with pytest.raises(InputError, match=said):
        take_in(spec, change(bump=True))
    assert contents(spec.parent) == before


def test_a_second_series_does_not_raise_it_again(tmp_path: Path) -> None:
    spec = folder("autosetup", tmp_path)
    take_in(spec, change(bump=True))
    with pytest.raises(InputError, match="ksm raised the release already, from 3 to 4"):
        edit.edit(
            document.read(spec),
            change(series="other", bump=True, patches=(PatchFile("other.patch", TWO[0].data),), entries=("x",)),
            spec.parent,
        )


@needs_rpm
def test_a_baserelease_behind_a_candidates_number(tmp_path: Path) -> None:
    """Fedora 4.10: `pkg_release 0%{?rctag}%{?gittag}.%{fedora_build}`."""
    new = b"%global baserelease 1\nRelease: 0.rc4.git0.%{baserelease}"
    spec = altered(tmp_path, "autosetup", b"Release: 3%{?buildid}%{?dist}", new)
    take_in(spec, change(bump=True))
    assert "-0.rc4.git0.2, the release raised from 1" in verify.confirm(document.read(spec), spec.parent)[1]
