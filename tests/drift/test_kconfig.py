"""The Kconfig gate on a made-up kernel: what can be switched on where, what is missing, what breaks, and hostile input."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from backport.drift.kconfig.blocks import scan
from backport.drift.kconfig.check import KconfigReport, check
from backport.drift.kconfig.sandbox import Sandbox, UnreadableError
from backport.model.definition import ConfigValue
from backport.model.finding import Finding, Level
from tests.drift.trees import applied
from tests.gitrepo import Repo

X86 = b"""config 64BIT
\tbool "64-bit" if ARCH = "x86"
\tdefault ARCH = "x86_64"

config MMU
\tdef_bool y

menu "Memory"
source "mm/Kconfig"
endmenu
source drivers/Kconfig
"""
ARM = b"""config MMU
\tbool "MMU"
\tdefault y

source "mm/Kconfig"
"""
MM = b"""config SHMEM
\tbool "Shared memory"
\tdefault y
\thelp
\t  Says something.

\t  config INSIDE_HELP
\t  depends on NOTHING
config PAGES
\tint "Pages"
\trange 1 100
\tdefault 10
"""
DRIVERS = b"""config PCI
\tbool "PCI"

config MODULES
\tbool "Modules"
\tdefault y

config FOO
\ttristate "Foo"
\tdepends on PCI

