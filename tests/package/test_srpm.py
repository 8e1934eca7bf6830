"""The SRPM, made and built by the real rpmbuild; the kernel in it is the sample's, which compiles in a second."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from backport.model.definition import ConfigValue
from backport.model.errors import EnvironmentFailedError, InputError, MissingToolError
from backport.package import assemble, srpm
from backport.package.plan import PatchFile, Plan
from backport.package.run import run, scrubbed
from tests.package.examples import DATE, needs_make, needs_rpm, packed, patch, plan, rpm

NAME = "kernel-2.6.31-1.ksm.src.rpm"


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan(source=packed(tmp_path_factory.mktemp("cache")))


def prepare(what: Plan, folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Write the package and have rpmbuild start from its SRPM."""
    assemble.write(folder / "out", what)
    unpacked = rpm("rpm", "-i", "--nodeps", folder / "out" / NAME, home=folder)
    assert unpacked.returncode == 0, unpacked.stderr
    return rpm("rpmbuild", "--target", "x86_64-linux", *arguments, "--nodeps", folder / "SPECS" / "kernel.spec", home=folder)


@needs_rpm
def test_artifacts_name_what_was_written(ready: Plan, tmp_path: Path) -> None:
    artifacts = assemble.write(tmp_path, ready)
    assert [(a.path, a.kind) for a in artifacts] == [("kernel.spec", "spec"), ("config-sample", "config"), (NAME, "srpm")]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(a.path for a in artifacts)
    assert all(hashlib.sha256((tmp_path / a.path).read_bytes()).hexdigest() == a.sha256 for a in artifacts)


@needs_rpm
def test_the_manifest_is_in_the_srpm(ready: Plan, tmp_path: Path) -> None:
    artifacts = assemble.write(tmp_path, replace(ready, manifest=b'{"format": 1}\n'))
    assert [a.kind for a in artifacts] == ["spec", "config", "manifest", "srpm"]
    listed = rpm("rpm", "-qpl", tmp_path / NAME, home=tmp_path).stdout.decode().split()
    assert sorted(listed) == ["config-sample", "kernel.spec", "linux-2.6.31.tar.gz", "mini-extra.patch", "series.json"]


