"""The verdict of a console: only the exact line of this very boot counts, and a kernel that complains has failed."""

from __future__ import annotations

import pytest

from backport.model.proof import Check, Measure, Outcome
from backport.prove.verdict import judge

NUMBER = "00aabbccddeeff11"
GOOD = f"\nRESULT {NUMBER} passed 2 0 0\r\n".encode()


def outcome(console: bytes, ending: str = "") -> Outcome:
    return judge(console, NUMBER, ending).outcome


def test_the_line_of_this_boot_passes() -> None:
    console = b"Linux version 2.6.31\r\nprobe: ok one\r\nprobe: ok two: 2 of 2\r\nprobe: measure speed: 7 pages/s\r\n" + GOOD * 3
    verdict = judge(console, NUMBER)
    assert verdict.outcome is Outcome.PASSED
    assert verdict.checks == (Check("one", "ok"), Check("two", "ok", "2 of 2"))
    assert verdict.measures == (Measure("speed", 7, "pages/s"),)


@pytest.mark.parametrize(
    "console",
    [
        b"",
        b"RESULT passed\n",
        b"RESULT 1111111111111111 passed 2 0 0\n",  # of another boot
        f"init: RESULT {NUMBER} passed 2 0 0\n".encode(),  # inside other text
        f"RESULT {NUMBER} passed 2 0 0 and more\n".encode(),
        f"Kernel command line: number={NUMBER}\n".encode(),
        f"RESULT {NUMBER} passed 2 0 0".encode(),  # the console broke off: nobody knows what was to follow
        f"RESULT {NUMBER} passed\n".encode(),
    ],
)
def test_anything_else_fails(console: bytes) -> None:
    assert outcome(console) is Outcome.FAILED


@pytest.mark.parametrize(
    "said",
    [
        b"BUG: unable to handle kernel NULL pointer dereference at 0000000000000008",
        b"BUG: soft lockup - CPU#1 stuck for 61s! [ksmd:19]",
        b"[    1.234567] Oops: 0002 [#1] SMP",
        b"<0>[    1.0] Kernel panic - not syncing: Attempted to kill init!",
        b"kernel BUG at mm/ksm.c:123!",
        b"general protection fault: 0000 [#1] SMP",
        b"INFO: task ksmd:19 blocked for more than 120 seconds.",
        b"WARNING: at mm/page_alloc.c:1234 rmqueue+0x1/0x2()",
        b"invalid opcode: 0000 [#1] SMP",
        # of a current kernel, whose messages begin with other words
        b"[    1.234567][    T1] BUG: kernel NULL pointer dereference, address: 0000000000000008",
        b"[    1.234567] WARNING: CPU: 0 PID: 1 at fs/proc/root.c:7 proc_root_init+0x1/0x2",
        b"[   30.000001] watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [init:1]",
        b"[   30.000001] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:",
        b"[    1.0] UBSAN: array-index-out-of-bounds in mm/swap.c:1:2",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_kernel_that_complains_has_failed_whatever_the_line_says(said: bytes, first: bool) -> None:
    console = said + b"\n" + GOOD if first else GOOD + said + b"\n"
    verdict = judge(console, NUMBER)
    assert verdict.outcome is Outcome.FAILED
    assert verdict.why.startswith("the kernel says: ")


def test_talk_of_bugs_is_no_bug() -> None:
    assert outcome(b"..MP-BIOS bug: 8254 timer not connected to IO-APIC\nprobe: ok Oops: never\n" + GOOD) is Outcome.PASSED


def test_two_results_are_none() -> None:
    assert outcome(GOOD + f"RESULT {NUMBER} failed 1 1 0\n".encode()) is Outcome.FAILED


def test_a_result_and_no_end_fails() -> None:
    verdict = judge(GOOD, NUMBER, "it did not end within 10 s")
    assert (verdict.outcome, verdict.why) == (Outcome.FAILED, "after the result: it did not end within 10 s")


def test_a_failure_names_the_check() -> None:
    console = b"probe: failed pages merge: 1 of 24\n" + f"\nRESULT {NUMBER} failed 0 1 0\n".encode()
    assert judge(console, NUMBER).why == "pages merge (1 of 24)"


def test_absence_is_an_outcome_of_its_own() -> None:
    console = b"probe: absent feature: EINVAL\n" + f"\nRESULT {NUMBER} absent 0 0 0\n".encode()
    verdict = judge(console, NUMBER)
    assert (verdict.outcome, verdict.why) == (Outcome.ABSENT, "EINVAL")
