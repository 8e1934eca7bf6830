"""Context drift: what is recognised, and the look-alikes."""

from __future__ import annotations

from backport.replay.rules.anchor import anchor
from tests.replay.rules.ask import ask, text

BASE = b"""int probe(struct card *card)
{
	int err = setup(card);

	reset_hard(card, 1);
	card->users = 0;
	return err;
}
"""


def test_the_line_beside_reads_differently() -> None:
    ours = BASE.replace(b"reset_hard(card, 1)", b"reset(card)")
    theirs = BASE.replace(b"card->users = 0;", b"card->users = 1;")
    found = ask(anchor, BASE, ours, theirs)
    assert found is not None
    assert found.sure
    assert text(found) == ours.replace(b"card->users = 0;", b"card->users = 1;")
    assert found.evidence[0].function == "probe"
    assert found.evidence[0].line == 6
    assert found.evidence[0].offset == 0
    assert "same-lines" in found.evidence[0].checks


def test_blanks_may_differ_in_what_goes() -> None:
    ours = BASE.replace(b"\tcard->users = 0;", b"        card->users  =  0;")
    theirs = BASE.replace(b"card->users = 0;", b"card->users = 1;")
    found = ask(anchor, BASE, ours, theirs)
    assert found is not None
    assert found.sure
    assert b"card->users = 1;\n" in (text(found) or b"")
    assert b"users  =" not in (text(found) or b"")


def test_blanks_for_a_tab_are_no_shift() -> None:
    ours = BASE.replace(b"\tcard->users = 0;", b"        card->users = 0;").replace(b"reset_hard(card, 1)", b"reset(card)")
    theirs = BASE.replace(b"\tcard->users = 0;", b"\tcard->users = 1;\n\tcard->left = 2;")
    assert b"\tcard->users = 1;\n\tcard->left = 2;\n" in (text(ask(anchor, BASE, ours, theirs)) or b"")


def test_a_blank_line_is_not_doubled() -> None:
    base = BASE.replace(b"\treturn err;", b"\n\tlog(card);\n\treturn err;")
    ours = base.replace(b"\tlog(card);\n", b"\tlog(card);\n\n").replace(b"card->users = 0;", b"card->users = 3;")
    found = ask(anchor, base, ours, base.replace(b"\tlog(card);\n", b""))
    assert text(found) == ours.replace(b"\tlog(card);\n\n", b"")


def test_lines_indented_by_something_else_than_tabs_are_not_sure() -> None:
    ours = BASE.replace(b"\tcard->users = 0;", b"  card->users = 0;")
    theirs = BASE.replace(b"card->users = 0;", b"card->users = 1;")
    found = ask(anchor, BASE, ours, theirs)
    assert found is not None
    assert not found.sure


def test_added_where_what_parted_the_neighbours_is_not_in_the_target() -> None:
    base = BASE.replace(b"\tint err = setup(card);\n", b"\tint err = setup(card);\n\tint left = 3;\n")
    theirs = base.replace(b"\tint left = 3;\n", b"\tint left = 3;\n\tint seen = 0;\n")
    found = ask(anchor, base, BASE, theirs)
    assert found is not None
    assert found.sure
    assert text(found) == theirs.replace(b"\tint left = 3;\n", b"")


def test_added_behind_a_statement_that_the_target_lacks_is_not_sure() -> None:
    ours = BASE.replace(b"\treset_hard(card, 1);\n", b"")
    theirs = BASE.replace(b"\treset_hard(card, 1);\n", b"\treset_hard(card, 1);\n\ttrace(card);\n")
    found = ask(anchor, BASE, ours, theirs)
    assert found is not None
    assert not found.sure
    assert text(found) == BASE.replace(b"reset_hard(card, 1)", b"trace(card)")


