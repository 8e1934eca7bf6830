"""What the guard sees in the text of a merge. Each case is made up to show one thing; the real ones stand in tests/kernel."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from backport.replay.guard.doubled import doubled, doubled_blocks
from backport.replay.guard.function import other_function
from backport.replay.guard.labels import absent_labels, other_labels
from backport.replay.guard.landed import Landed, Speaks, speaks_all
from backport.replay.guard.leftover import leftover
from backport.replay.guard.locals import other_locals
from backport.replay.guard.parsing import parses_worse
from backport.replay.guard.place import around, changes, head
from backport.replay.guard.returns import other_returns
from backport.replay.guard.second import second_place
from backport.replay.guard.standing import stands_otherwise
from backport.replay.guard.words import strange_words
from tests.gitrepo import Repo, numbered, replayed


def landed(base: bytes, ours: bytes, theirs: bytes, result: bytes, path: bytes = b"f.c", speaks: Speaks = speaks_all) -> Landed:
    return Landed(path, path, base, ours, theirs, result, speaks)


def faults(found: object) -> list[tuple[str, int, bool]]:
    return [(fault.what, fault.line, fault.sure) for fault in found]  # type: ignore[attr-defined]


def function(name: bytes, *body: bytes) -> bytes:
    return b"static int %s(struct box *box)\n{\n%s}\n\n" % (name, b"".join(b"\t%s\n" % row for row in body))


OPEN, SHUT = (
    function(b"open_box", b"int count;", b"count = box->size;"),
    function(b"shut_box", b"int count;", b"count = box->left;"),
)
FIXED = OPEN.replace(b"int count", b"unsigned long count")


def test_a_hunk_in_the_neighbouring_function_is_a_fault() -> None:
    wrong = OPEN + SHUT.replace(b"int count", b"unsigned long count")
    (fault,) = other_function(landed(OPEN + SHUT, OPEN + SHUT, FIXED + SHUT, wrong))
    assert (fault.what, fault.line, fault.sure) == ("open_box", 3, True)
    assert "shut_box" in fault.why


def test_a_hunk_in_its_function_is_none_wherever_that_stands() -> None:
    other = function(b"third", b"return box->kind;")
    assert not list(other_function(landed(OPEN + SHUT, SHUT + other + OPEN, FIXED + SHUT, SHUT + other + FIXED)))


def test_a_function_under_another_name_is_the_same_function() -> None:
    old, new = OPEN.replace(b"open_box", b"box_open"), FIXED.replace(b"open_box", b"box_open")
    assert not list(other_function(landed(OPEN + SHUT, old + SHUT, FIXED + SHUT, new + SHUT)))


def test_code_that_moved_whole_is_a_warning() -> None:
    body = [b"step_%s(box);" % word for word in (b"one", b"two", b"three", b"four", b"five", b"six", b"seven")]
    changed = [*body[:3], b"step_fourth(box, 4);", *body[4:]]
    inner = function(b"inner", b"return box->kind;")
    base, theirs = inner + function(b"outer", *body), inner + function(b"outer", *changed)
    split = function(b"outer", b"return inner(box);")
    ours, result = function(b"inner", *body) + split, function(b"inner", *changed) + split
    assert faults(other_function(landed(base, ours, theirs, result))) == [("outer", 11, False)]


def test_code_that_moved_whole_is_followed_as_far_as_it_is_alike() -> None:
    """Of three lines before and after the change, two tell something; there are more."""
    body = [b"check(box);", b"if (box->size < 0) {", b"\tret = -1;", b"\tgoto out;", b"}", b"",
            b"if (box->size > 9)", b"\tret = -2;", b"\tgoto out;", b""]  # fmt: skip
    changed = [*body[:6], b"if (box->size > 7)", *body[7:]]
    base, theirs = function(b"outer", *body), function(b"outer", *changed)
    split = function(b"outer", b"return inner(box);")
    ours, result = function(b"inner", *body) + split, function(b"inner", *changed) + split
    assert faults(other_function(landed(base, ours, theirs, result))) == [("outer", 9, False)]
    twice = ours + function(b"second", *body)
    assert faults(other_function(landed(base, twice, theirs, result + function(b"second", *body)))) == [("outer", 9, True)]


def entry(name: bytes, *more: bytes) -> bytes:
    return b'\t{\n\t\t.name = "%s",\n\t\t.mode = 0644,\n%s\t},\n' % (name, b"".join(b"\t\t%s\n" % row for row in more))


def test_a_hunk_in_another_entry_of_the_same_table_is_a_fault() -> None:
    table = b"static struct knob knobs[] = {\n%s};\n"
    one, two, limit = entry(b"volume"), entry(b"colour"), b".lowest = &zero_level,"
    base = table % (one + two)
    theirs = table % (entry(b"volume", limit) + two)
    (fault,) = other_function(landed(base, base, theirs, table % (one + entry(b"colour", limit))))
    assert "volume" in fault.what
    assert "colour" in fault.why
    assert not list(other_function(landed(base, table % (two + one), theirs, table % (two + entry(b"volume", limit)))))


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (b"int f(void)\n{\n\tx;\n}\n", 2, "f"),
        (b"int f(void)\n{\n}\n\nint g(void)\n{\n}\n", 3, ""),
        (b"int f(void)\n{\nout:\n\tx;\n}\n", 3, "f"),
        (b"int f(int a,\n\tint b);\n\n#define X 1\n", 3, ""),
        (b"SYSCALL_DEFINE1(f, int, a)\n{\n\tx;\n}\n", 2, "sys_f"),
        (b"static struct s t[] __initdata = {\n\t{ 1 },\n};\n", 1, "t"),
        (b"static struct s t[] = {\n\t{ 1 },\n};\nint a;\n", 3, ""),
        (b"", 0, ""),
    ],
)
def test_what_a_line_is_in(text: bytes, line: int, expected: str) -> None:
    assert around(text.splitlines(keepends=True), line) == expected


def test_heads_of_kconfig_and_assembly() -> None:
    assert head([b"config A\n", b"\tbool\n", b"config B\n", b"\tbool\n"], 3, b"x/Kconfig") == 2
    assert head([b"ENTRY(start)\n", b"\tnop\n"], 1, b"head.S") == 0


def test_changes_are_what_makes_one_text_of_the_other() -> None:
    for old, new in [
        (b"", b"a\n"),
        (b"a\n", b""),
        (b"a", b"a\n"),
        (numbered(9), numbered(9, l5=b"x")),
        (b"a\nb\na\n", b"a\na\n"),
    ]:
        rows = old.splitlines(keepends=True)
        for change in reversed(changes(old, new)):
            assert tuple(rows[change.old : change.old + len(change.removed)]) == change.removed
            rows[change.old : change.old + len(change.removed)] = change.added
        assert b"".join(rows) == new


def test_a_clean_merge_that_leaves_a_moved_line_is_suspect(repo: Repo, tmp_path: Path) -> None:
    """git merges this cleanly, and keeps the line: at its old place both sides took it away."""
    base = repo.commit({b"f.c": numbered(30, l5=b"\tint measured;")}, b"base\n")
    target = repo.on(base, {b"f.c": numbered(30, l5=b"", l15=b"line 15\n\tint measured;")}, b"target\n")
    patch = repo.on(base, {b"f.c": numbered(30, l5=b"", l25=b"patch")}, b"patch\n")
    with replayed(repo, [patch], target, tmp_path / "store", base) as session:
        (outcome,) = session.outcomes
        assert (outcome.verdict, outcome.tree) == ("suspect", "")
        assert "int measured;" in outcome.reason
        assert outcome.suggestions[0].rules == ("3-way",)
        assert [(found.kind, found.line) for found in session.replayed.findings] == [("left-over", 5)]


def test_left_over() -> None:
    line = b"\tunsigned int measured;\n"
    base, theirs = b"struct s {\n" + line + b"\tint a;\n\tint b;\n};\n", b"struct s {\n\tint a;\n\tint b;\n};\n"
    ours = b"struct s {\n\tint a;\n" + line + b"\tint b;\n};\n"
    assert faults(leftover(landed(base, ours, theirs, ours))) == [("unsigned int measured;", 2, True)]
    assert not list(leftover(landed(base, ours, theirs, theirs)))
    twice = base + b"void f(void)\n{\n" + line + b"}\n"  # another function's local of the same name stays
    assert not list(leftover(landed(twice, twice, twice.replace(line, b"", 1), twice.replace(line, b"", 1))))


@pytest.mark.parametrize(
    "line",
    [
        b"#include <linux/slab.h>",
        b"EXPORT_SYMBOL(open_box);",
        b"obj-$(CONFIG_BOX) += box.o",
        b"\t{ USB_DEVICE(0x1234, 0x0001) },",
    ],
)
def test_a_line_that_may_stand_once_is_not_added_again(line: bytes) -> None:
    base = numbered(30)
    theirs, ours = numbered(30, l5=b"line 5\n" + line), numbered(30, l25=b"line 25\n" + line)
    result = numbered(30, l5=b"line 5\n" + line, l25=b"line 25\n" + line)
    assert faults(doubled(landed(base, ours, theirs, result))) == [(line.decode().strip(), 6, True)]
    assert not list(doubled(landed(base, base, theirs, theirs)))


def test_a_line_that_may_stand_often_may_be_added_again() -> None:
    line = b"\tspin_lock(&box->lock);"
    result = numbered(30, l5=b"line 5\n" + line, l25=b"line 25\n" + line)
    ours, theirs = numbered(30, l25=b"line 25\n" + line), numbered(30, l5=b"line 5\n" + line)
    assert not list(doubled(landed(numbered(30), ours, theirs, result)))


STEP = (b"at = box->next;", b"if (at > last)", b"\tbreak;", b"at++;")


def test_a_block_that_the_target_has_in_the_function_already() -> None:
    """791b7f089548 on 2.6.27.y: the loop goes on to the next page twice."""
    base, theirs = function(b"walk", b"check(box);", b"write(box);"), function(b"walk", b"check(box);", *STEP, b"write(box);")
    ours = function(b"walk", b"count(box);", *STEP, b"check(box);", b"write(box);")
    result = function(b"walk", b"count(box);", *STEP, b"check(box);", *STEP, b"write(box);")
    assert faults(doubled_blocks(landed(base, ours, theirs, result))) == [("at = box->next;", 4, True)]
    assert not list(doubled_blocks(landed(base, base, theirs, theirs)))


LEAVE = (b"if (!box->open) {", b"\tret = -EINVAL;", b"\tgoto out_shut;", b"}")


def test_the_way_out_may_be_taken_again() -> None:
    """46256f83d0d0 on 2.6.32.y: aer_inject() leaves so in four places, and upstream's in three."""
    again = (b"if (box->left) {", *LEAVE[1:])
    base, theirs = function(b"walk", b"check(box);"), function(b"walk", *again, b"check(box);")
    ours, result = function(b"walk", *LEAVE, b"check(box);"), function(b"walk", *LEAVE, *again, b"check(box);")
    assert not list(doubled_blocks(landed(base, ours, theirs, result)))


