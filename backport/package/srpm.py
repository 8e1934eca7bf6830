"""Has the real rpm make the SRPM and read our spec back. Only specs of our own: parsing a spec runs what is in it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backport.model.errors import EnvironmentFailedError
from backport.package import atomic
from backport.package.run import Finished, run, scrubbed

_REPORT = "run rpmspec -P on it, and report this as a bug of backport, with the version of rpm"
_QUICK, _SLOW = 60.0, 900.0
_TARGET = "x86_64-linux"  # named outright: the header of an SRPM says where it was made, and ExclusiveArch refuses an arm host
_HERE = "/proc/self/cwd"  # rpm keeps the spec in the header with every macro expanded: paths in it must not differ
_ERROR = re.compile(rb"^error: .*", re.MULTILINE)
_WARNING = re.compile(rb"^warning: .*", re.MULTILINE)
_PATCH_LINE = re.compile(rb"^Patch[0-9]+: (.+)$", re.MULTILINE)
_COMPRESSED = (".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tgz")


@dataclass(frozen=True, slots=True)
class Built:
    """An SRPM, its sha256, and the warnings of rpmbuild, if any."""

    path: Path
    sha256: str
    warnings: tuple[str, ...] = ()


def build(
    spec: bytes, sources: Mapping[str, bytes | Path], date: int, destination: Path, *, dist: str = "", timeout: float = _SLOW
) -> Built:
    """Make the SRPM of our spec and its sources (content, or where it lies) in the folder `destination`.

    Equal inputs give equal bytes with one version of rpm: rpm's own macro files and nothing of the machine's or the user's,
    one build host, one date for the header and for every file.
    """
    with tempfile.TemporaryDirectory(prefix="backport-srpm-") as name:
        top = Path(name)
        folder = top / "SOURCES"
        folder.mkdir()
        for file, content in {"kernel.spec": spec, **sources}.items():
            _lay_down(folder / file, content, date)
        defines = {
            "_topdir": _HERE,
            "_sourcedir": f"{_HERE}/SOURCES",
            "_smp_mflags": "%{nil}",
            "_buildhost": "localhost",
            "use_source_date_epoch_as_buildtime": "1",
            "clamp_mtime_to_source_date_epoch": "1",
            "_srcdefattr": "(-,root,root)",  # otherwise the user's name is in it
            "_source_payload": _payload(sources),
            "_source_filedigest_algorithm": "8",
        }
        done = _rpm("rpmbuild", top, ["-bs", "SOURCES/kernel.spec"], defines, dist, timeout=timeout, date=date)
        _refuse_errors(done, "rpmbuild made no SRPM")
        made = sorted((top / "SRPMS").glob("*.src.rpm"))
        if len(made) != 1:
            raise EnvironmentFailedError(f"rpmbuild made {len(made)} SRPMs, not one", then="run rpmbuild -bs by hand and see")
        place = destination / made[0].name
        with made[0].open("rb") as read, atomic.replacing(place) as write:
            shutil.copyfileobj(read, write, 1 << 20)
    warnings = tuple(line.decode("utf-8", "replace") for line in _WARNING.findall(done.err))
    return Built(place, atomic.sha256(place), warnings)


def _payload(sources: Mapping[str, bytes | Path]) -> str:
    """gzip, which every rpm reads; only stored where a tarball is compressed already: 0.5 s in place of 3, 0.4 % more bytes."""
    return "w0.gzdio" if any(name.endswith(_COMPRESSED) for name in sources) else "w3.gzdio"


def check(spec: Path, *, nvr: str, patches: Sequence[str], changelog: Sequence[str] | None = None, dist: str = "") -> None:
    """Have rpm read our spec: nothing on stderr, and NVR, patches in their order and changelog as they were meant.

    The exit status alone proves nothing: for a changelog it cannot read rpm says "error:", drops the rest, and returns 0.
    """
    with tempfile.TemporaryDirectory(prefix="backport-rpmspec-") as name:
        home = Path(name)
        parsed = _rpmspec(home, ["-P"], spec, dist)
        _expect(spec, "the patches", tuple(_PATCH_LINE.findall(parsed)), tuple(patch.encode() for patch in patches))
        said = _rpmspec(home, ["-q", "--srpm", "--qf", r"%{NVR}\n[%{CHANGELOGTEXT}\n]"], spec, dist)
    first, _, rest = said.partition(b"\n")
    _expect(spec, "name, version and release", first, nvr.encode())
    if changelog is not None:
        _expect(spec, "the changelog", rest, "".join(f"{line}\n" for line in changelog).encode())


def _rpmspec(home: Path, arguments: Sequence[str], spec: Path, dist: str) -> bytes:
    done = _rpm("rpmspec", home, [*arguments, str(spec.absolute())], {"_topdir": _HERE}, dist, timeout=_QUICK)
    _refuse_errors(done, "rpm cannot read the spec")
    if done.said:
        raise EnvironmentFailedError(
            f"rpm is not content with the spec: {done.said.splitlines()[0]}", where=str(spec), then=_REPORT
        )
    return done.out


def _rpm(
    tool: str,
    home: Path,
    arguments: Sequence[str],
    defines: Mapping[str, str],
    dist: str,
    *,
    timeout: float,
    date: int | None = None,
) -> Finished:
    """One of rpm's tools with rpm's own macro files only, for one target, with HOME in a folder that is thrown away."""
    environment = scrubbed(home) if date is None else scrubbed(home, SOURCE_DATE_EPOCH=str(date))
    everything = {"_dbpath": f"{_HERE}/rpmdb", "_tmppath": _HERE, **defines, **({"dist": dist} if dist else {})}
    named = [part for macro, value in everything.items() for part in ("--define", f"{macro} {value}")]
    command = [tool, f"--macros={_macro_files()}", "--target", _TARGET, *named, *arguments]
    return run(command, env=environment, timeout=timeout, cwd=home)


@cache
def _macro_files() -> str:
    """The macro files that come with rpm itself: /etc/rpm, macros.d and ~/.rpmmacros would change the bytes."""
    with tempfile.TemporaryDirectory(prefix="backport-rpm-") as name:
        done = run(["rpm", "--eval", "%{_rpmconfigdir}"], env=scrubbed(Path(name)), timeout=_QUICK)
    _refuse_errors(done, "rpm does not say where its macros are")
    folder = done.out.decode("utf-8", "surrogateescape").strip()
    return f"{folder}/macros:{folder}/platform/%{{_target}}/macros"


def _refuse_errors(done: Finished, what: str) -> None:
    found = _ERROR.search(done.err)
    if done.code or found:
        last = done.said.splitlines()[-1] if done.said else f"status {done.code}"
        said = found[0].decode("utf-8", "replace") if found else last
        raise EnvironmentFailedError(f"{what}: {said}", then=_REPORT)


def _expect(spec: Path, what: str, got: object, wanted: object) -> None:
    if got != wanted:
        raise EnvironmentFailedError(f"rpm reads {what} of the spec as {got!r}, not {wanted!r}", where=str(spec), then=_REPORT)


def _lay_down(path: Path, content: bytes | Path, date: int) -> None:
    """A copy with a known mode and date; never a link, whose dates would be the user's file's."""
    if isinstance(content, Path):
        shutil.copyfile(content, path)
    else:
        path.write_bytes(content)
    path.chmod(0o644)
    os.utime(path, (date, date))
