"""kernel.spec as rpm reads it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backport.model.definition import ConfigValue
from backport.model.errors import EnvironmentFailedError, InputError
from backport.package import assemble, spec, srpm
from backport.package.plan import Packager, PatchFile
from backport.package.source import Source
from backport.package.version import parse
from tests.package.examples import needs_rpm, patch, plan, rpm

THREE = tuple(patch(f"linux-2.6-{name}.patch") for name in ("ksm", "ksm-kvm", "aaa"))


def write(folder: Path, **changes: object) -> Path:
    path = folder / "kernel.spec"
    path.write_bytes(spec.render(plan(**changes)))
    return path


def test_equal_plans_give_equal_bytes() -> None:
    assert spec.render(plan()) == spec.render(plan())


def test_patches_are_declared_and_applied_in_their_order() -> None:
    text = spec.render(plan(patches=THREE)).decode()
    names = [file.name for file in THREE]
    assert re.findall(r"^Patch\d+: (.*)$", text, re.M) == names
    assert re.findall(r"^%patch -P (\d+) -p1$", text, re.M) == ["1", "2", "3"]


def test_changelog_header_is_fedoras() -> None:
    assert "\n* Sat Dec 05 2009 Jane Doe <jane@example.org> 2.6.31-1.ksm\n- " in spec.render(plan()).decode()


def test_later_kernels_need_more() -> None:
    modern = parse(b"VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\nEXTRAVERSION =\n")
    text = spec.render(plan(kernel=modern)).decode()
    assert "BuildRequires: flex\n" in text
    assert "BuildRequires: flex\n" not in spec.render(plan()).decode()


def test_the_template_refuses_text_that_was_not_escaped() -> None:
    with pytest.raises(TypeError, match="not escaped"):
        spec._template().environment.from_string("[= x =]").render(x="plain")


@pytest.mark.parametrize(
    "changes",
    [
        {"packager": Packager("%(x)", "a@b")},
        {"packager": Packager("A", "a@b>\n%post")},
        {"buildid": "%{x}"},
        {"series": "a b"},
        {"source": Source("%(x).tar.gz", "linux")},
        {"source": Source("x.tar.gz", "linux; touch x")},
        {"patches": (PatchFile("a+b.patch", b"x" * 20),)},
        {"date": 0},
    ],
)
def test_a_word_that_does_not_fit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InputError):
        spec.render(plan(**changes))


def test_two_files_of_one_name_and_empty_patches_are_refused() -> None:
    for patches in ((patch("a.patch"), patch("a.patch")), (PatchFile("a.patch", b""),)):
        with pytest.raises(InputError):
            plan(patches=patches).sources()


@needs_rpm
@pytest.mark.parametrize("extra", ["", ".3", "-rc3", "-rt11"])
def test_rpm_reads_what_was_meant(extra: str, tmp_path: Path) -> None:
    kernel = parse(f"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\nEXTRAVERSION = {extra}\n".encode())
    what = plan(kernel=kernel, patches=THREE, changelog=("one\ntwo", "100% three"), dist=".fc12", base_config=b"CONFIG_X=y\n")
    (tmp_path / "kernel.spec").write_bytes(spec.render(what))
    assemble.check(tmp_path / "kernel.spec", what)
    assert what.nvr == f"kernel-{kernel.version}-{kernel.release}.ksm.fc12"


@needs_rpm
@pytest.mark.parametrize("target", ["x86_64-linux", "i686-linux", "ppc64-linux"])
def test_every_architecture_parses_clean(target: str, tmp_path: Path) -> None:
    done = rpm("rpmspec", "--target", target, "-P", write(tmp_path), home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    karch, image = {"x86": ("x86_64", "bzImage"), "i68": ("i386", "bzImage"), "ppc": ("powerpc", "vmlinux")}[target[:3]]
    assert f"make ARCH={karch}  {'ppc64_' * (karch == 'powerpc')}defconfig\n" in done.stdout.decode()
    assert re.search(rf"make ARCH={karch}  .*{image}\n", done.stdout.decode())


@needs_rpm
def test_the_toolchain_hook_reaches_every_make(tmp_path: Path) -> None:
    done = rpm("rpmspec", "--define", "kernel_make_args CC=old-gcc", "-P", write(tmp_path), home=tmp_path)
    makes = re.findall(r"\bmake (?:-s )?ARCH.*", done.stdout.decode())
    assert len(makes) == 7
    assert all("CC=old-gcc" in line for line in makes)


@needs_rpm
def test_another_configuration_to_start_from_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, base_config=b"CONFIG_X=y\n")
    done = rpm("rpmspec", "--define", "kernel_config /somewhere/small.config", "-P", path, home=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode()
    assert re.findall(r"^cp .* \.config$", text, re.M) == ["cp /somewhere/small.config .config"]
    assert not re.search(r"make .* defconfig", text)


@needs_rpm
def test_an_empty_series_is_still_a_spec(tmp_path: Path) -> None:
    what = plan(patches=(), config=(), changelog=("nothing",))
    (tmp_path / "kernel.spec").write_bytes(spec.render(what))
    assemble.check(tmp_path / "kernel.spec", what)


@needs_rpm
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Release: 1", "Release: 2"),
        ("Patch1: mini-extra.patch", "Patch1: other.patch"),
        ("* Sat Dec 05 2009", "* Fri Dec 05 2009"),
        ("* Sat Dec 05 2009", "* Samedi Dec 05 2009"),
        ("- Merge", "- Split"),
        ("%prep\n", "%if 1\n%prep\n"),
    ],
)
def test_check_sees_a_spec_that_says_something_else(old: str, new: str, tmp_path: Path) -> None:
    path = write(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(EnvironmentFailedError):
        assemble.check(path, plan())


@needs_rpm
def test_check_needs_no_macros_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".rpmmacros").write_text("%dist .mine\n%buildid .theirs\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    path = write(tmp_path)
    srpm.check(path, nvr="kernel-2.6.31-1.ksm", patches=["mini-extra.patch"])


def test_config_values_stay_out_of_the_spec() -> None:
    assert b"canary" not in spec.render(plan(config=(ConfigValue("LINE", '"%(touch canary)"'),)))
