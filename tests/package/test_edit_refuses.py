"""Specs that cannot be edited safely: each is refused with the reason and the place, and everything is left as it was."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from backport.model.definition import ConfigValue
from backport.model.errors import InputError, MissingToolError
from backport.package import blocks, document, foreign, verify
from backport.package.plan import Packager, PatchFile
from tests.package.examples import needs_rpm
from tests.package.specs import MAIL, TWO, added, change, contents, folder, take_in, take_out
from tests.package.test_escape import INJECTIONS


def altered(where: Path, old: bytes, new: bytes, name: str = "f12") -> Path:
    spec = folder(name, where)
    data = spec.read_bytes()
    assert old in data
    spec.write_bytes(data.replace(old, new, 1))
    return spec


def refused(spec: Path, complaint: str, **more: object) -> InputError:
    before = contents(spec.parent)
    with pytest.raises(InputError, match=complaint) as caught:
        take_in(spec, change(**more))
    assert contents(spec.parent) == before
    return caught.value


TWICE = {
    "end-of-applications": (b"# END OF PATCH APPLICATIONS\n", "2 candidates for line `# END OF PATCH APPLICATIONS`: line \\d+"),
    "changelog": (b"%changelog\n", "2 candidates for %changelog: line \\d+: %changelog; line"),
    "buildid": (b"# % define buildid .local\n", "2 candidates for line that offers a buildid"),
    "nopatches": (
        b"%if !%{nopatches}\n\n# First things\nPatch09: mini-upstream-reverts.patch\n%endif\n",
        "2 candidates for %endif of the `%if !%{nopatches}` that declares patches: line \\d+: %endif",
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_two_candidates_for_an_anchor(name: str, tmp_path: Path) -> None:
    line, complaint = TWICE[name]
    first = line.split(b"\n")[0] + b"\n"
    refused(altered(tmp_path, first, line + first if name != "nopatches" else line + b"\n" + first), complaint)


def test_no_changelog(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    spec.write_bytes(spec.read_bytes().partition(b"%changelog")[0])
    refused(spec, "the spec has no %changelog")


def test_no_place_for_a_buildid(tmp_path: Path) -> None:
    refused(altered(tmp_path, b"# % define buildid .local\n", b""), "no line that offers a buildid")


@pytest.mark.parametrize("kept", [0.3, 0.45, 0.6])
def test_cut_off_inside_an_if(kept: float, tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    data = spec.read_bytes()
    spec.write_bytes(data[: int(len(data) * kept)])
    refused(spec, "cut off|none of the known ways|the spec has no")


def test_cut_off_inside_a_macro(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    data = spec.read_bytes()
    spec.write_bytes(data[: data.index(b"%{nil}\n")])
    refused(spec, "begins in line \\d+ does not end: the spec is cut off")


def test_thirty_megabytes(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    spec.write_bytes(spec.read_bytes() + b"- x\n" * 7_500_000)
    refused(spec, "the spec is 30 MB long")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [(b"", "none of the known ways"), (b"\0\1\2", "NUL byte"), (b"\x7fELF" * 10, "known ways"), (b"%endif\n", "has no %if")],
)
def test_no_spec_at_all(data: bytes, complaint: str, tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    spec.write_bytes(data)
    refused(spec, complaint)


def test_an_unknown_dialect_says_what_each_would_want(tmp_path: Path) -> None:
    spec = altered(tmp_path, b"%autosetup -n linux-6.1.5 -p1", b"%setup -q", "autosetup")
    said = str(refused(spec, "none of the known ways"))
    assert all(
        part in said for part in ("f12 (no function ApplyPatch", "ark (no `Patch999999", "autosetup (neither", "patch-P (no")
    )


def test_autosetup_that_strips_nothing(tmp_path: Path) -> None:
    refused(altered(tmp_path, b" -p1", b" -p0", "autosetup"), "does not apply patches with -p1")


def test_anchors_under_different_conditions(tmp_path: Path) -> None:
    spec = altered(tmp_path, b"# END OF PATCH APPLICATIONS\n\n%endif", b"%endif\n# END OF PATCH APPLICATIONS\n\n")
    refused(
        spec, "declared and applied under different conditions: line \\d+ \\(in %if !%{nopatches}\\) and line \\d+ \\(in no %if"
    )


@pytest.mark.parametrize("line", [b"Patch%{next}: x.patch", b"%{?fedora:Patch%{next}: x.patch}", b"%define p() Patch%{1}: %{2}"])
def test_patch_numbers_made_by_a_macro(line: bytes, tmp_path: Path) -> None:
    refused(altered(tmp_path, b"Patch09:", line + b"\nPatch09:"), "number of a patch is made by a macro in line \\d+")


@pytest.mark.parametrize(
    "line", [b"%{?with_x:Patch14465: x.patch}", b"%if 0\nPatch14465: x.patch\n%endif", b"patch14465:x.patch"]
)
def test_patch_numbers_that_are_taken(line: bytes, tmp_path: Path) -> None:
    made = take_in(altered(tmp_path, b"Patch09:", line + b"\nPatch09:"))
    assert "Patch14466: linux-2.6-ksm.patch" in added(made)


def test_no_numbers_are_free(tmp_path: Path) -> None:
    refused(altered(tmp_path, b"Patch14464:", b"Patch999998:"), "no patch numbers are free")


@pytest.mark.parametrize(
    "line", [b"Patch1550: linux-2.6-ksm.patch", b"Patch1550:linux-2.6-ksm.patch ", b"patch1550: linux-2.6-ksm.patch"]
)
def test_the_series_is_in_the_spec_by_another_hand(line: bytes, tmp_path: Path) -> None:
    spec = altered(tmp_path, b"Patch1550: mini-first.patch", line)
    assert (
        "Patch1550" in str(refused(spec, "has the patch already, and not from backport: line \\d+").what) or b"patch1550" in line
    )


def test_a_patch_file_of_that_name_is_there(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    (spec.parent / "linux-2.6-ksm.patch").write_bytes(b"somebody else's")
    refused(spec, "a file of that name is there already")


@pytest.mark.parametrize("name", ["f12", "ark", "autosetup", "patch-p"])
def test_crlf_is_kept(name: str, tmp_path: Path) -> None:
    spec = folder(name, tmp_path)
    spec.write_bytes(spec.read_bytes().replace(b"\n", b"\r\n"))
    before = contents(spec.parent)
    take_in(spec)
    assert spec.read_bytes().count(b"\n") == spec.read_bytes().count(b"\r\n")
    assert not take_in(spec).changed
    take_out(spec)
    assert contents(spec.parent) == before


def test_mixed_line_ends(tmp_path: Path) -> None:
    refused(
        altered(tmp_path, b"Summary: The Linux kernel\n", b"Summary: The Linux kernel\r\n"),
        "mixes line ends: line 2 ends in CR LF",
    )


def test_latin_1_is_kept(tmp_path: Path) -> None:
    spec = altered(tmp_path, b"John Roe", b"J\xf6rg Roe")
    before = contents(spec.parent)
    take_in(spec, change(packager=Packager("Zoé Ö", "zoe@example.org")))
    assert b"J\xf6rg Roe" in spec.read_bytes()
    assert b"Zo\xe9 \xd6 <zoe@example.org>" in spec.read_bytes()
    take_out(spec)
    assert contents(spec.parent) == before
    refused(spec, "latin-1 has no '山'", packager=Packager("山田", "y@example.org"))


@pytest.mark.parametrize("name", ["config-generic", "config-x86-generic", "config-i686-PAE"])
@pytest.mark.parametrize("line", [b"# CONFIG_KSM is not set\n", b"CONFIG_KSM=m\n"])
def test_a_config_file_says_the_opposite(name: str, line: bytes, tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    (spec.parent / name).write_bytes(b"CONFIG_A=y\n" + line)
    error = refused(spec, "the series asks for y")
    assert error.where == f"{name}:2"


def test_a_config_file_says_it_already(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    (spec.parent / "config-generic").write_bytes(b"CONFIG_KSM=y\n")
    take_in(spec)
    assert (spec.parent / "config-generic").read_bytes() == b"CONFIG_KSM=y\n"


def test_a_config_file_without_a_last_line_end(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    (spec.parent / "config-generic").write_bytes(b"CONFIG_A=y\nCONFIG_B=y")
    before = contents(spec.parent)
    take_in(spec)
    assert (spec.parent / "config-generic").read_bytes().endswith(b"# end backport ksm\nCONFIG_B=y")
    take_out(spec)
    assert contents(spec.parent) == before


def test_no_config_file(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    (spec.parent / "config-generic").unlink()
    refused(spec, "has no config-generic")


@pytest.mark.parametrize("name", ["f12", "ark"])
def test_a_new_symbol_that_nobody_answers(name: str, tmp_path: Path) -> None:
    refused(folder(name, tmp_path), "the patches bring CONFIG_KSM, which nobody gives a value", config=())


def test_kernel_ark_has_one_file_a_symbol(tmp_path: Path) -> None:
    spec = folder("ark", tmp_path)
    (spec.parent / "configs" / "fedora" / "generic").mkdir(parents=True)
    refused(spec, "the patches bring CONFIG_KSM, which nobody gives a value", config=())
    before = contents(spec.parent)
    take_in(spec)
    assert b"\nCONFIG_KSM=y\n" in (spec.parent / "configs" / "fedora" / "generic" / "CONFIG_KSM").read_bytes()
    assert not take_in(spec).files
    take_out(spec)
    assert contents(spec.parent) == before
    (spec.parent / "configs" / "common").mkdir()
    (spec.parent / "configs" / "common" / "CONFIG_KSM").write_bytes(b"# CONFIG_KSM is not set\n")
    refused(spec, "the file says # CONFIG_KSM is not set")


@pytest.mark.parametrize(
    "change_by",
    [
        lambda data: data.replace(b"ApplyPatch linux-2.6-ksm.patch", b"ApplyPatch linux-2.6-ksm.patch -R"),
        lambda data: data.replace(b"ksm-kvm.patch\n# end", b"ksm-kvm.patch\nPatch14467: mine.patch\n# end"),
        lambda data: data.replace(b"# end backport ksm\n", b"", 1),
    ],
    ids=["altered", "added-to", "end-lost"],
)  # fmt: skip
def test_lines_of_ours_that_a_person_changed(change_by: Callable[[bytes], bytes], tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    take_in(spec)
    spec.write_bytes(change_by(spec.read_bytes()))
    error = refused(spec, "changed by hand, and would be lost|begin here and do not end")
    assert re.search(r"kernel.spec:\d+$", error.where)
    before = contents(spec.parent)
    with pytest.raises(InputError):
        take_out(spec)
    assert contents(spec.parent) == before


def test_a_patch_file_of_ours_that_a_person_changed(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    take_in(spec)
    (spec.parent / TWO[0].name).write_bytes(b"mended by hand")
    refused(spec, "a file of that name is there already, with other content")
    made = take_out(spec)
    assert (spec.parent / TWO[0].name).read_bytes() == b"mended by hand"
    assert "left alone" in made.remarks[0]


@pytest.mark.parametrize("name", ["kernel.spec", "config-generic", "linux-2.6-ksm.patch"])
def test_a_link_is_not_followed(name: str, tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    outside = tmp_path / "outside"
    outside.write_bytes((spec.parent / name).read_bytes() if (spec.parent / name).exists() else TWO[0].data)
    before = outside.read_bytes()
    (spec.parent / name).unlink(missing_ok=True)
    (spec.parent / name).symlink_to(outside)
    refused(spec, "is a link")
    assert outside.read_bytes() == before


def test_a_spec_of_another_name_is_warned_of(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    other = spec.rename(spec.with_name("mine.spec"))
    assert take_in(other).remarks == (
        "ApplyPatch looks the patches up in kernel.spec: the spec must be called so when it is built",
    )


def test_nothing_of_ours_to_take_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing that backport wrote for ksm"):
        take_out(folder("f12", tmp_path))


@needs_rpm
def test_hostile_subjects_are_only_text(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    canary = tmp_path / "CANARY"
    texts = tuple(text.replace("CANARY", str(canary)) for text in INJECTIONS)
    files = tuple(PatchFile(f"p{n}.patch", MAIL.format(title="x", symbol="KSM").encode()) for n in range(len(texts)))
    made = take_in(spec, change(patches=files, entries=texts))
    said = verify.confirm(document.read(spec), spec.parent)
    assert "3 older changelog entries, all still there" in said[2]
    assert not canary.exists()
    assert made.changed
    take_out(spec)


@pytest.mark.parametrize(
    "more",
    [
        {"packager": Packager("%(touch x)", "a@b")},
        {"packager": Packager("A\n%post", "a@b")},
        {"packager": Packager("A", "a@b> 1-1\n- x")},
        {"buildid": "%{lua:x}"},
        {"series": "a b"},
        {"series": "a\n%post"},
        {"patches": (PatchFile("a+b.patch", b"x" * 20),)},
        {"patches": (PatchFile("%(x).patch", b"x" * 20),)},
        {"patches": ()},
        {"config": (ConfigValue("KSM=y\nCONFIG_X", "y"),)},
        {"evr": "1"},
        {"date": -1, "evr": "1-1%(x)"},
    ],
)
def test_hostile_words_are_refused(more: dict[str, object], tmp_path: Path) -> None:
    refused(folder("f12", tmp_path), ".", **more)


def test_rpm_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = folder("f12", tmp_path)
    take_in(spec)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="rpmspec is not installed"):
        verify.confirm(document.read(spec), spec.parent)


@needs_rpm
def test_a_spec_that_rpm_cannot_read_is_refused_before_anything(tmp_path: Path) -> None:
    spec = altered(tmp_path, b"License: GPLv2\n", b"License: GPLv2\n%{error:broken}\n")
    take_in(spec)
    with pytest.raises(InputError, match=r"with or without backport's lines: .*broken"):
        verify.confirm(document.read(spec), spec.parent)


@needs_rpm
def test_a_trusted_spec_sees_neither_home_nor_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".rpmmacros").write_text("%mine yes\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SECRET", "s3cret")
    probe = b'%global probe %(echo "mine=%{?mine} home=$HOME secret=$SECRET net=$(wc -l < /proc/net/dev)" >&2)\n'
    spec = altered(tmp_path, b"Summary: The", probe + b"Summary: The")
    (reading,) = foreign.read([(spec.read_bytes(), False)], spec.parent)
    said = next(message for message in reading.messages if b"mine=" in message).decode()
    assert said.startswith("mine= home=")
    assert f"home={tmp_path} " not in said
    assert "secret= " in said
    if foreign._offline():
        assert said.endswith("net=3"), "two lines of headings, and lo"


def test_the_command_says_it_and_leaves_the_spec(tmp_path: Path) -> None:
    spec = altered(tmp_path, b"%changelog\n", b"%changelog\n%changelog\n")
    patches = tmp_path / "patches"
    patches.mkdir()
    for patch in TWO:
        (patches / patch.name).write_bytes(patch.data)
    before = contents(spec.parent)
    command = [sys.executable, "-m", "backport", "spec", "edit", str(spec), "--series", "mine", "--patches", str(patches)]
    done = subprocess.run([*command, "--config", "KSM=y", "--in-place"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "2 candidates for %changelog" in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(spec.parent) == before
    assert blocks.find(spec.read_bytes(), "") == []