def test_an_entry_of_a_table_may_say_what_another_says() -> None:
    """7a1d602f5fc3 on 2.6.32.y: the same callback for one more machine."""
    entry = b"\t{\n\t.callback = disable_it,\n\t.ident = \"a machine\",\n\t.matches = all_of_them,\n\t},\n"
    table = b"static struct machine machines[] = {\n%s};\n"
    base, theirs = table % b"\t{ 0 },\n", table % (entry + b"\t{ 0 },\n")
    ours, result = table % (entry + b"\t{ 1 },\n\t{ 0 },\n"), table % (entry + b"\t{ 1 },\n" + entry + b"\t{ 0 },\n")
    assert not list(doubled_blocks(landed(base, ours, theirs, result)))


def test_a_block_that_another_function_of_the_target_has() -> None:
    other = function(b"stroll", *STEP)
    base, theirs = function(b"walk", b"check(box);"), function(b"walk", b"check(box);", *STEP)
    assert not list(doubled_blocks(landed(base, other + base, theirs, other + theirs)))


@pytest.mark.parametrize("line", [b"\tint result = 0;\n", b" * @unlock: unlock rather than unmap\n"])
def test_a_declaration_or_a_comment_alone_is_no_copy(line: bytes) -> None:
    twice = b"int f(void)\n{\n" + line + b"\n\treturn first();\n}\n\nint g(void)\n{\n" + line + b"\n\treturn other();\n}\n"
    base = twice.replace(b"int g", b"int h").replace(line, b"", 1)
    assert not list(second_place(landed(base, twice, base.replace(line, b""), twice.replace(line, b"", 1))))


