"""A series in somebody's spec: the lines it brings, and that they go again byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.model.definition import ConfigValue
from backport.model.errors import EnvironmentFailedError, InputError
from backport.package import blocks, checked, document, verify
from backport.package.dialects import DIALECTS, recognise
from backport.package.plan import PatchFile
from tests.package.examples import needs_rpm, plan
from tests.package.specs import BEGIN, DATA, END, MAIL, TWO, added, change, contents, folder, take_in, take_out

NAMES = ("f12", "ark", "autosetup", "patch-p")
B = BEGIN.strip()
UNLESS = "%if !%{nopatches}"
ENTRY = ["- Add KSM support", "- Optimize KVM for KSM support"]


def test_every_dialect_is_recognised_by_its_own_marks() -> None:
    for name in NAMES:
        assert recognise(document.read(DATA / f"spec-{name}" / "kernel.spec")).name == name.replace("-p", "-P")
    assert len(DIALECTS) == len(NAMES) + 1


def test_f12_gets_exactly_what_a_landed_backport_is_made_of(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    assert added(take_in(spec)) == [
        *(B, "%define buildid .ksm", END),
        *(B, "Patch14465: linux-2.6-ksm.patch", "Patch14466: linux-2.6-ksm-kvm.patch", END, ""),
        *(B, "ApplyPatch linux-2.6-ksm.patch", "ApplyPatch linux-2.6-ksm-kvm.patch", END, ""),
        *(B, "* Fri Dec 04 2009 Kim Poe <kim@example.org> 2.6.31.6-14.ksm", *ENTRY, END, ""),
    ]
    text = spec.read_text()
    declared = text.index("Patch14465:")
    assert text.index("%if !%{nopatches}") < text.index("Patch14464:") < declared < text.index("%description")
    assert text.index("ApplyPatch linux-2.6-ksm-kvm.patch") < text.index("# END OF PATCH APPLICATIONS")
    assert {name: (spec.parent / name).read_bytes() for name in (p.name for p in TWO)} == {p.name: p.data for p in TWO}
    assert "CONFIG_KSM=y\n" in (spec.parent / "config-generic").read_text()


def test_ark_leaves_the_spec_alone_but_for_the_buildid(tmp_path: Path) -> None:
    spec = folder("ark", tmp_path)
    assert added(take_in(spec)) == [B, "%define buildid .ksm", END]
    test_patch = (spec.parent / "linux-kernel-test.patch").read_bytes()
    assert TWO[0].data in test_patch
    assert test_patch.index(TWO[0].data) < test_patch.index(TWO[1].data)
    assert "CONFIG_KSM=y\n" in (spec.parent / "kernel-local").read_text()


def test_ark_can_have_lines_of_its_own(tmp_path: Path) -> None:
    spec = folder("ark", tmp_path)
    made = take_in(spec, change(own_lines=True))
    assert added(made) == [
        *(B, "%define buildid .ksm", END),
        *(B, UNLESS, "Patch2: linux-2.6-ksm.patch", "Patch3: linux-2.6-ksm-kvm.patch", "%endif", END, ""),
        *(B, UNLESS, "ApplyOptionalPatch linux-2.6-ksm.patch", "ApplyOptionalPatch linux-2.6-ksm-kvm.patch", "%endif", END, ""),
        *(B, "* Thu Jan 12 2023 Kim Poe <kim@example.org> [6.1.5-200.ksm]", *ENTRY, END, ""),
    ]


def test_autosetup_needs_no_line_that_applies(tmp_path: Path) -> None:
    made = take_in(folder("autosetup", tmp_path))
    assert added(made) == [
        *(B, "Patch3: linux-2.6-ksm.patch", "Patch4: linux-2.6-ksm-kvm.patch", END, ""),
        *(B, "* Thu Jan 12 2023 Kim Poe <kim@example.org> - 6.1.5-3", *ENTRY, END, ""),
    ]
    text = made.after.data.decode()
    assert text.index("%endif") < text.index("Patch3:"), "the series must not hang on somebody's %if"


@needs_rpm
def test_git_am_takes_all_patches_together(tmp_path: Path) -> None:
    """Fedora 24 to 29: everything under `%if !%{nopatches}` goes to one git am, symbols have a file each."""
    spec = folder("ark", tmp_path)
    text = (
        spec.read_text()
        .replace("Patch999999: linux-kernel-test.patch\n", "")
        .replace("%endif\n\n# empty final", "\n# empty final")
    )
    text = text.replace("DEFINITIONS\n", "DEFINITIONS\n%endif\n").replace("ApplyOptionalPatch linux-kernel-test.patch\n", "")
    spec.write_text(text.replace("ApplyOptionalPatch patch-6.1-redhat.patch", "git am %{patches}"))
    (spec.parent / "baseconfig").mkdir()
    (spec.parent / "baseconfig" / "CONFIG_MMU").write_text("CONFIG_MMU=y\n")
    (spec.parent / "build_configs.sh").write_text("")
    before = contents(spec.parent)
    made = take_in(spec)
    assert made.dialect == "autosetup"
    assert added(made)[3:7] == [B, "Patch2: linux-2.6-ksm.patch", "Patch3: linux-2.6-ksm-kvm.patch", END]
    assert b"\nCONFIG_KSM=y\n" in (spec.parent / "baseconfig" / "CONFIG_KSM").read_bytes()
    assert made.remarks == ("kernel-*.config are made of baseconfig/: run build_configs.sh anew",)
    said = verify.confirm(document.read(spec), spec.parent)
    assert "--with vanilla: 0 patches and the same %prep as before" in said
    take_out(spec)
    assert contents(spec.parent) == before


@needs_rpm
def test_fedora_12_as_it_was_at_its_end(tmp_path: Path) -> None:
    """A comment with a line of `=`, a buildid joined to the command line's, an old entry that names the release."""
    spec = folder("f12", tmp_path)
    joined = "%if 0%{?orig_buildid:1}\n%if 0%{?buildid:1}\n%define buildid %{x}\n%else\n%define buildid %{y}\n%endif\n%endif\n"
    text = spec.read_text().replace("# END OF PATCH APPLICATIONS", "# END OF PATCH APPLICATIONS ==========")
    text = text.replace("%define fedora_cvs_origin", f"{joined}%define fedora_cvs_origin", 1)
    spec.write_text(text.replace("\n%changelog\n", "\n%global EVR_NOW %{release}\n%changelog\n") + "- as of %{EVR_NOW}\n")
    before = contents(spec.parent)
    assert added(take_in(spec))[:3] == [B, "%define buildid .ksm", END]
    assert "all still there" in verify.confirm(document.read(spec), spec.parent)[2]
    take_out(spec)
    assert contents(spec.parent) == before