config AUTO
\tbool
"""
BASE = {
    b"Makefile": b"VERSION = 2\nPATCHLEVEL = 6\nSUBLEVEL = 31\n",
    b"arch/x86/Kconfig": X86,
    b"arch/arm/Kconfig": ARM,
    b"arch/arm/configs/versatile_defconfig": b"# CONFIG_MMU is not set\nCONFIG_UNKNOWN=y\nnonsense\n",
    b"mm/Kconfig": MM,
    b"mm/Makefile": b"obj-y := shmem.o\n",
    b"mm/shmem.c": b"int shmem;\n",
    b"drivers/Kconfig": DRIVERS,
}
MERGE = b'\nconfig MERGE\n\tbool "Merge pages"\n\tdepends on MMU\n\thelp\n\t  Merges.\n'


def run(
    repo: Repo,
    tmp_path: Path,
    changes: Mapping[bytes, bytes | None],
    wishes: Mapping[str, str] | None = None,
    *,
    base: Mapping[bytes, bytes] | None = None,
    between: Mapping[bytes, bytes | None] | None = None,
) -> KconfigReport:
    config = tuple(ConfigValue(symbol, value) for symbol, value in (wishes or {}).items())
    with applied(repo, BASE | dict(base or {}), changes, tmp_path / "store", between=between) as case:
        return check(case.series, case.onto, case.result, config, case.trees, case.store)


def told(report: KconfigReport) -> list[tuple[str, str, str]]:
    return [(str(found.level), found.kind, found.symbol) for found in report.findings]


def only(report: KconfigReport) -> Finding:
    (found,) = report.findings
    return found


# --- symbols of the series ------------------------------------------------------------------------------------------------


def test_an_added_symbol_is_described_and_reachable(repo: Repo, tmp_path: Path) -> None:
    report = run(repo, tmp_path, {b"mm/Kconfig": MM + MERGE}, {"MERGE": "y"})
    (symbol,) = report.symbols
    assert (symbol.name, symbol.type, symbol.prompt, symbol.depends) == ("MERGE", "bool", "Merge pages", "MMU")
    assert (symbol.path, symbol.line) == (b"mm/Kconfig", 14)
    assert dict(symbol.values) == {"x86_64": "y", "i386": "y", "arm": "n"}
    found = only(report)  # the defconfig of arm switches MMU off
    assert (found.level, found.kind, found.hint) == (Level.WARNING, "kconfig-unmet", "also set CONFIG_MMU=y")
    assert found.target == "arm: MMU"
    assert (found.path, found.line) == (b"mm/Kconfig", 14)
    assert found.patch


def test_no_finding_where_every_architecture_has_it(repo: Repo, tmp_path: Path) -> None:
    plain = {b"arch/arm/configs/versatile_defconfig": b""}
    assert told(run(repo, tmp_path, {b"mm/Kconfig": MM + MERGE}, {"MERGE": "y"}, base=plain)) == []


def test_an_unmet_dependency_is_an_error_that_names_the_part_and_its_origin(repo: Repo, tmp_path: Path) -> None:
    feature = MM + b'\nconfig MERGE\n\tbool "Merge"\n\tdepends on MMU && FANCY\n'
    fancy = {b"drivers/Kconfig": DRIVERS + b'\nconfig FANCY\n\tbool "Fancy"\n'}
    report = run(repo, tmp_path, {b"mm/Kconfig": feature}, {"MERGE": "y"}, between=fancy)
    unmet, absent = report.findings
    assert (unmet.level, unmet.kind, unmet.symbol) == (Level.ERROR, "kconfig-unmet", "MERGE")
    assert "x86_64, i386: FANCY (FANCY is not defined)" in unmet.target
    assert (absent.level, absent.kind, absent.symbol) == (Level.ERROR, "kconfig-absent-symbol", "FANCY")
    assert absent.introduced_by is not None
    assert absent.introduced_by.subject == "upstream brings something"
    assert absent.line == 16


def test_a_symbol_that_can_never_be_set_is_told_though_nobody_asked(repo: Repo, tmp_path: Path) -> None:
    report = run(repo, tmp_path, {b"mm/Kconfig": MM + b'\nconfig DEAD\n\tbool "Dead"\n\tdepends on NEVER\n'})
    assert told(report) == [("warning", "kconfig-unmet", "DEAD"), ("note", "kconfig-absent-symbol", "NEVER")]


def test_a_new_prompt_without_a_value_is_noted(repo: Repo, tmp_path: Path) -> None:
    assert told(run(repo, tmp_path, {b"mm/Kconfig": MM + MERGE})) == [("note", "kconfig-unset", "MERGE")]


def test_a_wish_for_what_is_not_there_is_an_error(repo: Repo, tmp_path: Path) -> None:
    report = run(repo, tmp_path, {b"mm/shmem.c": b"int other;\n"}, {"GONE": "y", "ALSO_GONE": "n"})
    assert told(report) == [("error", "kconfig-absent", "GONE")]


@pytest.mark.parametrize(
    ("symbol", "value", "level", "reason"),
    [
        ("FOO", "m", "warning", "arm: not defined here"),  # PCI is one setting away on x86
        ("FOO", "y", "warning", "x86_64, i386: PCI"),
        ("SHMEM", "m", "error", "it is a bool"),
        ("PAGES", "7", "", ""),
        ("PAGES", "1000", "error", "1000 is no int that its range allows"),
        ("AUTO", "y", "error", "it has no prompt"),
    ],
)
def test_values_of_every_type(repo: Repo, tmp_path: Path, symbol: str, value: str, level: str, reason: str) -> None:
    report = run(repo, tmp_path, {b"mm/shmem.c": b"int other;\n"}, {symbol: value})
    assert [str(found.level) for found in report.findings] == ([level] if level else [])
    assert not reason or reason in only(report).target


def test_two_wishes_may_need_each_other(repo: Repo, tmp_path: Path) -> None:
    report = run(repo, tmp_path, {b"mm/shmem.c": b"int other;\n"}, {"FOO": "m", "PCI": "y"})
    assert {found.target for found in report.findings} == {"arm: not defined here"}


def test_a_selected_symbol_cannot_be_n(repo: Repo, tmp_path: Path) -> None:
    both = MM + b'\nconfig LIB\n\tbool "Lib"\n\nconfig USER\n\tdef_bool y\n\tselect LIB\n'
    found = only(run(repo, tmp_path, {b"mm/Kconfig": both}, {"LIB": "n"}))
    assert (found.level, found.target) == (Level.ERROR, "x86_64, i386, arm: selected by USER")


def test_choices_count_with_all_their_members(repo: Repo, tmp_path: Path) -> None:
    choice = (
        MM
        + b'\nchoice\n\tprompt "One"\n\tdefault A1\nconfig A1\n\tbool "A1"\nconfig B1\n\tbool "B1"\n\tdepends on MMU\nendchoice\n'
    )
    report = run(repo, tmp_path, {b"mm/Kconfig": choice}, {"B1": "y"}, base={b"arch/arm/configs/versatile_defconfig": b""})
    values = {symbol.name: dict(symbol.values) for symbol in report.symbols}
    assert values["B1"]["x86_64"] == "y"
    assert values["A1"]["x86_64"] == "n"


# --- what it uses and what it changes for others ------------------------------------------------------------------------------


def test_configuration_symbols_in_code_and_makefiles(repo: Repo, tmp_path: Path) -> None:
    changes: dict[bytes, bytes | None] = {
        b"mm/shmem.c": b'/* CONFIG_IN_COMMENT */\nchar *s = "CONFIG_IN_TEXT";\n#ifdef CONFIG_LATER\n#endif\n'
        b"#if CONFIG_TYPO\n#endif\n"
        b"#ifdef CONFIG_SHMEM_MODULE\n#endif\n",
        b"mm/Makefile": b"obj-y := shmem.o\nobj-$(CONFIG_LATER) += shmem.o\n",
    }
    later = {b"mm/Kconfig": MM + b"\nconfig LATER\n\tbool\n"}
    report = run(repo, tmp_path, changes, between=later)
    assert sorted((str(f.level), f.symbol, f.path) for f in report.findings) == [
        ("error", "LATER", b"mm/Makefile"),
        ("note", "TYPO", b"mm/shmem.c"),
        ("warning", "LATER", b"mm/shmem.c"),
    ]
    assert {found.introduced_by.subject for found in report.findings if found.introduced_by} == {"upstream brings something"}


def test_what_changes_for_everybody(repo: Repo, tmp_path: Path) -> None:
    changed = MM.replace(b"default y", b"default n").replace(b'"Pages"', b'"Number of pages"')
    report = run(repo, tmp_path, {b"mm/Kconfig": changed, b"drivers/Kconfig": DRIVERS.replace(b"config AUTO\n\tbool\n", b"")})
    assert told(report) == [
        ("warning", "kconfig-changed", "AUTO"),
        ("note", "kconfig-changed", "PAGES"),
        ("warning", "kconfig-changed", "SHMEM"),
    ]
    shmem = report.findings[2]
    assert (shmem.upstream, shmem.target, shmem.line) == ("default: n", "default: y", 3)


def test_a_definition_that_moves_changes_nothing(repo: Repo, tmp_path: Path) -> None:
    moved = {b"mm/Kconfig": MM + b"\nconfig AUTO\n\tbool\n", b"drivers/Kconfig": DRIVERS.replace(b"config AUTO\n\tbool\n", b"")}
    assert told(run(repo, tmp_path, moved)) == []


def test_makefile_objects(repo: Repo, tmp_path: Path) -> None:
    makefile = (
        b"obj-y := shmem.o\nobj-$(CONFIG_SHMEM) += gone.o\\\n\t\tnew.o asm.o sub/ nosub/ both.o\nboth-objs := x.o\n"
        b"obj-y += made.o $(VAR).o\n$(obj)/made.o: FORCE\n\tcmd\n# obj-y += comment.o\n"
    )
    files = {b"mm/Makefile": makefile, b"mm/new.c": b"", b"mm/asm.S": b"", b"mm/sub/Makefile": b"obj-y :=\n"}
    report = run(repo, tmp_path, files, between={b"mm/gone.c": b""})
    assert sorted((f.symbol, f.line, str(f.level), f.kind) for f in report.findings) == [
        ("gone.o", 2, "error", "makefile-object-absent"),
        ("nosub/", 3, "warning", "makefile-object-absent"),  # upstream has none either
    ]


# --- bad input ----------------------------------------------------------------------------------------------------------------


def test_a_tree_that_is_no_kernel_is_said_to_be_none(repo: Repo, tmp_path: Path) -> None:
    with applied(repo, {b"README": b"x\n"}, {b"README": b"y\n"}, tmp_path / "store") as case:
        report = check(case.series, case.onto, case.result, (ConfigValue("KSM", "y"),), case.trees, case.store)
    assert "no kernel" in report.skipped[0].why


def test_lines_that_are_no_kconfig(repo: Repo, tmp_path: Path) -> None:
    """The target's own are skipped and counted, the series' are errors; odd characters are read as the old lexer did."""
    old = MM + b'\nconfig ODD\n\tbool "Odd";\n\tdepends on MMU &&& )\n'
    report = run(
        repo,
        tmp_path,
        {b"mm/Kconfig": old + MERGE + b"\tdepends on (SHMEM\n"},
        {"MERGE": "y", "ODD": "y"},
        base={b"mm/Kconfig": old},
    )
    assert [(f.kind, f.line) for f in report.findings if f.level is Level.ERROR] == [("kconfig-syntax", 23)]
    assert [skip.what for skip in report.skipped] == ["mm/Kconfig:16"]
    assert {symbol.name for symbol in report.symbols} == {"MERGE"}


def test_a_source_that_leads_nowhere(repo: Repo, tmp_path: Path) -> None:
    base = {b"drivers/Kconfig": DRIVERS + b'source "drivers/lost/Kconfig"\n'}
    report = run(repo, tmp_path, {b"mm/Kconfig": MM + b'source "mm/gone/Kconfig"\n' + MERGE}, {"MERGE": "y"}, base=base)
    assert ("error", "kconfig-source-absent", "mm/gone/Kconfig") in told(report)
    assert [skip.what for skip in report.skipped] == ["drivers/Kconfig:14"]


def test_dependencies_in_a_circle(repo: Repo, tmp_path: Path) -> None:
    circle = b'\nconfig RING\n\tbool "Ring"\n\tdepends on BELL\n\nconfig BELL\n\tbool "Bell"\n\tdepends on RING\n'
    found = only(run(repo, tmp_path, {b"mm/Kconfig": MM + circle}))
    assert (found.level, found.kind, found.upstream) == (Level.ERROR, "kconfig-loop", "x86_64, i386, arm")
    assert found.symbol in ("RING", "BELL")


def test_a_circle_of_the_target_is_not_the_series_fault(repo: Repo, tmp_path: Path) -> None:
    circle = MM + b'\nconfig RING\n\tbool "Ring"\n\tdepends on BELL\n\nconfig BELL\n\tbool "Bell"\n\tdepends on RING\n'
    more = circle + b'\nconfig MERGE\n\tbool "Merge"\n\tdepends on RING\n'
    report = run(repo, tmp_path, {b"mm/Kconfig": more}, {"MERGE": "y"}, base={b"mm/Kconfig": circle})
    assert "kconfig-loop" not in {found.kind for found in report.findings}
    assert any("loop" in skip.why for skip in report.skipped)


def test_a_file_that_sources_itself_ends(repo: Repo, tmp_path: Path) -> None:
    report = run(repo, tmp_path, {b"mm/Kconfig": MM + b'source "mm/Kconfig"\n' + MERGE}, {"MERGE": "y"})
    assert report.symbols


def test_bytes_that_are_no_utf8(repo: Repo, tmp_path: Path) -> None:
    report = run(repo, tmp_path, {b"mm/Kconfig": MM + b'\nconfig LATIN\n\tbool "Gr\xfc\xdfe \xe6"\n'}, {"LATIN": "y"})
    assert report.symbols[0].prompt == "Grüße æ"
    report = run(Repo.make(tmp_path / "other"), tmp_path / "2", {b"mm/Kconfig": MM + '\nconfig U8\n\tbool "Grüße"\n'.encode()})
    assert report.symbols[0].prompt == "Grüße"


def test_deep_nesting_is_said_not_raised(repo: Repo, tmp_path: Path) -> None:
    deep = b'\nconfig DEEP\n\tbool "Deep"\n\tdepends on ' + b"(" * 20_000 + b"MMU" + b")" * 20_000 + b"\n"
    report = run(repo, tmp_path, {b"mm/Kconfig": MM + deep}, {"DEEP": "y"})
    assert [skip.what for skip in report.skipped] == ["Kconfig on x86_64", "Kconfig on i386", "Kconfig on arm"]


def test_binary_rubbish(repo: Repo, tmp_path: Path) -> None:
    rubbish = bytes(range(256)) * 50 + b'\nconfig\nconfig \nif\nendif\nendif\nmenu\nsource\nsource "\nchoice\n\tselect\n'
    report = run(repo, tmp_path, {b"mm/Kconfig": MM + MERGE + rubbish}, {"MERGE": "y"})
    assert "MERGE" in {symbol.name for symbol in report.symbols}


def test_nothing_of_the_tree_is_run_read_or_printed(
    repo: Repo, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The preprocessor of newer kernels: shell, environment, imports, output, files elsewhere, globs upwards."""
    (tmp_path / "kconfigfunctions.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\nfunctions = {{}}\n")
    (tmp_path / "Kconfig.outside").write_text('config OUTSIDE\n\tbool "Outside"\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SECRET", "leaked")
    monkeypatch.setenv("KCONFIG_FUNCTIONS", "kconfigfunctions")
    hostile = (
        f"$(shell,touch {tmp_path}/ran)\n$(info,printed)\n$(warning-if,y,printed)\n$(error-if,y,stopped)\n"
        f'test = $(shell,touch {tmp_path}/ran2 && echo "y" || echo "n")\n'
        f'source "{tmp_path}/Kconfig.outside"\nsource "../../../..{tmp_path}/Kconfig.outside"\nosource "/*/*/Kconfig*"\n'
        'config MERGE\n\tbool "$(SECRET)$SECRET ${SECRET}"\n\tdefault $(test)\n'
    ).encode()
    before = dict(os.environ)
    report = run(
        repo, tmp_path, {b"mm/Kconfig": MM + hostile}, {"MERGE": "y"}, base={b"arch/arm/configs/versatile_defconfig": b""}
    )
    assert not any((tmp_path / name).exists() for name in ("ran", "ran2", "imported"))
    assert capfd.readouterr() == ("", "")
    assert "leaked" not in repr(report)
    assert "OUTSIDE" not in repr(report.symbols)
    assert dict(os.environ) == before
    assert "kconfigfunctions" not in sys.modules
    assert any("$(shell)" in skip.what for skip in report.skipped)


def test_macros_that_double_are_stopped() -> None:
    lines = ["m0 = " + "x" * 100, *(f"m{n} = $(m{n - 1})$(m{n - 1})" for n in range(1, 60)), 'config A\n\tbool "$(m59)"\n']
    with pytest.raises(UnreadableError, match="without end"):
        Sandbox().load({"Kconfig": "\n".join(lines)}, "Kconfig", {})


def test_the_scanner_knows_help_texts_blocks_and_continued_lines() -> None:
    found = scan(
        'config A\n\tbool "a"\n\thelp\n\t  config B\n\t   if C\n\n\t  more\nif X && \\\n\tY\nconfig D\n\tselect E if F\nendif\n'
    )
    kinds = [(block.kind, block.name, block.line, block.last) for block in found.blocks]
    assert kinds == [("config", "A", 1, 7), ("if", "", 8, 9), ("config", "D", 10, 11), ("end", "", 12, 12)]
    assert found.blocks[1].needs() == {"X", "Y"}
    assert list(found.blocks[2].selects()) == [("E", {"F"})]
    assert found.blocks[2].parent == 1