def test_a_second_copy_in_the_target_needs_the_patch_as_well() -> None:
    copy = SHUT.replace(b"shut_box", b"shut_old_box")
    fixed = SHUT.replace(b"box->left;", b"box->left - 1;")
    assert faults(second_place(landed(OPEN + SHUT, OPEN + copy + SHUT, OPEN + fixed, OPEN + copy + fixed)))
    assert not list(second_place(landed(copy + SHUT, copy + OPEN + SHUT, copy + fixed, copy + OPEN + fixed)))


def listed(name: bytes, flags: bytes) -> bytes:
    return b'LISTED( %s,\n\t"of that name",\n\tUSUAL_KIND,\n\t%s ),\n\n' % (name, flags)


def option(name: bytes, text: bytes) -> bytes:
    return b"config %s\n\tbool\n\n\t  %s\n\n" % (name, text)


def levels(name: bytes, flags: bytes) -> bytes:
    return b"#define %s {\t\\\n\t.kind = USUAL\t\\\n\t| %s\t\\\n\t| COMMON_FLAG,\t\\\n}\n\n" % (name, flags)


@pytest.mark.parametrize(
    ("one", "path"),
    [
        (listed, b"f.h"),
        (levels, b"f.h"),
        (lambda name, text: b"config %s\n\tbool\n\n\t  %s\n\n" % (name, text), b"drivers/Kconfig"),
    ],
)
def test_what_reads_alike_in_another_entry_is_no_copy(one: Callable[[bytes, bytes], bytes], path: bytes) -> None:
    old, new, other = b"OLD_FLAG_AS_IT_WAS", b"OLD_FLAG_AND_MORE", b"UNUSUAL_FLAG"
    base, theirs = one(b"MC", old) + one(b"CPU", other), one(b"MC", new) + one(b"CPU", other)
    ours, result = one(b"MC", old) + one(b"CPU", old), one(b"MC", new) + one(b"CPU", old)
    assert not list(second_place(landed(base, ours, theirs, result, path)))
    twice, mended = one(b"MC", old) + one(b"MC", old), one(b"MC", new) + one(b"MC", old)
    assert faults(second_place(landed(base, twice, theirs, mended, path)))