@needs_rpm
def test_equal_plans_give_an_equal_srpm(ready: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = assemble.write(tmp_path / "a", ready)
    time.sleep(1.1)
    (tmp_path / ".rpmmacros").write_text("%packager Somebody\n%vendor Someone\n%dist .mine\n%_source_payload w9.xzdio\n")
    for name, value in {"HOME": str(tmp_path), "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "1"}.items():
        monkeypatch.setenv(name, value)
    umask = os.umask(0o077)
    monkeypatch.chdir(tmp_path)
    try:
        assert assemble.write(tmp_path / "some" / "where" / "else", ready) == first
    finally:
        os.umask(umask)


@needs_rpm
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root can try it as another user")
def test_another_user_makes_the_same_srpm(ready: Plan, tmp_path: Path) -> None:
    first = assemble.write(tmp_path / "a", ready)[-1]
    assert ready.source.path
    names = rpm("rpm", "-qp", "--qf", "[%{FILEUSERNAME} %{FILEGROUPNAME} %{FILEMTIMES}\n]", tmp_path / "a" / NAME, home=tmp_path)
    assert set(names.stdout.decode().splitlines()) == {f"root root {DATE}"}
    theirs = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
    os.chown(theirs, 12345, 12345)
    spec, files = (tmp_path / "a" / "kernel.spec").read_bytes(), ready.sources()
    code = (
        "import sys, pathlib; from backport.package import srpm; "
        f"print(srpm.build({spec!r}, {files!r} | {{{ready.source.name!r}: sys.stdin.buffer.read()}}, {DATE}, "
        "pathlib.Path(sys.argv[1])).sha256)"
    )
    done = subprocess.run(
        ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", sys.executable, "-B", "-c", code, str(theirs)],
        input=ready.source.path.read_bytes(),
        capture_output=True,
        cwd="/",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    shutil.rmtree(theirs)
    assert done.stdout.decode().strip() == first.sha256, done.stderr.decode()


@needs_rpm
@needs_make
def test_the_package_builds_and_installs(ready: Plan, tmp_path: Path) -> None:
    done = prepare(ready, tmp_path, "-bb")
    assert done.returncode == 0, done.stderr.decode()
    (package,) = (tmp_path / "RPMS").rglob("*.rpm")
    assert package.name == "kernel-2.6.31-1.ksm.x86_64.rpm"
    listed = rpm("rpm", "-qpl", package, home=tmp_path).stdout.decode().split()
    release = "2.6.31-1.ksm.x86_64"
    assert (
        {f"/boot/vmlinuz-{release}", f"/boot/config-{release}"}
        <= set(listed)
        <= {f"/boot/{name}-{release}" for name in ("vmlinuz", "config", "System.map")}
    )
    provides = rpm("rpm", "-qp", "--provides", package, home=tmp_path).stdout.decode()
    assert f"kernel-uname-r = {release}" in provides
    assert rpm("rpm", "-i", "--test", "--nodeps", "--ignorearch", package, home=tmp_path).returncode == 0
    if os.geteuid() == 0:
        root = tmp_path / "root"
        root.mkdir()
        installed = rpm("rpm", "-i", "--root", root, "--nodeps", "--noscripts", "--ignorearch", package, home=tmp_path)
        assert installed.returncode == 0, installed.stderr.decode()
        assert "CONFIG_EXTRA=y" in (root / "boot" / f"config-{release}").read_text()
        assert (root / "boot" / f"vmlinuz-{release}").stat().st_size > 1000


@needs_rpm
@needs_make
def test_a_series_definition_may_switch_a_default_off(ready: Plan, tmp_path: Path) -> None:
    done = prepare(_asking(ready, ConfigValue("EXTRA", "n")), tmp_path, "-bp")
    assert done.returncode == 0, done.stderr.decode()


@needs_rpm
@needs_make
def test_a_base_config_is_where_the_build_starts(ready: Plan, tmp_path: Path) -> None:
    done = prepare(replace(ready, base_config=b"# CONFIG_EXTRA is not set\n"), tmp_path, "-bp")
    assert done.returncode == 0, done.stderr.decode()
    assert "defconfig\n" not in done.stderr.decode()


@needs_rpm
@needs_make
def test_a_symbol_that_does_not_survive_stops_the_build(ready: Plan, tmp_path: Path) -> None:
    done = prepare(_asking(ready, ConfigValue("ABSENT", "y"), ConfigValue("EXTRA", "y")), tmp_path, "-bp")
    assert done.returncode != 0
    said = done.stderr.decode()
    assert "error: CONFIG_ABSENT should be y, but the kernel's configuration made it n" in said
    assert "no Kconfig file of" in said
    assert "CONFIG_EXTRA should" not in said


@needs_rpm
@needs_make
def test_a_value_that_does_not_survive_stops_the_build(ready: Plan, tmp_path: Path) -> None:
    done = prepare(_asking(ready, ConfigValue("MMU", "n")), tmp_path, "-bp")
    assert done.returncode != 0
    assert "error: CONFIG_MMU should be n, but the kernel's configuration made it y" in done.stderr.decode()
    assert "see what selects it" in done.stderr.decode()


@needs_rpm
def test_a_patch_that_does_not_fit_stops_the_build(ready: Plan, tmp_path: Path) -> None:
    lines = patch().data.replace(b"\n ", b"\n changed ", 1)  # the first line of context: fuzz would let it pass
    done = prepare(replace(ready, patches=(PatchFile("mini-extra.patch", lines),)), tmp_path, "-bp")
    assert done.returncode != 0


def _asking(what: Plan, *config: ConfigValue) -> Plan:
    return replace(what, config=config)


@needs_rpm
def test_a_tarball_that_changed_is_refused(ready: Plan, tmp_path: Path) -> None:
    copy = tmp_path / "linux-2.6.31.tar.gz"
    copy.write_bytes(b"something else")
    for source in (
        replace(ready.source, path=copy),
        replace(ready.source, path=tmp_path / "gone"),
        replace(ready.source, path=None),
    ):
        with pytest.raises(InputError):
            assemble.write(tmp_path / "out", replace(ready, source=source))


def test_without_rpm_its_installation_is_named(ready: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    srpm._macro_files.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError) as caught:
        assemble.write(tmp_path / "out", ready)
    assert "apt-get install rpm" in caught.value.then
    assert "dnf install rpm-build" in caught.value.then
    assert [a.kind for a in assemble.write(tmp_path / "out", ready, with_srpm=False)] == ["spec", "config"]


@needs_rpm
def test_what_rpmbuild_says_is_handed_on(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailedError, match="rpmbuild made no SRPM: error: "):
        srpm.build(b"Name: kernel\n%if\n", {}, DATE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    script = f"sleep 60 & echo $! > {tmp_path}/child; wait"
    with pytest.raises(EnvironmentFailedError, match="did not end"):
        run(["/bin/sh", "-c", script], env=scrubbed(tmp_path), timeout=0.5)
    assert time.monotonic() - started < 10
    child = int((tmp_path / "child").read_text())
    for _ in range(50):
        if not _alive(child):
            break
        time.sleep(0.1)
    assert not _alive(child)


def _alive(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1][:3]
    except FileNotFoundError:
        return False


def test_an_interrupt_kills_the_children(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from backport.package.run import run, scrubbed; home = pathlib.Path(sys.argv[1]); "
        "run(['/bin/sh', '-c', f'echo $$ > {home}/child; sleep 60'], env=scrubbed(home), timeout=60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as process:
        for _ in range(100):
            if (tmp_path / "child").is_file() and (tmp_path / "child").read_text().strip():
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert not _alive(int((tmp_path / "child").read_text()))


def test_the_environment_says_nothing_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    assert "SECRET" not in scrubbed(tmp_path)
    assert scrubbed(tmp_path)["HOME"] == str(tmp_path)
