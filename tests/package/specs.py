"""Mini specs of every dialect, in a folder like dist-git's, and a change to take in."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from backport.model.definition import ConfigValue
from backport.package import document, edit
from backport.package.change import Change
from backport.package.edit import Edited
from backport.package.plan import Packager, PatchFile

DATA = Path(__file__).parents[1] / "data"
DATE = 1259900000  # Fri Dec 4 2009
MAIL = """\
From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001
From: Jane Doe <jane@example.org>
Date: Fri, 4 Dec 2009 08:00:00 +0000
Subject: [PATCH] {title}

Why it is needed.
---
 mm/Kconfig | 4 ++++
 1 file changed, 4 insertions(+)

diff --git a/mm/Kconfig b/mm/Kconfig
index 1111111..2222222 100644
--- a/mm/Kconfig
+++ b/mm/Kconfig
@@ -1,2 +1,6 @@
 config OLD
 \tbool "Old"
+
+config {symbol}
+\tbool "An extra"
+\tdepends on OLD
"""
TWO = (
    PatchFile("linux-2.6-ksm.patch", MAIL.format(title="Add KSM", symbol="KSM").encode()),
    PatchFile("linux-2.6-ksm-kvm.patch", MAIL.format(title="KVM too", symbol="KSM").encode()),
)
BEGIN, END = "# begin backport ksm ", "# end backport ksm"


def change(**more: object) -> Change:
    ready = Change(
        series="ksm",
        patches=TWO,
        entries=("Add KSM support", "Optimize KVM for KSM support"),
        config=(ConfigValue("KSM", "y"),),
        packager=Packager("Kim Poe", "kim@example.org"),
        date=DATE,
        buildid=".ksm",
    )
    return replace(ready, **more)  # type: ignore[arg-type]


def folder(name: str, where: Path) -> Path:
    """A copy of the mini dist-git folder `name`, with its spec and the config file of the dialect; the spec's path."""
    place = where / name
    shutil.copytree(DATA / f"spec-{name}", place)
    files = {"f12": "config-generic", "ark": "kernel-local", "autosetup": "config-mini", "patch-p": "config-generic"}
    (place / files[name]).write_bytes(b"CONFIG_MMU=y\n# CONFIG_EMBEDDED is not set\n")
    if name == "ark":
        (place / "linux-kernel-test.patch").write_bytes(b"")
    return place / "kernel.spec"


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


def take_in(spec: Path, what: Change | None = None) -> Edited:
    made = edit.edit(document.read(spec), what or change(), spec.parent)
    edit.write(made, spec)
    return made


def take_out(spec: Path, series: str = "ksm") -> Edited:
    made = edit.remove(document.read(spec), series, spec.parent)
    edit.write(made, spec)
    return made


def added(made: Edited) -> list[str]:
    """The lines that the edit adds to the spec, without the digits of the markers. Nothing may go, so each must be new."""
    before, after = made.before.data.decode().split("\n"), made.after.data.decode().split("\n")
    lines, place = [], 0
    for line in after:
        if place < len(before) and line == before[place]:
            place += 1
        else:
            lines.append(line)
    assert place == len(before), "a line of the spec was changed or lost"
    return [line[: len(BEGIN) - 1] if line.startswith(BEGIN) else line for line in lines if not line.startswith("# files ")]
