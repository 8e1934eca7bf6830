"""Blocks to be replaced or deleted that read differently in the target."""

from __future__ import annotations

from backport.replay.rules.drifted import drifted
from tests.replay.rules.ask import ask, best, text

BASE = b"""void crash(void)
{
	disable_local();

#ifdef CONFIG_WIDE
	platform.iommu_off();
#endif

	save_state();
}
"""
GONE = b"\n#ifdef CONFIG_WIDE\n\tplatform.iommu_off();\n#endif\n"


def test_a_deleted_call_had_another_name() -> None:
    ours = BASE.replace(b"platform.iommu_off()", b"pci_iommu_off()")
    found = ask(drifted, BASE, ours, BASE.replace(GONE, b""))
    assert found is not None
    assert found.sure
    assert text(found) == BASE.replace(GONE, b"")


def test_a_block_that_holds_a_statement_of_the_targets_own_is_not_sure() -> None:
    ours = BASE.replace(b"\tplatform.iommu_off();\n", b"\tpci_iommu_off();\n\tcount_it();\n")
    found = ask(drifted, BASE, ours, BASE.replace(GONE, b""))
    assert found is None or not found.sure


def test_another_branch_of_an_if_among_what_goes_is_not_sure() -> None:
    ours = BASE.replace(
        b"\tplatform.iommu_off();\n#endif\n", b"\tpci_iommu_off();\n#elif defined CONFIG_NARROW\n\tpci_off();\n#endif\n"
    )
    base = BASE.replace(
        b"\tplatform.iommu_off();\n#endif\n", b"\tplatform.iommu_off();\n#elif defined CONFIG_NARROW\n\tpci_off();\n#endif\n"
    )
    found = ask(drifted, base, ours, BASE.replace(GONE, b""))
    assert found is not None
    assert not found.sure


def test_new_lines_that_use_a_name_the_target_spells_otherwise_are_not_sure() -> None:
    ours = BASE.replace(b"platform.iommu_off()", b"machine.iommu_off()")
    theirs = BASE.replace(b"\tplatform.iommu_off();\n", b"\tif (platform.iommu)\n\t\tplatform.iommu->off();\n")
    found = ask(drifted, BASE, ours, theirs)
    assert found is None or not found.sure


def test_both_gave_a_number_another_value() -> None:
    base = b'#define NAME "disk"\n#define VERSION "2.4"\n#define DEPTH 3\n'
    ours, theirs = base.replace(b"2.4", b"2.3"), base.replace(b"2.4", b"2.6")
    found = ask(drifted, base, ours, theirs)
    assert found is None or not found.sure


def test_nothing_alike_is_nothing() -> None:
    ours = BASE.replace(GONE, b"\twait_for_all(3, cpus);\n\tflush_every(cache);\n")
    assert ask(drifted, BASE, ours, BASE.replace(GONE, b"")) is None


def test_the_same_statements_on_another_number_of_lines() -> None:
    head, tail = b"int f(void)\n{\n\tint x = 0;\n\n", b"\n\treturn x;\n}\n"
    old = b'\tif (x) {\n\t\tpr_info("the port is %d and busy\\n",\n\t\t\tx);\n\t\tlast = x;\n\t}\n'
    here = b'\tif (x) {\n\t\tprintk(KERN_INFO "the port is %d "\n\t\t\t"and busy\\n",\n\t\t\tx);\n\t\tlast = x;\n\t}\n'
    base, ours, theirs = head + old + tail, head + here + tail, head + b"\ttell(x);\n" + tail
    found = ask(drifted, base, ours, theirs)
    assert found is not None
    assert found.sure
    assert text(found) == theirs
    more = ask(drifted, base, ours.replace(b"\t\tlast = x;\n", b"\t\tlast = x;\n\t\tmine(x);\n"), theirs)
    assert more is None or not more.sure


def test_functions_that_go_whole_go_by_their_names() -> None:
    head, tail = b"int one(int n)\n{\n\treturn n;\n}\n\n", b"int two(int n)\n{\n\treturn n;\n}\n"
    bug = b'void say_bug(struct box *box)\n{\n\tWARN(limit(), KERN_ERR "bug %d",\n\t     box->n);\n}\nEXPORT_SYMBOL(say_bug);\n\n'
    mine = bug.replace(b"WARN(limit(), ", b"printk(").replace(b"\t     box", b"\t       box")
    found = best(head + bug + tail, head + mine + tail, head + tail)
    assert found is not None
    assert found.sure
    assert text(found) == head + tail
    for other in (mine.replace(b"say_bug", b"tell_bug"), mine + b"int own;\n\n", mine.replace(b"_SYMBOL(", b"_SYMBOL_GPL(")):
        found = best(head + bug + tail, head + other + tail, head + tail)
        assert found is None or not found.sure