def test_added_between_a_known_line_and_one_that_is_only_alike_is_not_sure() -> None:
    base = BASE.replace(b"{\n\tint err = setup(card);\n", b"{\n\tint left = 3;\n\tint err = setup(card->one, 7);\n")
    theirs = base.replace(b"\tint left = 3;\n", b"\tint left = 3;\n\tint seen = 0;\n")
    found = ask(anchor, base, BASE.replace(b"setup(card)", b"setup(card, 7)"), theirs)
    assert found is not None
    assert not found.sure


def test_at_file_level_any_place_is_as_good_but_for_includes() -> None:
    head = b"#include <a.h>\n#include <b.h>\n#include <d.h>\n\n#define ONE 1\n#define TWO 2\n\nint first(void);\n\n"
    ours = head.replace(b"#include <b.h>\n", b"").replace(b"#define TWO 2\n", b"") + BASE
    defined = ask(anchor, head + BASE, ours, head.replace(b"#define TWO 2\n", b"#define TWO 2\n#define SIX 6\n") + BASE)
    assert defined is not None
    assert not defined.sure
    included = ask(anchor, head + BASE, ours, head.replace(b"#include <b.h>\n", b"#include <b.h>\n#include <c.h>\n") + BASE)
    assert included is not None
    assert included.sure
    assert b"#include <a.h>\n#include <c.h>\n#include <d.h>\n" in (text(included) or b"")


def test_added_inside_a_block_that_the_target_lacks_is_not_sure() -> None:
    base = BASE.replace(b"\treset_hard(card, 1);\n", b"\tif (card->old) {\n\t\tlegacy(card);\n\t\tslow(card);\n\t}\n")
    ours = BASE.replace(b"\treset_hard(card, 1);\n", b"")
    theirs = base.replace(b"\t\tslow(card);\n", b"\t\ttrace(card);\n\t\tslow(card);\n")
    found = ask(anchor, base, ours, theirs)
    assert found is None or not found.sure


def test_added_under_an_if_that_the_target_lacks_is_not_sure() -> None:
    base = BASE.replace(b"\treset_hard(card, 1);\n", b"\tif (card->old)\n\t\tlegacy(card);\n")
    ours = BASE.replace(b"\treset_hard(card, 1);\n", b"")
    theirs = base.replace(b"\t\tlegacy(card);\n", b"\t\tlegacy_first(card),\n\t\tlegacy(card);\n")
    found = ask(anchor, base, ours, theirs)
    assert found is None or not found.sure


def test_added_to_a_function_that_the_target_lacks_is_nothing() -> None:
    extra = b"\nint shut(struct card *card)\n{\n\tstop(card);\n\twait(card);\n\treturn 0;\n}\n"
    after = b"\nint last(void)\n{\n\treturn 7;\n}\n"
    theirs = BASE + extra.replace(b"\twait(card);\n", b"\tflush(card);\n\twait(card);\n") + after
    found = ask(anchor, BASE + extra + after, BASE + after, theirs)
    assert found is None


def test_both_added_at_the_same_place_is_not_sure() -> None:
    ours = BASE.replace(b"\tcard->users = 0;\n", b"\ttarget_only(card);\n\tcard->users = 0;\n")
    theirs = BASE.replace(b"\tcard->users = 0;\n", b"\tpatch_only(card);\n\tcard->users = 0;\n")
    found = ask(anchor, BASE, ours, theirs)
    assert found is not None
    assert not found.sure


TABLE = b"static struct id table[] = {\n\t/* One */\n\t{ ID(1, 2) },\n\n%s\t/* Last */\n\t{ ID(7, 8) },\n\n\t{ }\n};\n"
TYPE = b"struct box {\n\tint one;\n\n%s\tint last;\n\n\tint end;\n}%s;\n"


