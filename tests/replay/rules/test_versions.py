"""Versions that the target has of its own."""

from __future__ import annotations

import pytest

from backport.replay.rules.versions import versions
from tests.replay.rules.ask import ask, best, text

FRAME = b"#include <linux/a.h>\n\n%s\nstatic int one;\n%sstatic int two;\n"


def of(driver: bytes, more: bytes = b"") -> bytes:
    return FRAME % (driver, more)


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        (b'#define DRV_VERSION\t"%s"\n', True),
        (b'#define DRV_MODULE_RELDATE "%s" /* of release */\n', True),
        (b'MODULE_VERSION("%s");\n', True),
        (b'#define FW_VERSION "%s"\n', False),  # a file is looked for by this name
        (b'#define DRV_NAME "%s"\n', False),
        (b"#define DRV_VERSION %s\n", False),  # a number may be compared
        (b'#define DRV_VERSION "%s" SUFFIX(1)\n', False),
    ],
)
def test_the_target_keeps_its_own(form: bytes, kept: bool) -> None:
    base, ours, theirs = (of(form % number) for number in (b"2.0.0", b"1.8.0", b"2.0.1"))
    found = best(base, ours, theirs)
    assert (found is not None and found.rule == "versions") == kept
    if kept:
        assert found is not None
        assert found.sure
        assert text(found) == ours


def test_a_date_that_is_the_same_stays_with_its_version() -> None:
    two = b'#define DRV_VERSION "%s"\n#define DRV_RELDATE "%s"\n'
    base, ours, theirs = of(two % (b"2.0", b"May")), of(two % (b"1.8", b"May")), of(two % (b"2.1", b"June"))
    assert text(best(base, ours, theirs)) == ours


def test_what_else_the_patch_does_is_done() -> None:
    form, more = b'#define DRV_VERSION "%s"\n', b"static int new;\n"
    found = best(of(form % b"2.0"), of(form % b"1.8"), of(form % b"2.1", more))
    assert found is not None
    assert found.sure
    assert text(found) == of(form % b"1.8", more)


def test_the_same_version_is_merged() -> None:
    form = b'#define DRV_VERSION "%s"\n'
    assert ask(versions, of(form % b"2.0"), of(form % b"2.0"), of(form % b"2.1")) is None
