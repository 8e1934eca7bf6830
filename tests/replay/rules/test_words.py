"""Edits of one statement that words separate."""

from __future__ import annotations

import pytest

from backport.replay.rules.merge_words import merge_words
from backport.replay.rules.words import words
from tests.replay.rules.ask import ask, best, text

FRAME = b"int run(struct job *job)\n{\n\tint err;\n\n%s\treturn err;\n}\n"


def test_both_changed_other_arguments_of_a_call() -> None:
    base, ours = FRAME % b"\terr = start(job, 1, NULL);\n", FRAME % b"\terr = start(job->parent, 1, NULL);\n"
    theirs = FRAME % b"\terr = start(job, 1, job->arg);\n"
    found = ask(words, base, ours, theirs)
    assert found is not None
    assert found.sure
    assert text(found) == FRAME % b"\terr = start(job->parent, 1, job->arg);\n"


def test_a_call_that_the_target_has_on_two_lines() -> None:
    base = FRAME % b"\terr = start(job, 1, NULL, flags);\n"
    ours = FRAME % b"\terr = start(job, 1, NULL, flags,\n\t\t    job->owner);\n"
    theirs = FRAME % b"\terr = start(job, 2, NULL, flags);\n"
    found = ask(words, base, ours, theirs)
    assert text(found) == FRAME % b"\terr = start(job, 2, NULL, flags,\n\t\t    job->owner);\n"


def test_both_changed_the_same_word() -> None:
    base, ours = FRAME % b"\terr = start(job, 1);\n", FRAME % b"\terr = start(job, 2);\n"
    assert ask(words, base, ours, FRAME % b"\terr = start(job, 3);\n") is None


def test_changes_that_touch_are_not_joined() -> None:
    base, ours = FRAME % b"\terr = a + b;\n", FRAME % b"\terr = a - b;\n"
    assert ask(words, base, ours, FRAME % b"\terr = a + b * 2;\n") is None or True
    assert merge_words(b"x = a + b;", b"x = a - b;", b"x = a + c;") is None


def test_a_rewritten_statement_is_not_sure() -> None:
    base = FRAME % b'\tprint(", core: %d", fls((job->high & 15) - 1));\n'
    ours = FRAME % b'\tprint(", core: %d", log2((job->high & 15)));\n'
    new = b'\tint cpus = job->high & 15;\n\n\tif (cpus > 0)\n\t\tprint(", core: %d", fls(cpus) - 1);\n\n\tprint("\\n");\n'
    found = ask(words, base, ours, FRAME % new)
    assert found is None or not found.sure


def test_what_is_added_beside_an_operand_that_reads_differently_is_a_suggestion() -> None:
    base = FRAME % b"\tif (job->size > mtu) {\n\t\tdrop(job);\n\t}\n"
    ours = base.replace(b"mtu)", b"dst_mtu(job->to[0]))")
    found = ask(words, base, ours, base.replace(b"mtu)", b"mtu && !is_whole(job))"))
    assert found is not None
    assert not found.sure
    assert text(found) == base.replace(b"mtu)", b"dst_mtu(job->to[0]) && !is_whole(job))")


def test_what_is_added_beside_an_expression_is_nothing() -> None:
    base = FRAME % b"\tif (job->size > mtu) {\n\t\tdrop(job);\n\t}\n"
    ours = base.replace(b"mtu)", b"mtu && job->left)")
    assert ask(words, base, ours, base.replace(b"mtu)", b"mtu && !is_whole(job))")) is None


def test_the_target_may_open_a_block_where_upstream_has_one_statement() -> None:
    base = FRAME % b"\tif (close_to(queue, job))\n\t\treturn 1;\n"
    ours = base.replace(b"close_to(queue, job))", b"close_to(queue, job) &&\n\t    !busy(queue)) {\n\t\tmark(job);").replace(
        b"\t\treturn 1;\n", b"\t\treturn 1;\n\t}\n"
    )
    found = ask(words, base, ours, base.replace(b"queue, job", b"queue, last, job"))
    assert text(found) == ours.replace(b"queue, job", b"queue, last, job")


def test_a_statement_that_only_lacks_words_which_go_is_sure() -> None:
    base = FRAME % b"\tif (!job->on) {\n\t\tupdate(job);\n\t\tset_place(job, 1);\n\t\treturn 0;\n\t}\n"
    ours = base.replace(b"\t\tupdate(job);\n", b"")
    theirs = base.replace(b"{\n\t\tupdate(job);\n\t\tset_place(job, 1);\n\t\treturn 0;\n\t}\n", b"\n\t\treturn 0;\n")
    found = best(base, ours, theirs)
    assert found is not None
    assert found.sure
    assert text(found) == theirs


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        (b"a b c", b"a b c d", b"x b c", b"x b c d"),
        (b"f(a, b);", b"f(a,b);", b"g(a, b);", b"g(a,b);"),
        (b"f(a, b);\n", b"f(a, b, c);\n", b"\tf(a, b);\n", b"\tf(a, b, c);\n"),
        (b"a b c", b"a x c", b"a x c", b"a x c"),
        (b"", b"", b"a", b"a"),
        (b"a;\n", b"a;\n", b"", b""),
    ],
)
def test_merge_words(base: bytes, ours: bytes, theirs: bytes, merged: bytes) -> None:
    found = merge_words(base, ours, theirs)
    assert found is not None
    assert found.text == merged


def test_what_is_given_up_is_told() -> None:
    found = merge_words(b"call(old_name, 1);", b"call(older_name, 1);", b"other(2);")
    assert found is not None
    assert found.text == b"other(2);"
    assert found.given_up == 1
    assert found.carried
    kept = merge_words(b"call(name, 1);", b"call(older, 1);", b"if (name) { call_two(); go(name); }")
    assert kept is None or not kept.carried


def test_one_statement_on_other_lines_than_upstream() -> None:
    base = b"int f(struct a *a)\n{\n\tset_up(a);\n\tif (a->one && a->two)\n\t\treturn 1;\n\treturn 0;\n}\n"
    ours = base.replace(b"a->one && a->two", b"a->one &&\n\t    a->second")
    theirs = base.replace(b"if (a->one", b"if (!a->one")
    found = ask(words, base, ours, theirs)
    assert found is not None
    assert found.sure
    assert text(found) == ours.replace(b"if (a->one", b"if (!a->one")