def test_patch_p_applies_by_number_outside_of_every_if(tmp_path: Path) -> None:
    made = take_in(folder("patch-p", tmp_path))
    assert added(made) == [
        *(B, "Patch31: linux-2.6-ksm.patch", "Patch32: linux-2.6-ksm-kvm.patch", END, ""),
        *(B, "%patch -P 31 -p1", "%patch -P 32 -p1", END, ""),
        *(B, "* Thu Jan 12 2023 Kim Poe <kim@example.org> - 5.10-7", *ENTRY, END, ""),
    ]
    text = made.after.data.decode()
    assert text.index("%endif") < text.index("%patch -P 31") < text.index("echo ready")


@needs_rpm
def test_the_generated_spec_takes_in_a_second_series(tmp_path: Path) -> None:
    from backport.package import assemble

    assemble.write(tmp_path, plan(buildid="mini"), with_srpm=False)
    spec = tmp_path / "kernel.spec"
    made = take_in(spec, change(config=()))
    assert made.dialect == "generated"
    assert added(made)[:3] == [B, "%global buildid %{?buildid}.ksm", END]
    assert "kernel-2.6.31-1.mini.ksm" in verify.confirm(document.read(spec), tmp_path)[1]


@pytest.mark.parametrize("name", NAMES)
def test_what_was_taken_in_goes_again_byte_for_byte(name: str, tmp_path: Path) -> None:
    spec = folder(name, tmp_path)
    before = contents(spec.parent)
    take_in(spec)
    assert contents(spec.parent) != before
    take_out(spec)
    assert contents(spec.parent) == before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("own_lines", [False, True])
def test_a_second_edit_changes_nothing(name: str, own_lines: bool, tmp_path: Path) -> None:
    spec = folder(name, tmp_path)
    take_in(spec, change(own_lines=own_lines))
    before = contents(spec.parent)
    made = take_in(spec, change(own_lines=own_lines, date=1900000000))
    assert not made.changed
    assert not made.files
    assert contents(spec.parent) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_new_revision_replaces_its_own_lines(name: str, tmp_path: Path) -> None:
    spec = folder(name, tmp_path)
    before = contents(spec.parent)
    take_in(spec)
    third = (TWO[1], PatchFile("linux-2.6-ksm-more.patch", MAIL.format(title="More", symbol="KSM").encode()))
    new = change(patches=third, entries=("KVM", "More"))
    take_in(spec, new)
    direct = folder(name, tmp_path / "direct")
    take_in(direct, new)
    assert contents(spec.parent) == contents(direct.parent)
    take_out(spec)
    assert contents(spec.parent) == before


