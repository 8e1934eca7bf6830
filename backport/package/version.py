"""Which kernel a tree is, from its Makefile, and what rpm may call it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from backport.model.errors import InputError

_VARIABLE = re.compile(rb"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*[:?]?=[ \t]*([^#\r\n]*)", re.MULTILINE)
_NUMBER = re.compile(rb"[0-9]{1,6}")
_EXTRA = re.compile(r"(?P<stable>\.[0-9]+)?(?:-rc(?P<candidate>[0-9]+))?(?P<rest>[A-Za-z0-9._+-]*)")


@dataclass(frozen=True, slots=True)
class KernelVersion:
    """A kernel version: the Makefile's numbers ("2.6.31") and its EXTRAVERSION taken apart.

    `stable` is ".3" for 2.6.31.3; `candidate` is "3" for -rc3; `tags` are other words ("rt11", "git5").
    """

    base: str
    stable: str = ""
    candidate: str = ""
    tags: tuple[str, ...] = ()
    extra: str = ""

    @property
    def upstream(self) -> str:
        """The name upstream uses, and the Makefile's KERNELVERSION: 2.6.31.3, 2.6.32-rc3."""
        return self.base + self.extra

    @property
    def version(self) -> str:
        """rpm's Version, which may not hold a dash: 2.6.31.3, 2.6.32."""
        return self.base + self.stable

    @property
    def release(self) -> str:
        """rpm's Release without buildid and dist: 1, or 0.1.rc3 so that a candidate sorts before the release."""
        words = ["0.1", "rc" + self.candidate] if self.candidate else ["1"]
        return ".".join((*words, *self.tags))

    def at_least(self, *numbers: int) -> bool:
        """Whether this kernel is of that version or newer (its candidates count as the version)."""
        return tuple(int(number) for number in self.base.split(".")) >= numbers


def parse(makefile: bytes, where: str = "Makefile") -> KernelVersion:
    """The version of the kernel whose top Makefile this is; InputError where it is no kernel's.

    The first assignment of each variable counts: the kernel has them in its first lines, and distributions read them there.
    """
    found: dict[bytes, bytes] = {}
    for name, value in _VARIABLE.findall(makefile):
        found.setdefault(name, value.strip())
    numbers = [found.get(name, b"") for name in (b"VERSION", b"PATCHLEVEL", b"SUBLEVEL")]
    if not numbers[2]:
        numbers.pop()
    if not all(_NUMBER.fullmatch(number) for number in numbers):
        raise InputError(
            "the tree is not a kernel: its Makefile has no VERSION and PATCHLEVEL",
            where=where,
            then="check the revision given as target",
        )
    extra = found.get(b"EXTRAVERSION", b"").decode("utf-8", "backslashreplace")
    match = _EXTRA.fullmatch(extra)
    if match is None:
        raise InputError(f"EXTRAVERSION {extra!r} is not one that rpm can carry", where=where, then="set a plain EXTRAVERSION")
    return KernelVersion(
        base=".".join(str(int(number)) for number in numbers),
        stable=match["stable"] or "",
        candidate=match["candidate"] or "",
        tags=tuple(re.findall(r"[A-Za-z0-9]+", match["rest"])),
        extra=extra,
    )
