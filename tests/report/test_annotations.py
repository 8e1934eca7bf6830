"""GitHub annotations: one command a finding, whatever it says."""

from __future__ import annotations

import re
from urllib.parse import unquote

from backport.report.annotations import render
from tests.report.findings import HOSTILE, PLAIN

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^:,\n]*,?)+)::([^\n]*)")


def test_a_finding_is_one_command() -> None:
    first = render(PLAIN).decode().splitlines()[0]
    assert first.startswith("::error file=arch/x86/kvm/mmu.c,line=802,title=absent-symbol%3A __set_spte::")
    assert "%0Aupstream: a function%0Abecause of d555c333aa54 (KVM: MMU: s/shadow_pte/spte/)%0Ahint: set_shadow_pte" in first


def test_the_worst_come_first() -> None:
    words = re.findall(r"^::(\w+)", render(PLAIN).decode(), re.M)
    assert words == ["error", "warning", "warning", "notice"]


def test_without_a_place_there_is_only_a_title() -> None:
    assert b"::warning title=kconfig-unmet%3A KSM::" in render(PLAIN)


def test_hostile_text_neither_starts_a_command_nor_ends_a_property() -> None:
    lines = render(HOSTILE).decode("utf-8").split("\n")
    assert len(lines) == len(HOSTILE) + 1
    assert lines[-1] == ""
    for line in lines[:-1]:
        assert COMMAND.fullmatch(line)
        assert not any(ord(char) < 32 for char in line)
        assert "\u202e" not in line


def test_a_path_reads_back() -> None:
    (properties,) = re.findall(r"::error (.*?)::", render(HOSTILE).decode("utf-8"))
    fields = dict(item.split("=", 1) for item in properties.split(","))
    assert unquote(fields["file"]) == "dr\\xffi%20v:er,s/a\nb\r/\\x1b[1m{x}.c"


def test_no_findings_no_bytes() -> None:
    assert render(()) == b""