def test_two_series_live_side_by_side(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    take_in(spec)
    one = contents(spec.parent)
    other = change(
        series="thp",
        patches=(PatchFile("thp.patch", MAIL.format(title="THP", symbol="THP").encode()),),
        entries=("THP",),
        config=(ConfigValue("THP", "n"),),
        buildid=".thp",
    )
    take_in(spec, other)
    assert b"%global buildid %{?buildid}.thp" in spec.read_bytes()
    assert b"2.6.31.6-14.ksm.thp\n- THP" in spec.read_bytes()
    assert b"# CONFIG_THP is not set\n" in (spec.parent / "config-generic").read_bytes()
    take_out(spec, "thp")
    assert contents(spec.parent) == one


def test_an_entry_that_was_released_keeps_its_place(tmp_path: Path) -> None:
    """The distribution released more since: the same revision again must not move its entry, or date it anew."""
    spec = folder("f12", tmp_path)
    take_in(spec)
    text = spec.read_bytes().replace(
        b"%changelog\n", b"%changelog\n* Mon Dec 07 2009 John Roe <john@example.org> 2.6.31.6-15.ksm\n- Next\n\n", 1
    )
    spec.write_bytes(text)
    assert not take_in(spec, change(date=1900000000)).changed


def test_the_entry_is_never_older_than_the_newest(tmp_path: Path) -> None:
    assert "* Thu Dec 03 2009 Kim Poe" in take_in(folder("f12", tmp_path), change(date=1240000000)).after.data.decode()


@needs_rpm
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("own_lines", [False, True])
def test_rpm_confirms_the_edit(name: str, own_lines: bool, tmp_path: Path) -> None:
    spec = folder(name, tmp_path)
    take_in(spec, change(own_lines=own_lines))
    said = verify.confirm(document.read(spec), spec.parent)
    ours = 0 if name == "ark" and not own_lines else 2
    assert f"{ours} of them ours, in order" in said[0]
    assert f"{3 if name == 'f12' else 1 if name == 'patch-p' else 2} older changelog entries, all still there" in said[2]
    assert ("--with vanilla: 1 patches and the same %prep as before" in said) == (name in ("f12", "ark"))
    assert checked.check(document.read(spec), spec.parent, trusted=True).faults == ()


@needs_rpm
@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (b"Patch14466: linux-2.6-ksm-kvm.patch", [], "does more than before"),
        (b"Patch14466: linux-2.6-ksm-kvm.patch", [b"Patch14464: linux-2.6-ksm-kvm.patch"], "cannot read the edited"),
        (b"ApplyPatch linux-2.6-ksm-kvm.patch", [b"ApplyPatch linux-2.6-ksm-kvm.patch", b"rm -rf x"], "does more than before"),
        (b"- Optimize KVM for KSM support", [b"- one", b"* Fri Dec 14 2012 A B <a@b.c> 1-1", b"- two"], "chronological"),
        (b"- Optimize KVM for KSM support", [b"- one", b"%post", b"touch x"], "sections|new to say|entr"),
        (b"%define buildid .ksm", [b"%define buildid .ksm", b"%{error:oops}"], "oops"),
        (b"%define buildid .ksm", [b"%define buildid .ksm", b"%{warn:oops}"], "new to say: .*oops"),
        (b"%define buildid .ksm", [b"%define buildid .ksm", b"%global released_kernel 0"], "where it read"),
        (b"Patch14465: linux-2.6-ksm.patch", [b"%endif", b"Patch14465: linux-2.6-ksm.patch", b"%if 1"], "vanilla"),
    ],
)
def test_rpm_sees_an_edit_that_does_more(old: bytes, new: list[bytes], complaint: str, tmp_path: Path) -> None:
    """The block is written anew with its right digits, as a defect of ours would write it."""
    spec = folder("f12", tmp_path)
    data = take_in(spec).after.data
    block = next(block for block in blocks.find(data, "") if old in block.lines)
    place = block.lines.index(old)
    lines = [*block.lines[:place], *new, *block.lines[place + 1 :]]
    wrong = data[: block.start] + blocks.make("ksm", lines, blank=b"buildid" not in old) + data[block.stop :]
    with pytest.raises((EnvironmentFailedError, InputError), match=complaint):
        verify.confirm(document.parse(wrong), spec.parent)