def test_a_define_that_upstream_does_not_have_may_be_a_copy() -> None:
    old, new = levels(b"MC", b"OLD_FLAG_AS_IT_WAS"), levels(b"MC", b"OLD_FLAG_AND_MORE")
    copy = levels(b"MC_OLD", b"OLD_FLAG_AS_IT_WAS")
    assert faults(second_place(landed(old, old + copy, new, new + copy)))


def test_a_table_of_macros_is_no_c_before_and_after() -> None:
    def table(*names: bytes) -> bytes:
        return b"static struct entry table[] = {\n%s};\n" % b"".join(b"ALLOWED(%s)\n" % name for name in names)

    base, theirs = table(b"ONE", b"TWO"), table(b"ONE", b"TWO", b"NEW")
    ours, result = table(b"ONE", b"TWO", b"OLD"), table(b"ONE", b"TWO", b"NEW", b"OLD")
    assert not list(parses_worse(landed(base, ours, theirs, result)))


def test_a_line_of_another_function_is_not_left_over_where_the_code_is_in_another_file() -> None:
    line = b"weight = weigh_all(box);"
    weigh, size = function(b"weigh", line, b"return weight;"), function(b"size", b"size = weigh_all(box);")
    light, fixed = (text.replace(b"weigh_all(box)", b"box->weight") for text in (weigh, size))
    other = function(b"of_its_own", line, b"use(weight);")
    here = Landed(b"old.c", b"new.c", weigh + size, other + size, light + fixed, other + fixed)  # weigh() is in another file
    assert not list(leftover(here))
    assert faults(leftover(replace(here, path=b"new.c")))
    assert faults(leftover(replace(here, ours=weigh + size, result=weigh + fixed)))


def test_a_function_that_is_no_c_any_more() -> None:
    base = function(b"f", b"if (box)", b"\tgo(box);", b"return 0;")
    ours = base.replace(b"return 0", b"return 1")
    theirs = base.replace(b"if (box)", b"if (box) {").replace(b"go(box);", b"go(box);\n\t}")
    torn = ours.replace(b"if (box)", b"if (box) {")
    assert [fault.why for fault in parses_worse(landed(base, ours, theirs, torn))] == ["the merged function is no C any more"]
    whole = theirs.replace(b"return 0", b"return 1")
    assert not list(parses_worse(landed(base, ours, theirs, whole)))


@dataclass
class Dictionary:
    words: set[bytes]
    asked: list[bytes]

    def __call__(self, words: Collection[bytes], pattern: str) -> set[bytes]:
        self.asked += sorted(words)
        return self.words & set(words)


TABLE = b"DEVICE(1, %s_DISK)\nDEVICE(2, %s_DISK)\n"


@pytest.mark.parametrize(("known", "expected"), [(set(), [("NEW_DISK", 3, True)]), ({b"NEW_DISK"}, [])])
def test_a_word_that_the_target_spells_otherwise(known: set[bytes], expected: list[tuple[str, int, bool]]) -> None:
    """Macro tables are no declarations; only the words tell."""
    base, ours, line = TABLE % (b"NEW", b"NEW"), TABLE % (b"OLD", b"OLD"), b"DEVICE(3, NEW_DISK)\n"
    speaks = Dictionary(known, [])
    assert faults(strange_words(landed(base, ours, base + line, ours + line, b"t.h", speaks=speaks))) == expected
    assert speaks.asked == [b"NEW_DISK"]


