"""Has rpm read a spec that somebody else wrote. That runs whatever the spec holds, so only where the user says so.

Even then it gets an environment that says nothing of the user, a HOME and a _topdir that are thrown away, an end in sight, and
no network where the system allows user namespaces. It can still read and write whatever its user can: that is what trust means.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from backport.model.errors import EnvironmentFailedError, MissingToolError
from backport.package.run import Finished, run, scrubbed

_QUICK = 30.0
_TARGET = "x86_64-linux"
_HERE = "/proc/self/cwd"  # the same words in every reading, so that two of them can be compared
_ERROR = re.compile(rb"^error: .*", re.MULTILINE)
_PATCH = re.compile(rb"^Patch\d*\s*: *(.+?)\s*$", re.MULTILINE | re.IGNORECASE)
_SECTION = re.compile(
    rb"^%(?:package|description|prep|build|install|check|clean|pre|post|preun|postun|files|changelog|trigger)\b.*$", re.M
)
_PREP = re.compile(rb"^%prep\b.*?(?=^%(?:build|install|clean|files|pre|post|changelog)\b)", re.M | re.DOTALL)
_PLACE = re.compile(rb"\bline \d+|:\d+:")
_QUERY = "%{NVR}\n[%{CHANGELOGTIME} %{CHANGELOGNAME}\n%{CHANGELOGTEXT}\n\x1e\n]"


_NOTHING = Finished(0, b"", b"")


@dataclass(frozen=True, slots=True)
class Reading:
    """What rpm read: patches as declared, %prep as it will run, every changelog entry, and what rpm had to say of it."""

    nvr: bytes
    patches: tuple[bytes, ...]
    prep: bytes
    sections: tuple[bytes, ...]
    changelog: tuple[bytes, ...]
    messages: tuple[bytes, ...]
    errors: tuple[str, ...]


def read(specs: Sequence[tuple[bytes, bool]], folder: Path) -> list[Reading]:
    """rpm's reading of each spec (its bytes; whether with --with vanilla), all at the same time. `folder` has the sources.

    NVR and changelog are not asked for with --with vanilla: they do not depend on it, and each question parses the spec anew.
    A spec that rpm refuses has `errors`. The exit status alone proves nothing: for a changelog that it cannot read rpm says
    "error:", drops the rest, and returns 0.
    """
    if shutil.which("rpmspec") is None:
        raise MissingToolError("rpmspec is not installed", then="apt-get install rpm, or dnf install rpm-build")
    with tempfile.TemporaryDirectory(prefix="backport-rpmspec-") as name, ThreadPoolExecutor(2 * len(specs)) as pool:
        parsed, asked = [], []
        for number, (data, vanilla) in enumerate(specs):
            home = Path(name) / str(number)
            home.mkdir()
            (home / "kernel.spec").write_bytes(data)
            parsed.append(pool.submit(_rpmspec, home, folder, ["-P"], vanilla=vanilla))
            query = ["-q", "--srpm", "--qf", _QUERY]
            asked.append(None if vanilla else pool.submit(_rpmspec, home, folder, query, vanilla=False))
        answers = [_NOTHING if one is None else one.result() for one in asked]
        return [_reading(one.result(), other) for one, other in zip(parsed, answers, strict=True)]


def lint(data: bytes) -> list[bytes] | None:
    """What rpmlint says of a spec, without line numbers; None where it is not installed."""
    if shutil.which("rpmlint") is None:
        return None
    with tempfile.TemporaryDirectory(prefix="backport-rpmlint-") as name:
        home = Path(name)
        (home / "kernel.spec").write_bytes(data)
        done = run([*_offline(), "rpmlint", "kernel.spec"], env=scrubbed(home), timeout=2 * _QUICK, cwd=home)
    lines = [line for line in done.out.splitlines() if line.startswith(b"kernel.spec:")]
    return sorted(_PLACE.sub(b":", line) for line in lines)


def _rpmspec(home: Path, folder: Path, arguments: Sequence[str], *, vanilla: bool) -> Finished:
    command = [*_offline(), "rpmspec", "--target", _TARGET]
    places = {"_topdir": _HERE, "_sourcedir": folder.absolute(), "_dbpath": f"{_HERE}/rpmdb", "_tmppath": _HERE}
    for macro, value in places.items():
        command += ["--define", f"{macro} {str(value).replace('%', '%%')}"]
    command += [*(["--with", "vanilla"] if vanilla else []), *arguments, "kernel.spec"]
    return run(command, env=scrubbed(home), timeout=_QUICK, cwd=home)


def _reading(parsed: Finished, asked: Finished) -> Reading:
    said = parsed.err + asked.err
    errors = [line.decode("utf-8", "replace") for line in _ERROR.findall(said)]
    if (parsed.code or asked.code) and not errors:
        errors = [f"rpmspec ended with status {parsed.code or asked.code}"]
    nvr, _, rest = asked.out.partition(b"\n")
    prep = _PREP.search(parsed.out)
    return Reading(
        nvr=nvr,
        patches=tuple(_PATCH.findall(parsed.out)),
        prep=prep[0] if prep else b"",
        sections=tuple(_SECTION.findall(parsed.out)),
        changelog=tuple(rest.split(b"\n\x1e\n")[:-1]),
        messages=tuple(_PLACE.sub(b"line", line) for line in parsed.err.splitlines() if line.strip()),
        errors=tuple(errors),
    )


@cache
def _offline() -> tuple[str, ...]:
    """A prefix that takes the network away: user and network namespaces of its own. Empty where the system forbids them."""
    command = ("unshare", "--user", "--map-root-user", "--net")
    try:
        with tempfile.TemporaryDirectory(prefix="backport-") as name:
            done = run([*command, "true"], env=scrubbed(Path(name)), timeout=_QUICK, install="apt-get install util-linux")
    except (MissingToolError, EnvironmentFailedError):
        return ()
    return command if done.code == 0 else ()
