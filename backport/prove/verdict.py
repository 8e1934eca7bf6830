"""What a serial console proves.

Only a line that is exactly `RESULT NUMBER VERDICT OK FAILED SKIPPED` counts, with the number that this boot was given and no
other text: qemu's exit status is 0 for a triple fault, and a line of an earlier boot, or in the middle of another, proves
nothing. Whatever the line says, a kernel that says BUG, Oops or panic has failed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backport.model.proof import Check, Measure, Outcome

_STAMP = rb"(?:<\d>)?(?:\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?)?(?:watchdog: |rcu: )?"
_TROUBLE = re.compile(
    rb"^"
    + _STAMP
    + rb"(?P<said>(?:BUG: |Oops|Kernel panic - |Kernel BUG at|kernel BUG at|general protection fault|double fault|PANIC: "
    rb"|Unable to handle kernel|Bad page state|INFO: task .* blocked for more than|INFO: rcu\w* .*stall"
    rb"|WARNING: (?:CPU: \d+ PID: \d+ )?at |UBSAN: "
    rb"|[^\n]*invalid opcode: 0000|BUG kmalloc|============+\s*$|\[ INFO: )[^\r\n]*)",
    re.MULTILINE,
)
_SAID = re.compile(rb"^probe: (ok|failed|skipped|absent|note) ([^:\r\n]+)(?:: ([^\r\n]*))?\r?$", re.MULTILINE)
_MEASURE = re.compile(rb"^probe: measure ([^:\r\n]+): (\d{1,18}) (\S{1,20})\r?$", re.MULTILINE)
_WORDS = {b"passed": Outcome.PASSED, b"failed": Outcome.FAILED, b"absent": Outcome.ABSENT}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one boot showed."""

    outcome: Outcome
    why: str
    checks: tuple[Check, ...]
    measures: tuple[Measure, ...]


def judge(console: bytes, number: str, ending: str = "") -> Verdict:
    """The verdict of a console. `ending` says how qemu ended where that was not of itself ("no result after 60 s", ...)."""
    checks = tuple(
        Check(_text(name), _text(kind), _text(said))
        for kind, name, said in _SAID.findall(console)
        if kind in (b"ok", b"failed", b"skipped")
    )
    measures = tuple(Measure(_text(name), int(value), _text(unit)) for name, value, unit in _MEASURE.findall(console))
    outcome, why = _outcome(console, number, ending)
    if outcome is Outcome.FAILED and not why:
        bad = [f"{check.name} ({check.said})" for check in checks if check.outcome == "failed"]
        notes = [_text(said) for kind, _, said in _SAID.findall(console) if kind == b"note"]
        more = f" and {len(bad) - 2} more" if len(bad) > 2 else ""
        why = "; ".join((bad or notes or ["the probe checked nothing"])[:2]) + more
    if outcome is Outcome.ABSENT:
        why = next((_text(said) for kind, _, said in _SAID.findall(console) if kind == b"absent"), "")
    return Verdict(outcome, why, checks, measures)


def results(console: bytes, number: str) -> set[bytes]:
    """The different result lines of this boot."""
    pattern = rb"^RESULT %s ((?:passed|failed|absent) \d+ \d+ \d+)\r?\n" % re.escape(number.encode())
    return set(re.findall(pattern, console, re.MULTILINE))


def _outcome(console: bytes, number: str, ending: str) -> tuple[Outcome, str]:
    trouble = _TROUBLE.search(console)
    if trouble is not None:
        return Outcome.FAILED, f"the kernel says: {_text(trouble['said'])}"
    found = results(console, number)
    if len(found) > 1:
        return Outcome.FAILED, "the console has two different results"
    if not found:
        return Outcome.FAILED, ending or "qemu ended, and the console has no result: the kernel restarted (a triple fault?)"
    word = next(iter(found)).split()[0]
    if ending:
        return Outcome.FAILED, f"after the result: {ending}"
    return _WORDS[word], ""


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").strip()