def test_a_word_that_the_patch_itself_declares_or_only_comments_on_is_not_asked_about() -> None:
    base, ours = b"int old_name(void);\n", b"int x;\n"
    added = b"struct box old_name;\nuse(old_name);\n/* like old_name */\n"
    speaks = Dictionary(set(), [])
    assert not list(strange_words(landed(base, ours, base + added, ours + added, speaks=speaks)))
    assert not speaks.asked


def test_a_select_of_a_symbol_that_nothing_defines() -> None:
    base = b"config BOX\n\ttristate\n"
    line = b"\tselect LID\n"
    speaks = Dictionary({b"HINGE"}, [])
    assert faults(strange_words(landed(base, base, base + line, base + b"\n" + line, b"d/Kconfig", speaks=speaks))) == [
        ("LID", 3, True)
    ]
    known = b"\tselect HINGE\n"
    assert not list(strange_words(landed(base, base, base + known, base + b"\n" + known, b"d/Kconfig", speaks=speaks)))


def test_an_added_line_that_asks_for_a_symbol_that_nothing_defines() -> None:
    base, line = b"int a;\n", b"#if defined(CONFIG_LID) || defined(CONFIG_HINGE_MODULE)\nint b;\n#endif\n"
    speaks = Dictionary({b"HINGE"}, [])
    found = strange_words(landed(base, b"int c;\n" + base, base + line, b"int c;\n" + base + line, speaks=speaks))
    assert faults(found) == [("LID", 2, True)]


def test_a_symbol_that_another_file_of_the_patch_defines() -> None:
    """As in most patches that bring a feature: Kconfig and Makefile, or a symbol and one that depends on it."""
    base, line = b"obj-y += a.o\n", b"obj-$(CONFIG_LID) += lid.o\n"
    nobody, brought = Dictionary(set(), []), {b"d/Kconfig": b"config LID\n\tbool\n"}
    makefile = replace(landed(base, b"# x\n" + base, base + line, b"# x\n" + base + line, b"d/Makefile"), speaks=nobody)
    assert faults(strange_words(makefile)) == [("LID", 2, True)]
    assert not list(strange_words(replace(makefile, brought=brought)))
    two = b"config LID\n\tbool\n\nconfig KNOB\n\tbool\n\tdepends on LID\n"
    kconfig = replace(landed(b"", b"# x\n", two, b"# x\n" + two, b"d/Kconfig"), speaks=nobody)
    assert not list(strange_words(replace(kconfig, brought={b"d/Kconfig": two})))


def test_a_value_that_the_target_alone_reads_twice() -> None:
    base = b"int tos(struct flow *f)\n{\n\treturn f->tos;\n}\n\nvoid set(struct flow *f)\n{\n\tf->tos = 1;\n}\n"
    more = b"int same(struct flow *f, int tos)\n{\n\treturn tos == f->tos;\n}\n"
    theirs = base.replace(b"return f->tos", b"return MASK & f->tos")
    assert faults(second_place(landed(base, base + more, theirs, theirs + more))) == [("f->tos", 3, True)]
    other = more.replace(b"f->tos", b"f->ttl")
    assert not list(second_place(landed(base, base + other, theirs, theirs + other)))


def test_a_declaration_of_the_patch_in_a_header_that_the_target_does_not_include() -> None:
    base, ours = b"#include <asm/lid.h>\nint a;\n", b"int a;\n"
    line = b"int b = lid_open(1);\n"
    brought = {b"arch/x86/include/asm/lid.h": b"extern int lid_open(int);\n\tint lid_open;\n"}

    def made(there: bytes) -> Landed:
        return Landed(b"f.c", b"f.c", base, there, base + line, there + line, speaks_all, brought)

    assert faults(strange_words(made(ours))) == [("lid_open", 3, True)]
    assert not list(strange_words(made(b"/* mine */\n" + base)))
    line = b"int b = box->lid_open;\n"
    assert not list(strange_words(made(ours)))


LEAVES = b"static int put(struct box *box)\n{\n\tint ret = 0;\n\n%s\treturn ret;\n}\n"
JUMP = b"\tif (!box->lid)\n\t\tgoto out;\n"


def test_a_goto_whose_label_the_targets_function_lacks() -> None:
    """Upstream's function has the label, and in the target only another function does."""
    other = b"static int get(struct box *box)\n{\n\tif (!box)\n\t\tgoto out;\nout:\n\treturn 0;\n}\n\n"
    upstream, target = LEAVES.replace(b"\treturn", b"out:\n\treturn"), other + LEAVES
    texts = (upstream % b"", target % b"", upstream % JUMP, target % JUMP)
    assert faults(absent_labels(landed(*texts))) == [("out", 6, True)]
    whole = (upstream % b"", upstream % b"\tint x;\n", upstream % JUMP, upstream % (b"\tint x;\n" + JUMP))
    assert not list(absent_labels(landed(*whole)))