def test_entries_of_a_table_follow_what_they_follow_upstream() -> None:
    mine, yours = b"\t/* Mine */\n\t{ ID(3, 4) },\n\n", b"\t/* Yours */\n\t{ ID(5, 6) },\n\n"
    found = ask(anchor, TABLE % b"", TABLE % mine, TABLE % yours)
    assert found is not None
    assert found.sure
    assert text(found) == TABLE % (yours + mine)
    call = ask(anchor, TABLE % b"", TABLE % mine, TABLE % yours.replace(b"{ ID(5, 6) },", b"ID(5, 6),"))
    assert call is None or not call.sure


def test_members_of_a_type_follow_what_they_follow_upstream_unless_the_layout_matters() -> None:
    mine, yours = b"\tint mine;\n\n", b"\tunsigned int yours;\n\n"
    found = ask(anchor, TYPE % (b"", b""), TYPE % (mine, b""), TYPE % (yours, b""))
    assert found is not None
    assert found.sure
    assert text(found) == TYPE % (yours + mine, b"")
    packed = b" __attribute__((packed))"
    for own, end in ((mine, packed), (b"\t__u32 mine;\n\n", b"")):
        found = ask(anchor, TYPE % (b"", end), TYPE % (own, end), TYPE % (yours, end))
        assert found is not None
        assert not found.sure


def test_added_lines_do_not_land_in_a_comment() -> None:
    gone = b"/*\n * The early one.\n */\nvoid early(void);\n\n"
    kept = b"/*\n * The late one.\n */\nvoid late(void);\n"
    head = b"void first(void);\n\n"
    theirs = head + b"#define DEPTH 3\n\n" + gone + kept
    found = ask(anchor, head + gone + kept, head + kept, theirs, b"include/x.h")
    assert text(found, b"include/x.h") == head + b"#define DEPTH 3\n\n" + kept


GUARDED = b"\tif (card->old) {\n\t\treset_hard(card, 1);\n\t\tcard->users = 0;\n\t}\n"
PLAIN = b"\treset_hard(card, 1);\n\tcard->users = 0;\n"


def test_what_goes_is_deeper_in_the_target() -> None:
    ours = BASE.replace(PLAIN, GUARDED)
    theirs = BASE.replace(b"card->users = 0;", b"card->users = 1;")
    found = ask(anchor, BASE, ours, theirs)
    assert found is not None
    assert found.sure
    assert text(found) == ours.replace(b"card->users = 0;", b"card->users = 1;")
    back = ask(anchor, ours, BASE, ours.replace(b"card->users = 0;", b"card->users = 1;"))
    assert back is not None
    assert back.sure
    assert text(back) == theirs


def test_what_goes_is_deeper_and_not_the_only_one_or_laid_out_otherwise() -> None:
    theirs = BASE.replace(b"card->users = 0;", b"card->users = 1;")
    twice = BASE.replace(PLAIN, GUARDED).replace(b"\treturn err;", b"\tif (err)\n\t\tcard->users = 0;\n\treturn err;")
    for ours in (twice, BASE.replace(PLAIN, GUARDED.replace(b"\t\tcard->users", b"\tcard->users"))):
        found = ask(anchor, BASE, ours, theirs)
        assert found is not None
        assert not found.sure
    opened = ask(anchor, BASE, BASE.replace(PLAIN, GUARDED), BASE.replace(b"card->users = 0;", b"if (err) {\n\t\tleave();\n\t}"))
    assert opened is not None
    assert opened.sure
    torn = ask(anchor, BASE, BASE.replace(PLAIN, GUARDED), BASE.replace(b"card->users = 0;", b"if (err) {"))
    assert torn is None or not torn.sure


def test_an_else_goes_with_its_if() -> None:
    base = BASE.replace(PLAIN, b"\tif (card->old)\n\t\treset_hard(card, 1);\n\tcard->users = 0;\n")
    ours = base.replace(b"\tcard->users = 0;\n", b"\ttarget_only(card);\n\tcard->users = 0;\n")
    added = b"\t/* the new ones */\n\telse\n\t\treset_soft(card);\n"
    found = ask(anchor, base, ours, base.replace(b"\tcard->users = 0;\n", added + b"\tcard->users = 0;\n"))
    assert found is not None
    assert found.sure
    assert text(found) == ours.replace(b"\ttarget_only(card);\n", added + b"\ttarget_only(card);\n")


