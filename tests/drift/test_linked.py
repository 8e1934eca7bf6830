"""Functions that only another configuration builds: the object compiles, and the kernel does not link."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from backport.drift import linked
from backport.drift.built import built
from backport.model.finding import Finding, Level
from tests.drift.repository import landed

HEADER = {"include/linux/mm.h": b"int share_pages(int a);\nint plain(int a);\n"}
SHARE = {"mm/share.c": b"#include <linux/mm.h>\nint share_pages(int a)\n{\n\treturn a;\n}\n"}
SCAN = b"#include <linux/mm.h>\n\nint scan(int a)\n{\n\treturn a;\n}\n"
CALLS = {"mm/scan.c": SCAN.replace(b"return a;", b"return share_pages(a);")}
OPTION = {"mm/Makefile": b"obj-y += scan.o\nobj-$(CONFIG_SHARE) += share.o\n"}
ALWAYS = {"mm/Makefile": b"obj-y += scan.o share.o\n"}


def found(
    tmp_path: Path, release: Mapping[str, bytes], between: Mapping[str, bytes | None], patch: Mapping[str, bytes | None]
) -> list[Finding]:
    """What is found on `release` where upstream did `between` before the patch."""
    with landed(tmp_path, {**HEADER, **SHARE, "mm/scan.c": SCAN, **release}, {**between, "README": b"later\n"}, patch) as it:
        return list(linked.check(it.series, it.after, it.bench)[0])


def test_a_function_that_upstream_always_builds(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, OPTION, ALWAYS, CALLS)
    assert (finding.level, finding.kind, finding.symbol) == (Level.WARNING, "other-configuration", "share_pages")
    assert (finding.path, finding.line) == (b"mm/scan.c", 5)
    assert finding.target == "defined in mm/share.c:2, which is built only with CONFIG_SHARE"


STUB = b"#ifdef CONFIG_SHARE\nint share_pages(int a);\n#else\nstatic inline int share_pages(int a) { return a; }\n#endif\n"


@pytest.mark.parametrize(
    ("release", "between", "patch"),
    [
        (OPTION, {}, CALLS),
        (ALWAYS, {}, CALLS),
        ({**OPTION, "include/linux/mm.h": STUB}, ALWAYS, CALLS),
        ({"mm/Makefile": b"obj-$(CONFIG_SHARE) += scan.o share.o\n"}, ALWAYS, CALLS),
        (OPTION, ALWAYS, {"mm/scan.c": CALLS["mm/scan.c"].replace(b"\treturn", b"#ifdef CONFIG_SHARE\n\treturn") + b"#endif\n"}),
        (OPTION, {}, {**CALLS, **ALWAYS}),
    ],
    ids=["upstream too", "always built", "stub", "caller needs it too", "guarded", "the patch builds it"],
)
def test_what_links_wherever_it_is_called(
    tmp_path: Path, release: Mapping[str, bytes], between: Mapping[str, bytes | None], patch: Mapping[str, bytes | None]
) -> None:
    assert found(tmp_path, release, between, patch) == []


@pytest.mark.parametrize(
    ("makefile", "needs"),
    [
        (b"obj-$(CONFIG_A) += x.o\n", {b"CONFIG_A"}),
        (b"obj-$(CONFIG_A) += a.o \\\n\tx.o\n", {b"CONFIG_A"}),
        (b"obj-$(CONFIG_A) += both.o\nboth-y := x.o\n", {b"CONFIG_A"}),
        (b"obj-$(CONFIG_A) += both.o\nboth-objs-$(CONFIG_B) := x.o\n", {b"CONFIG_A", b"CONFIG_B"}),
        (b"obj-$(CONFIG_A) += x.o\nobj-y += x.o # always\n", set()),
        (b"obj-$(CONFIG_A) += xx.o # x.o\n", set()),
        (b"both-y := both.o x.o\n", set()),
    ],
    ids=["plain", "continued", "composite", "composite with its own", "two ways", "another object", "a circle"],
)
def test_what_a_makefile_asks_for(makefile: bytes, needs: set[bytes]) -> None:
    files = {b"drivers/net/Makefile": makefile, b"drivers/Makefile": b"obj-$(CONFIG_NET) += net/\n"}
    assert built(files.get, b"drivers/net/x.c") == {*needs, b"CONFIG_NET"}