def test_a_label_that_a_macro_makes_is_believed_where_the_function_jumped_there_before() -> None:
    before = LEAVES % (b"\tOUT_LABEL(box);\n" + JUMP)
    after = LEAVES % (b"\tOUT_LABEL(box);\n" + JUMP + b"\tif (box->full)\n\t\tgoto out;\n")
    assert not list(absent_labels(landed(before, before, after, after)))


WORK = b"""static int put(struct box *box)
{
	char *copy;

	lock(box);
%s	copy = make(box);
	fill(box, copy);
%s	return 0;
}
"""
ENDS = {
    "upstream": b"	drop(copy);\nout:\n	unlock(box);\n",
    "all of it": b"out:\n	drop(copy);\n	unlock(box);\n",
    "nothing of it": b"	drop(copy);\n	unlock(box);\nout:\n",
    "another name": b"	drop(copy);\nout:\n	release(box);\n",
    "more in some cases": b"	drop(copy);\nout:\n	if (copy)\n		drop(copy);\n	unlock(box);\n",
    "the same": b"	drop(copy);\n	count(box);\nout:\n	unlock(box);\n",
}


@pytest.mark.parametrize(
    ("ends", "told"),
    [("all of it", "drop"), ("nothing of it", "unlock"), ("another name", ""), ("more in some cases", ""), ("the same", "")],
)
def test_a_goto_whose_label_leads_to_other_work(ends: str, told: str) -> None:
    """The copy is not yet made where the patch jumps."""
    upstream, target = ENDS["upstream"], ENDS[ends]
    texts = [WORK % (jump, end) for jump in (b"", JUMP) for end in (upstream, target)]
    found = list(other_labels(landed(*texts)))
    assert [(fault.what, fault.line, told in fault.why) for fault in found] == ([("out", 7, True)] if told else [])


def leaving(kind: bytes, value: bytes = b"", *, late: bytes = b"") -> bytes:
    early = b"\tif (!box->lid)\n\t\treturn%s;\n" % value if value != b"-" else b""
    return b"%sseal_box(struct box *box)\n{\n%s\tbox->sealed = 1;\n%s}\n" % (kind, early, late)


@pytest.mark.parametrize(
    ("upstream", "target", "value"),
    [
        (b"static int ", b"static void ", b" 0"),
        (b"static int\n", b"static void\n", b" 0"),
        (b"static void ", b"int ", b""),
        (b"struct box *", b"static int ", b" NULL"),
        (b"static int ", b"static struct box *", b" -EINVAL"),
        (b"static int ", b"static bool ", b" -EINVAL"),
    ],
)
def test_a_return_of_what_the_target_does_not_give_is_a_fault(upstream: bytes, target: bytes, value: bytes) -> None:
    base, ours = leaving(upstream, b"-"), leaving(target, b"-")
    (fault,) = other_returns(landed(base, ours, leaving(upstream, value), leaving(target, value)))
    assert fault.what == (b"return%s;" % value).decode()
    assert "seal_box" in fault.why


@pytest.mark.parametrize(
    ("upstream", "target", "value"),
    [
        (b"static int ", b"static int ", b" 0"),
        (b"static void ", b"static void ", b" 0"),  # upstream's own fault
        (b"static int ", b"static bool ", b" 0"),
        (b"static bool ", b"static int ", b" true"),
        (b"static int ", b"static struct box *", b" box->next"),
        (b"static int ", b"SEALING(void) ", b" 0"),
    ],
)
def test_a_return_that_the_target_can_give_is_none(upstream: bytes, target: bytes, value: bytes) -> None:
    base, ours = leaving(upstream, b"-"), leaving(target, b"-")
    assert not list(other_returns(landed(base, ours, leaving(upstream, value), leaving(target, value))))


def test_a_return_in_a_comment_is_none() -> None:
    base, ours = leaving(b"static int ", b"-"), leaving(b"static void ", b"-")
    said = (text.replace(b"\tbox->sealed", b"\t/* or\n\t * return 0;\n\t */\n\tbox->sealed") for text in (base, ours))
    assert not list(other_returns(landed(base, ours, *said)))


CARE = b"box_check(box, 3);"
LOCKED = (b"mutex_lock(&box->lock);", b"box->size++;", b"box->left--;", b"mutex_unlock(&box->lock);", b"box_show(box);")
CHOICE = (
    b"switch (box->kind) {",
    b"case ROUND:",
    b"\tturn(box);",
    b"\tbreak;",
    b"case FLAT:",
    b"\tturn(box);",
    b"\tbreak;",
    b"}",
)


