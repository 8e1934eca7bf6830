"""Ordered lists."""

from __future__ import annotations

from backport.replay.rules.lists import lists
from tests.replay.rules.ask import ask, best, text

MAKE = b"Makefile"
TABLE = b"static struct id table[] = {\n%s\t{ }\n};\n"


def entries(*numbers: int) -> bytes:
    return TABLE % b"".join(b"\t{ USB_DEVICE(0x05ac, 0x%04x) },\n" % n for n in numbers)


def test_a_word_goes_beside_one_that_the_target_lacks() -> None:
    base = b"obj-m := one/ two/ \\\n\tspi/ timers/ video/ vm/\n"
    ours, theirs = base.replace(b"timers/ ", b""), base.replace(b"video/ ", b"")
    found = ask(lists, base, ours, theirs, MAKE)
    assert found is not None
    assert found.sure
    assert text(found, MAKE) == b"obj-m := one/ two/ \\\n\tspi/ vm/\n"


def test_a_word_comes_behind_the_one_that_it_follows() -> None:
    base = b"x-objs := a.o b.o c.o\n"
    found = ask(lists, base, b"x-objs := a.o b.o d.o\n", b"x-objs := a.o b.o new.o c.o\n", MAKE)
    assert text(found, MAKE) == b"x-objs := a.o b.o new.o d.o\n"


def test_a_word_whose_neighbour_is_not_there_is_nothing() -> None:
    base = b"x-objs := a.o b.o c.o\n"
    assert ask(lists, base, b"x-objs := a.o c.o\n", b"x-objs := a.o b.o new.o c.o\n", MAKE) is None


def test_entries_of_both_sides_in_a_sorted_table() -> None:
    base, ours = entries(0x8205, 0x8207, 0x820A, 0x8300), entries(0x8205, 0x8207, 0x820A, 0x821A, 0x8300)
    found = best(base, ours, entries(0x8205, 0x8207, 0x820A, 0x8218, 0x8300))
    assert found is not None
    assert found.sure
    assert text(found) == entries(0x8205, 0x8207, 0x820A, 0x8218, 0x821A, 0x8300)


def test_entries_of_both_sides_in_a_table_without_order_are_not_sure() -> None:
    base, ours = entries(0x8300, 0x8207, 0x8405), entries(0x8300, 0x8207, 0x821A, 0x8405)
    found = best(base, ours, entries(0x8300, 0x8207, 0x8218, 0x8405))
    assert found is None or not found.sure


def test_includes_of_both_sides_in_order() -> None:
    head = b"#include <linux/a.h>\n#include <linux/c.h>\n%s#include <linux/k.h>\n#include <linux/z.h>\n\nint x;\n"
    found = best(head % b"", head % b"#include <linux/e.h>\n", head % b"#include <linux/d.h>\n")
    assert found is not None
    assert text(found) == head % b"#include <linux/d.h>\n#include <linux/e.h>\n"


def test_an_entry_that_the_target_has_is_not_doubled() -> None:
    base, ours = entries(0x8205, 0x8207, 0x820A), entries(0x8205, 0x8206, 0x8207, 0x820A)
    found = best(base, ours, entries(0x8205, 0x8206, 0x8207, 0x820B))
    assert found is None or (text(found) or b"").count(b"0x8206") == 1


def test_kconfig_lines_stay_in_their_entry() -> None:
    config = b"config ONE\n\tbool\n\tselect A\n\nconfig TWO\n\tbool\n\tselect B\n%s"
    base, ours = config % b"", (config % b"").replace(b"\tselect A\n", b"\tselect OLD_A\n")
    theirs = base.replace(b"\tselect A\n", b"\tselect A\n\tselect NEW\n")
    found = best(base, ours, theirs, b"drivers/Kconfig")
    assert found is not None
    assert (text(found, b"drivers/Kconfig") or b"").startswith(b"config ONE\n\tbool\n\tselect OLD_A\n\tselect NEW\n")
    assert found.evidence[0].function == "ONE"
