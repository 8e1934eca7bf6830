"""What some lines of a file ask for."""

from __future__ import annotations

from backport.csource.uses import asked

TEXT = b"""#include <linux/mm.h>
#define HELPER(x) do_it(x, LIMIT)
static int old(struct vm *vma, unsigned long end)
{
	int kept;

	kept = fresh(vma->flags, s.member, "word");	/* comment */
	struct other *p = &(struct other) { .init = INIT_VALUE };
	goto fail;
	switch (end) { case CASE_ONE: break; }
fail:
	return kept;
}
int proto(struct thing *arg, unsigned long start,
	type_t value);
static struct ops table = { open: my_open, read: my_read };
#ifdef CONFIG_ODD
int a##b;
#endif
"""


def used(*lines: int) -> dict[bytes, tuple[str, str]]:
    return {use.name: (use.role, use.scope) for use in asked(TEXT, lines).uses}


def test_members_designators_literals_and_comments_are_no_names() -> None:
    assert used(7) == {b"kept": ("name", "local"), b"fresh": ("call", ""), b"vma": ("name", "parameter"), b"s": ("name", "")}
    assert used(8) == {b"other": ("tag", ""), b"INIT_VALUE": ("name", "")}
    assert used(16) == {b"ops": ("tag", ""), b"my_open": ("name", ""), b"my_read": ("name", "")}


def test_labels_and_cases() -> None:
    assert used(9) == {b"fail": ("label", "label")}
    assert used(10) == {b"end": ("name", "parameter"), b"CASE_ONE": ("name", "")}
    assert used(9, 11) == {}


def test_macro_parameters_and_conditions_are_not_asked_about() -> None:
    assert used(2) == {b"do_it": ("call", ""), b"LIMIT": ("name", "")}
    assert used(17) == {}
    assert used(18) == {}


def test_parameters_of_prototypes_are_their_own() -> None:
    assert used(14, 15) == {b"thing": ("tag", ""), b"type_t": ("name", "")}


def test_what_the_lines_declare_themselves() -> None:
    found = asked(TEXT, [1, 2, 5, 7, 16])
    assert {d.name for d in found.declares} == {b"HELPER", b"table"}
    assert (b"old", b"kept") in found.locals
    assert [i.path for i in found.includes] == [b"linux/mm.h"]
    assert b"kept" not in {use.name for use in found.uses}


def test_members_that_macros_are_given_are_no_names() -> None:
    text = (
        b"static struct a *f(struct b *pos, struct list_head *head)\n{\n"
        b"\tlist_for_each_entry(pos, head, link.next)\n\t\tg(offsetof(struct c, first));\n"
        b"\treturn container_of(pos,\n\t\tstruct a,\n\t\tinner);\n}\nint entry(int x, int plain);\n"
    )
    found = asked(text, range(1, 10))
    assert [(a.name, a.line, a.tag, a.root) for a in found.members if a.tag and not a.path] == [
        (b"link", 3, b"b", b"pos"),
        (b"first", 4, b"c", b""),
        (b"inner", 7, b"a", b""),
    ]
    assert {u.name for u in found.uses} & {b"link", b"first", b"inner"} == set()
    assert asked(text, [4]).members[0].name == b"first"


def test_the_name_of_a_system_call_is_declared_and_not_used() -> None:
    text = b"SYSCALL_DEFINE1(mmap, unsigned long, addr)\n{\n\treturn map(addr);\n}\n"
    assert {use.name for use in asked(text, [1]).uses} == {b"SYSCALL_DEFINE1"}