def put(rows: tuple[bytes, ...], *at: int) -> bytes:
    """A function with the line CARE before some rows."""
    return function(b"care", *(more for n, row in enumerate(rows) for more in ((CARE, row) if n in at else (row,))))


def standing(upstream: tuple[bytes, ...], at: int, target: tuple[bytes, ...], to: int) -> list[str]:
    made = landed(put(upstream), put(target), put(upstream, at), put(target, to))
    return [fault.why for fault in stands_otherwise(made)]


def conditional(*rows: bytes, first: int, last: int) -> tuple[bytes, ...]:
    return (*rows[:first], b"#ifdef CONFIG_BOX", *rows[first:last], b"#endif", *rows[last:])


def test_a_line_under_an_if_that_upstream_has_not_is_a_fault() -> None:
    more = conditional(*LOCKED, first=1, last=3)
    (why,) = standing(LOCKED, 2, more, 3)
    assert "#ifdef CONFIG_BOX in the target" in why
    (why,) = standing(more, 3, LOCKED, 2)
    assert "#ifdef CONFIG_BOX upstream" in why
    assert not standing(more, 3, tuple(row.replace(b"#ifdef CONFIG_BOX", b"#if defined(CONFIG_BOXES)") for row in more), 3)
    assert not standing(LOCKED, 0, more, 0)
    assert not standing(LOCKED, 4, more, 6)


def test_a_line_in_another_case_is_a_fault() -> None:
    (why,) = standing(CHOICE, 2, CHOICE, 5)
    assert why == "it is in case FLAT in the target, and in case ROUND upstream"
    assert standing(
        CHOICE, 2, tuple(row.replace(b"FLAT", b"X").replace(b"ROUND", b"FLAT").replace(b"X", b"ROUND") for row in CHOICE), 2
    )
    assert not standing(CHOICE, 2, CHOICE, 2)
    assert not standing(CHOICE, 2, (*CHOICE[:1], b"case LONG:", *CHOICE[1:]), 3)
    assert not standing(CHOICE, 2, tuple(row.replace(b"ROUND", b"ROUND_OLD") for row in CHOICE), 2)


def test_a_line_on_the_other_side_of_a_lock_is_a_fault() -> None:
    (why,) = standing(LOCKED, 2, (*LOCKED[:2], LOCKED[3], LOCKED[2], LOCKED[4]), 3)
    assert why == "it is on the other side of mutex_unlock(&box->lock) in the target"
    irq = tuple(row.replace(b"mutex_lock(&box->lock", b"raw_spin_lock_irqsave(&box->lock, flags") for row in LOCKED)
    assert not standing(LOCKED, 2, irq, 2)
    assert not standing(LOCKED, 2, (LOCKED[1], LOCKED[2], LOCKED[4]), 1)
    assert not standing(LOCKED, 1, (LOCKED[1], LOCKED[0], *LOCKED[2:]), 2)


def test_a_line_that_a_merge_puts_into_a_block_is_a_fault() -> None:
    block = (b"if (box->open) {", *LOCKED, b"}")
    (why,) = standing(LOCKED, 2, block, 3)
    assert why == "it is 1 deeper in the target"
    (why,) = standing(block, 3, LOCKED, 2)
    assert why == "it is 1 deeper upstream"
    made = landed(put(LOCKED), put(block), put(LOCKED, 2), put(block, 3))
    assert list(stands_otherwise(replace(made, by_rule=True)))
    gone, less = (*LOCKED[:2], *LOCKED[3:]), (*block[:3], *block[4:])
    made = landed(put(LOCKED), put(block), put(gone, 2), put(less, 3))
    assert list(stands_otherwise(made))
    assert not list(stands_otherwise(replace(made, by_rule=True)))  # it stands for lines that are as deep
    assert not standing(LOCKED, 2, (b'print("{");  /* { */', *LOCKED), 3)


def using(given: bytes, own: bytes, line: bytes = b"") -> bytes:
    """A function of those parameters and locals, with a line more; its file speaks of struct box, crate and lid."""
    known = b"struct box;\nstruct crate;\nunion lid;\n\n"
    return known + b"static int seal(%s)\n{\n\t%s\n\n\tprepare();\n%s\treturn 0;\n}\n" % (given, own, line and b"\t%s\n" % line)


def used(upstream: tuple[bytes, bytes], target: tuple[bytes, bytes], line: bytes) -> list[str]:
    base, ours = using(*upstream), using(*target)
    found = list(other_locals(landed(base, ours, using(*upstream, line), using(*target, line))))
    assert all(
        fault.what == line.decode() and fault.line == using(*upstream, line).split(b"\n").index(b"\t" + line) + 1
        for fault in found
    )
    return [fault.why for fault in found]


