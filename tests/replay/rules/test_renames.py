"""Names that upstream changed between."""

from __future__ import annotations

from backport.replay.rules.renames import mined, renames
from tests.replay.rules.ask import ask, best, situation, text

BASE = b"""int attach(struct device *device)
{
	struct laptop *laptop = make(device);

	laptop->device = device;
	laptop->name = "x";
	check_model(laptop);
	laptop->open = 0;
	return 0;
}
"""
OURS = BASE.replace(b"*laptop", b"*hotk").replace(b"laptop->", b"hotk->").replace(b"(laptop)", b"(hotk)")


def test_an_added_line_is_put_in_the_targets_words() -> None:
    theirs = BASE.replace(b"\tcheck_model(laptop);\n", b"\tcheck_model(laptop);\n\tlaptop->plug = 1;\n")
    renamed = OURS.replace(b"struct laptop", b"struct laptop")
    base, theirs = BASE.replace(b"struct laptop", b"struct lap"), theirs.replace(b"struct laptop", b"struct lap")
    ours = renamed.replace(b"struct laptop", b"struct lap")
    found = ask(renames, base, ours, theirs)
    assert found is not None
    assert found.sure
    assert text(found) == ours.replace(b"\tcheck_model(hotk);\n", b"\tcheck_model(hotk);\n\thotk->plug = 1;\n")
    assert "laptop is hotk there" in found.evidence[0].why


def test_a_name_that_the_target_also_has_is_left() -> None:
    ours = OURS.replace(b"\treturn 0;\n", b"\treturn laptop;\n")
    assert b"laptop" not in mined(BASE, ours)


def test_a_name_with_two_counterparts_is_left() -> None:
    base = b"a(old_one, 1);\nb(old_one, 2);\nc(3);\n"
    assert b"old_one" not in mined(base, b"a(first, 1);\nb(second, 2);\nc(3);\n")
    assert mined(base, b"a(first, 1);\nb(first, 2);\nc(3);\n")[b"old_one"].new == b"first"


def test_one_line_alone_makes_no_proof() -> None:
    base = b"int f(void)\n{\n\tstart(DEPTH_MAX, 3, up);\n\tdone(3);\n\treturn 0;\n}\n"
    ours = base.replace(b"DEPTH_MAX", b"MAX_DEPTH")
    theirs = base.replace(b"\tdone(3);\n", b"\tcheck(DEPTH_MAX);\n\tdone(3);\n")
    found = ask(renames, base, ours, theirs)
    assert found is not None
    assert not found.sure
    assert b"check(MAX_DEPTH);" in (text(found) or b"")


def test_a_name_that_a_header_of_the_target_has_is_no_other_there() -> None:
    base = b"int f(void)\n{\n\tstart(DEPTH_MAX, 3, up);\n\tdone(3);\n\tstop(DEPTH_MAX, 4);\n\treturn 0;\n}\n"
    ours = base.replace(b"DEPTH_MAX", b"MAX_DEPTH")
    theirs = base.replace(b"\tdone(3);\n", b"\tcheck(DEPTH_MAX);\n\tdone(3);\n")
    assert renames(situation(base, ours, theirs)) is not None
    assert renames(situation(base, ours, theirs, headers=frozenset((b"DEPTH_MAX",)))) is None


def test_the_ladder_does_not_place_the_old_name() -> None:
    base = b"int f(void)\n{\n\tstart(DEPTH_MAX, 3, up);\n\tdone(3);\n\tstop(DEPTH_MAX, 4);\n\treturn 0;\n}\n"
    ours = base.replace(b"DEPTH_MAX", b"MAX_DEPTH").replace(b"done(3)", b"finish(3, 1)")
    theirs = base.replace(b"\tdone(3);\n", b"\tdone(3);\n\tcheck(DEPTH_MAX);\n")
    found = best(base, ours, theirs)
    assert found is not None
    assert not found.sure or b"check(MAX_DEPTH)" in (text(found) or b"")


def test_a_label_that_the_patch_brings_is_not_another_functions() -> None:
    """ffcfb8db540f on 2.6.27.y."""
    other = b"int other(int n)\n{\n\tif (n)\n\t\tgoto leave;\n\tif (n > 2)\n\t\tgoto leave;\nleave:\n\treturn n;\n}\n\n"
    body = b"int f(int n)\n{\n\tstart(n);\n\tstep(n);\n\tdone(n);\n\treturn 0;\n}\n"
    base, ours = other + body, other.replace(b"leave", b"out") + body.replace(b"start(n)", b"start(n, 1)")
    theirs = base.replace(b"\tstep(n);\n", b"\tif (step(n))\n\t\tgoto leave;\n")
    theirs = theirs.replace(b"(n);\n\treturn 0", b"(n);\nleave:\n\treturn 0")
    assert b"leave" in mined(base, ours)
    assert ask(renames, base, ours, theirs) is None
    jump = b"\tgoto leave;\n\tif"
    found = ask(renames, base, ours, base.replace(jump, jump + b" (n < 0)\n\t" + jump))
    assert found is not None
    assert b"goto out;\n\tif (n < 0)\n\t\tgoto out;" in (text(found) or b"")


def test_a_local_that_the_patch_brings_is_not_another_functions() -> None:
    other = b"int other(void)\n{\n\tint left = 3;\n\n\ttake(left);\n\treturn left;\n}\n\n"
    body = b"int f(int n)\n{\n\tint m;\n\n\tstart(n);\n\treturn 0;\n}\n"
    base, ours = other + body, other.replace(b"left", b"rest") + body.replace(b"start(n)", b"start(n, 1)")
    theirs = base.replace(b"\tint m;\n", b"\tint m;\n\tint left = n;\n").replace(b"\treturn 0", b"\treturn left")
    assert b"left" in mined(base, ours)
    assert ask(renames, base, ours, theirs) is None
