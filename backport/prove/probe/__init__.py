"""A feature's probe: `patches/NAME/probe/probe.toml` and the C beside it, made into the init of an initramfs.

The manifest names the sources, the symbols that the kernel must have (`[config]`), the memory and the time that a boot gets,
and mutants that the probe need not notice, each with its reason. The program is linked with probe.c of this folder, static,
without a C library: the same sources serve x86_64 and i386, and nothing but a compiler and the kernel's headers is needed.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backport.model.errors import InputError
from backport.prove.config import Wish
from backport.prove.process import collect

FILE = "probe.toml"
_OWN = Path(__file__).resolve().parent
_FLAGS = (
    *("-O2", "-Wall", "-Wextra", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pic", "-no-pie"),
    *("-fno-asynchronous-unwind-tables", "-fno-tree-loop-distribute-patterns", "-Wl,--build-id=none"),
)
_KEYS = {"source", "memory", "timeout", "config", "survivor"}


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that the probe need not notice: words of its description, and why."""

    mutant: str
    reason: str


@dataclass(frozen=True, slots=True)
class Probe:
    """A manifest, checked."""

    folder: Path
    sources: tuple[Path, ...]
    memory: int
    timeout: int
    wishes: tuple[Wish, ...]
    survivors: tuple[Survivor, ...]


def load(folder: Path) -> Probe:
    """The probe in a folder; InputError, with the file, for a manifest that will not do."""
    path = folder / FILE
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        then = f"write {FILE} and a probe() in C: patches/setown-ex/probe is a small one, {_OWN}/README.md says how"
        raise InputError("the series has no probe", where=str(folder), then=then) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot read the manifest: {error}", where=str(path)) from error
    if unknown := set(data) - _KEYS:
        raise InputError(f"a manifest has no key {min(unknown)!r}", where=str(path), then=f"known: {', '.join(sorted(_KEYS))}")
    names = data.get("source", [])
    if not isinstance(names, list) or not names or not all(isinstance(n, str) and re.fullmatch(r"[\w-]+\.c", n) for n in names):
        raise InputError("source must be a list of C files in the manifest's folder", where=str(path))
    return Probe(
        folder,
        tuple(folder / name for name in names),
        _number(data, "memory", 128, 16, 65536, path),
        _number(data, "timeout", 60, 1, 3600, path),
        _wishes(data.get("config", {}), path),
        _survivors(data.get("survivor", []), path),
    )


def compile_init(probe: Probe, cc: str, arch: str) -> bytes:
    """The probe as a program for PID 1. InputError with the compiler's words where it does not compile."""
    bits = {"i386": ["-m32"], "x86_64": ["-m64"]}.get(arch, [])
    _, triple = collect([cc, "-print-multiarch"])
    headers = Path("/usr/include") / (triple.decode("utf-8", "replace").strip() or ".")
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        out = Path(folder) / "init"
        sources = [str(path) for path in (_OWN / "probe.c", *probe.sources)]
        command = [cc, *bits, *_FLAGS, "-I", str(_OWN), "-idirafter", str(headers), "-o", str(out), *sources]
        code, said = collect(command, timeout=300)
        if code != 0 or not out.is_file():
            lines = said.decode("utf-8", "replace").splitlines()
            told = [line for line in lines if "error: " in line or "undefined reference" in line]
            first = (told or lines[-1:] or [f"status {code}"])[0]
            raise InputError(f"the probe does not compile for {arch}: {first}", where=str(probe.folder))
        return out.read_bytes()


def _number(data: Mapping[str, Any], key: str, default: int, least: int, most: int, path: Path) -> int:
    value = data.get(key, default)
    if type(value) is not int or not least <= value <= most:
        raise InputError(f"{key} must be a number from {least} to {most}", where=str(path))
    return value


def _wishes(table: object, path: Path) -> tuple[Wish, ...]:
    if not isinstance(table, dict) or not all(isinstance(v, str) and re.fullmatch(r"\w+", k) for k, v in table.items()):
        raise InputError('config must be a table of symbols: KSM = "y"', where=str(path))
    return tuple(Wish(symbol, value, str(path)) for symbol, value in table.items())


def _survivors(rows: object, path: Path) -> tuple[Survivor, ...]:
    if not isinstance(rows, list) or not all(isinstance(r, dict) and set(r) == {"mutant", "reason"} for r in rows):
        raise InputError("each [[survivor]] has a mutant and a reason", where=str(path))
    return tuple(Survivor(str(row["mutant"]), str(row["reason"])) for row in rows)