def test_an_else_whose_if_is_another_in_the_target_is_not_sure() -> None:
    base = BASE.replace(PLAIN, b"\tif (card->old)\n\t\treset_hard(card, 1);\n\tcard->users = 0;\n")
    theirs = base.replace(b"\tcard->users = 0;\n", b"\telse\n\t\treset_soft(card);\n\tcard->users = 0;\n")
    for ours in (base.replace(b"if (card->old)", b"if (card->new)"), base.replace(b"\tif (card->old)\n\t\t", b"\t")):
        found = ask(anchor, base, ours.replace(b"\tcard->users = 0;\n", b"\ttarget_only(card);\n\tcard->users = 0;\n"), theirs)
        assert found is None or not found.sure


def test_a_function_under_another_name_is_the_same_where_most_of_its_lines_are() -> None:
    ours = BASE.replace(b"int probe(", b"int card_probe(").replace(b"reset_hard(card, 1)", b"reset(card)")
    found = ask(anchor, BASE, ours, BASE.replace(b"card->users = 0;", b"card->users = 1;"))
    assert found is not None
    assert not found.sure  # six lines of eight
    more = b"".join(b"\tstep_%d(card);\n" % number for number in range(9))
    longer, other = (side.replace(b"\treturn err;", more + b"\treturn err;") for side in (BASE, ours))
    found = ask(anchor, longer, other, longer.replace(b"card->users = 0;", b"card->users = 1;"))
    assert found is not None
    assert found.sure


def test_a_changed_block_of_which_a_line_is_missing_is_nothing() -> None:
    ours = BASE.replace(b"\treset_hard(card, 1);\n", b"")
    theirs = BASE.replace(b"\treset_hard(card, 1);\n\tcard->users = 0;\n", b"\treset_soft(card);\n\tcard->users = 2;\n")
    assert ask(anchor, BASE, ours, theirs) is None


ENTRIES = b"""ENTRY(save_low)
	push r0
	st r1, [r2]
	pop r0
	ret
END(save_low)

ENTRY(save_high)
	push r0
	st r1, [r3]
	pop r0
	ret
END(save_high)
"""
WAITS = ENTRIES.replace(b"\tst r1, [r3]\n", b"\tst r1, [r3]\n\tnop\n")


def test_assembly_goes_into_its_entry() -> None:
    ours = ENTRIES.replace(b"[r3]", b"[r3, 4]").replace(b"\tst r1, [r2]\n", b"")
    found = ask(anchor, ENTRIES, ours, WAITS, b"arch/x/entry.S")
    assert found is not None
    assert found.sure
    assert found.evidence[0].function == "save_high"
    assert text(found, b"arch/x/entry.S") == ours.replace(b"\tst r1, [r3, 4]\n", b"\tst r1, [r3, 4]\n\tnop\n")


def test_assembly_of_an_entry_that_the_target_lacks_goes_into_no_other() -> None:
    ours = ENTRIES[: ENTRIES.index(b"ENTRY(save_high)")]
    assert ask(anchor, ENTRIES, ours, WAITS, b"arch/x/entry.S") is None


def test_in_a_file_with_cr_and_lf_the_new_lines_end_so_too() -> None:
    ours = BASE.replace(b"reset_hard(card, 1)", b"reset(card)").replace(b"\n", b"\r\n")
    theirs = BASE.replace(b"card->users = 0;", b"card->users = 1;")
    found = ask(anchor, BASE, ours, theirs)
    assert found is not None
    assert found.sure
    assert text(found) == ours.replace(b"card->users = 0;", b"card->users = 1;")