@pytest.mark.parametrize(
    ("upstream", "target", "line", "why"),
    [
        (b"struct box *it;", b"struct box it;", b"it->size = 0;", "it is struct box in the target, and struct box * upstream"),
        (b"struct box *it;", b"struct crate *it;", b"fill(it);", "it is struct crate * in the target, and struct box * upstream"),
        (b"struct box *it;", b"union lid *it;", b"fill(it);", "it is union lid * in the target, and struct box * upstream"),
        (b"struct box *it;", b"unsigned long it;", b"fill(it);", "it is unsigned long in the target, and struct box * upstream"),
        (b"int it;", b"int *it;", b"it = -1;", "it is int * in the target, and int upstream"),
        (b"int it[4];", b"int it;", b"fill(it);", "it is int in the target, and int [] upstream"),
        (b"char it[4];", b"char *it;", b"clear(it, sizeof(it));", "it is char * in the target, and char [] upstream"),
        (b"int n, *it;", b"int n = f(1, 2), it = 0;", b"fill(it);", "it is int in the target, and int * upstream"),
        (b"void *it;", b"u32 it;", b"fill(it);", "it is u32 in the target, and void * upstream"),
        (b"lid_t *it;", b"lid_t it;", b"fill(it);", "it is lid_t in the target, and lid_t * upstream"),
    ],
)
def test_a_local_or_a_parameter_that_the_target_declares_otherwise(upstream: bytes, target: bytes, line: bytes, why: str) -> None:
    assert used((b"void", upstream), (b"void", target), line) == [why]
    if b"," not in upstream + target:
        given = [b"int count,\n\t\tstruct crate *from, %s" % kind.rstrip(b";") for kind in (upstream, target)]
        assert used((given[0], b"int n;"), (given[1], b"int n;"), line) == [why]


@pytest.mark.parametrize(
    ("upstream", "target", "line"),
    [
        (b"struct box *it;", b"const struct box *it = NULL;", b"fill(it);"),
        (b"struct box *it;", b"register struct box const *it;", b"fill(it);"),
        (b"char __user *it;", b"char *it;", b"fill(it);"),
        (b"unsigned long int it;", b"long unsigned it;", b"fill(it);"),
        (b"int it;", b"long it;", b"fill(it);"),
        (b"int n, *it;", b"int *it, n;", b"fill(it, n);"),
        (b"int n;\n\tint *it;", b"int n = first(1, 2), *it;", b"fill(it, n);"),
        (b"lid_t it;", b"struct box *it;", b"fill(it);"),
        (b"u8 it[4];", b"u8 *it;", b"fill(it);"),
        (b"union lid it;", b"char it[64];", b"fill(&it);"),
        (b"struct box *it;", b"struct box it;", b"box->it = box.it;"),
        (b"struct box *it;", b"struct box it;", b"goto it;"),
        (b"struct box *it;", b"struct box it;", b"it(1);"),
        (b"struct box *it;", b"struct box it;", b'printk("it fails");'),
        (b"struct box *it;", b"struct box it;", b"list_for_each_entry(pos, &box->all, it)"),
        (b"struct box *it;", b"struct box *uninitialized_var(it);", b"fill(it);"),
        (b"struct box *it;", b"struct box it; {\n\tstruct box *it;\n\tfill(it); }", b"open(it);"),
        (b"struct box *it;", b"int (*it)(struct box it, int n);", b"fill(it);"),
    ],
)
def test_a_local_that_means_the_same_or_cannot_be_told_is_none(upstream: bytes, target: bytes, line: bytes) -> None:
    assert not used((b"void", upstream), (b"void", target), line)


def test_a_tag_that_the_target_does_not_know_may_be_another_name_of_its_own() -> None:
    assert not used((b"void", b"struct new_box *it;"), (b"void", b"struct box *it;"), b"fill(it);")


def test_parameters_in_the_style_before_prototypes_are_not_read() -> None:
    texts = [
        using(b"it", b"int n;").replace(b"seal(it)\n", b"seal(it)\n\t%s;\n" % kind) for kind in (b"struct box *it", b"int it")
    ]
    after = [text.replace(b"\treturn", b"\tfill(it);\n\treturn") for text in texts]
    assert not list(other_locals(landed(texts[0], texts[1], after[0], after[1])))


def test_a_line_that_is_added_once_is_the_same_in_a_function_of_another_name() -> None:
    texts = [using(b"void", own, line) for line in (b"", b"fill(it);") for own in (b"struct box *it;", b"struct crate *it;")]
    other = [text.replace(b"int seal", b"int shut") if number % 2 else text for number, text in enumerate(texts)]
    assert [fault.what for fault in other_locals(landed(*other))] == ["fill(it);"]
