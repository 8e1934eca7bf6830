"""The console: what a person sees, on a terminal and off it, and what an outsider cannot make it do."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from backport.model.errors import InputError
from backport.model.finding import Finding, Level
from backport.model.verdict import Verdict
from backport.report import markdown, safe
from backport.report.console import PLAIN_WIDTH, Console, render_error
from backport.report.summary import next_steps, shares

from . import examples

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-9]|9[0-7])[0-9;]*m")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "40")


def replay(console: Console, result) -> None:
    with console:
        console.stage("ingest", 1)
        console.step("reading")
        console.done("31 commits")
        console.stage("replay", len(result.patches))
        for patch in result.patches:
            console.patch(patch)
            console.step(patch.subject)
        console.done("all seen")


def shown(result, stream=None, folder="out/ksm", steps=("backport log out/ksm",)) -> str:
    stream = stream or io.StringIO()
    Console(stream).show_result(result, folder, steps)
    return stream.getvalue()


def widest(text: str) -> int:
    return max(cell_len(line) for line in ANSI.sub("", text).splitlines())


def test_every_patch_has_one_line_with_its_verdict_id_and_subject():
    stream = io.StringIO()
    replay(Console(stream), examples.ksm())
    lines = stream.getvalue().splitlines()
    assert lines[0] == "✓ ingest   31 commits"
    assert " 1 ✓ exact           828502d30073 ksm: add mmu_notifier set_pte_at_notify()" in lines
    where = lines.index("28 ✗ conflict        3da0dd433dc3 KVM: add support for change_pte mmu notifiers")
    assert "1 of 3 files conflicts" in lines[where + 1]
    assert lines[-1] == "✓ replay   all seen"
    assert len(lines) == 1 + 31 + 1 + 1


def test_the_outcome_shows_conflict_causes_findings_skips_files_and_next_command():
    text = shown(examples.ksm())
    assert "KSM: kernel samepage merging onto v2.6.31 (74fca6a42863), new tip c178f27fc515" in text
    assert "25  ✓ exact" in text
    assert "arch/x86/kvm/mmu.c:748 in kvm_handle_hva — both sides changed these lines" in text
    assert "<<<<<<< v2.6.31" in text
    assert "======= 3da0dd433dc3" in text
    assert "because of 44ad9944f151 KVM: MMU: make rmap code aware of mapping levels" in text
    assert "error absent-symbol __set_spte" in text
    assert "arch/x86/kvm/mmu.c:802" in text
    assert "$ backport prove ksm --toolchain gcc-4.4" in text
    assert "out/ksm/patches/ (30 files)" in text
    assert text.splitlines()[-2].startswith("30 of 31 patches landed, 1 needs a person; findings: 1 error, 1 warning.")
    assert text.splitlines()[-1] == "  $ backport log out/ksm"


def test_left_out_patches_say_why():
    text = shown(examples.with_left_out())
    assert "30 of 35 patches landed, 2 need a person, 3 left out; findings" in text
    assert "because of 6a46079cf57a" in text
    assert "Fedora 12 has no swap over KSM pages" in text
    assert "builds on aaaa00000002 mm: not wanted, which was left out" in text


def test_the_patch_list_is_printed_once():
    stream = io.StringIO()
    console = Console(stream)
    replay(console, examples.ksm())
    console.show_result(examples.ksm(), "out", ())
    assert stream.getvalue().count("✓ exact           828502d30073") == 1
    assert shown(examples.ksm()).count("✓ exact           828502d30073") == 1


def test_an_empty_series_is_said_plainly():
    text = shown(examples.empty())
    assert "no new tip" in text
    assert "The series is empty: nothing was replayed." in text


def test_a_clean_run_says_so():
    text = shown(replace(examples.ksm(27), findings=()))
    assert "27 of 27 patches landed, nothing needs a person." in text
    assert "Needs a person" not in text


@pytest.mark.parametrize("terminal", [True, False])
def test_hostile_text_stays_text(terminal):
    stream = Terminal() if terminal else io.StringIO()
    console = Console(stream)
    replay(console, examples.hostile())
    console.show_result(examples.hostile(), "out/[x]\x1b", ("rm [y]\x1b[2K",))
    console.show_text("a\x1b[5mb")
    text = re.sub(r"\x1b\[[0-9;]*[mK]|\x1b\[\?25[hl]|\x1b\[1A|\r(?=\x1b|\n|$)", "", stream.getvalue())
    assert all(char == "\n" or char.isprintable() for char in text.replace("\r", ""))
    assert "\x1b[2J" not in stream.getvalue()
    assert "\x1b[5m" not in stream.getvalue()
    assert "[SCSI] [bold]red[/bold] \\x1b[31mESC\\x07 \\u202egnp.exe" in text
    assert ":smile:" in text
    assert "dr\\xffivers/\\x1b[1m[red]/a\\nb|`.c" in text


def test_a_long_conflict_is_cut_and_says_how_much_is_missing():
    text = shown(examples.hostile())
    assert "line 9 \\xff\\x00\\x1b[2J\\r" in text
    assert "line 10 " not in text
    assert "… 9990 more lines" in text
    assert "… 17 more lines" in text


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
@pytest.mark.parametrize("make", [examples.with_left_out, examples.hostile])
def test_no_line_is_wider_than_the_terminal_but_commands(monkeypatch, columns, make):
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    console = Console(stream)
    replay(console, make())
    console.show_result(make(), "out", ("backport a-command-that-is-longer-than-forty-columns-and-not-broken",))
    text = stream.getvalue()
    *others, command = ANSI.sub("", text).splitlines()
    assert max(cell_len(line.rsplit("\r", 1)[-1]) for line in others) <= columns
    assert command == "  $ backport a-command-that-is-longer-than-forty-columns-and-not-broken"
    assert make().patches[0].upstream[:12] in text


def test_a_narrow_terminal_keeps_the_counts_and_the_verdict_words(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    text = ANSI.sub("", shown(examples.ksm(), Terminal()))
    assert "25  ✓ exact" in text
    assert " 1  ✗ conflict" in text
    assert "conflict: 1 of 3 files conflicts" in text


def test_wide_characters_are_cut_at_cells_not_characters():
    patch = replace(examples.ksm().patches[0], subject="漢字" * 200)
    stream = io.StringIO()
    Console(stream).patch(patch)
    assert cell_len(stream.getvalue().rstrip("\n")) <= PLAIN_WIDTH
    assert stream.getvalue().endswith("…\n")


def test_off_a_terminal_there_is_no_escape_no_bar_and_one_width(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    texts = []
    for columns in ("40", "300"):
        monkeypatch.setenv("COLUMNS", columns)
        stream = io.StringIO()
        console = Console(stream)
        replay(console, examples.with_left_out())
        console.show_result(examples.with_left_out(), "out", ())
        texts.append(stream.getvalue())
    assert texts[0] == texts[1]
    assert "\x1b" not in texts[0]
    assert "\r" not in texts[0]
    assert "━" not in texts[0]
    assert widest(texts[0]) <= PLAIN_WIDTH
    assert not re.search(r" $", texts[0], re.MULTILINE)


def test_colour_on_a_terminal_and_none_with_no_color(monkeypatch):
    assert COLOUR.search(shown(examples.ksm(), Terminal()))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not COLOUR.search(shown(examples.ksm(), Terminal()))


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    replay(Console(stream), examples.ksm())
    assert "\x1b" not in stream.getvalue()


def test_quiet_prints_nothing():
    for stream in (io.StringIO(), Terminal()):
        console = Console(stream, quiet=True)
        replay(console, examples.ksm())
        console.show_result(examples.ksm(), "out", ("x",))
        console.show_series_table([examples.definition()])
        console.show_definition(examples.definition())
        assert stream.getvalue() == ""


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_a_stopped_run_gives_the_terminal_back_and_says_how_far_it_got(stop):
    def run():
        with console:
            console.stage("replay", 31)
            console.step("one")
            raise stop

    stream = Terminal()
    console = Console(stream)
    with pytest.raises(stop):
        run()
    text = stream.getvalue()
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")
    word = "interrupted" if stop is KeyboardInterrupt else "stopped"
    assert ANSI.sub("", text).endswith(f"✗ replay   {word} after 1 of 31\n")


def test_stages_without_a_total_or_an_end_do_no_harm():
    for stream in (io.StringIO(), Terminal()):
        with Console(stream) as console:
            console.step("before any stage")
            console.stage("drift", 0)
            console.step("x" * 500)
            console.stage("package", 2)
            console.done("")
        assert "✓ package" in ANSI.sub("", stream.getvalue())


def test_many_notes_are_cut_errors_never():
    notes = tuple(Finding(Level.NOTE, "n", f"note{i}", "a" * 40, b"f", i) for i in range(50))
    errors = tuple(Finding(Level.ERROR, "e", f"error{i}", "a" * 40, b"f", i) for i in range(50))
    text = shown(replace(examples.ksm(), findings=notes + errors))
    assert "… 40 more notes in report.json" in text
    assert "error49" in text
    assert text.index("error0") < text.index("note0")


def test_a_definition_is_a_tree_of_topics_with_commits_and_drops():
    stream = io.StringIO()
    Console(stream).show_definition(examples.definition())
    text = stream.getvalue()
    assert "├── linux-2.6-ksm.patch  add KSM  (30)" in text
    assert "linux-2.6-ksm-kvm.patch  KSM: let KVM follow [x]  (1)" in text
    assert text.index("linux-2.6-ksm-kvm.patch") < text.index("3da0dd433dc3")
    assert "2.6.31 has no memory-failure.c" in text
    assert "CONFIG_KSM=y" in text
    assert "31 commits in 2 topic patches, 1 left out on purpose." in text


def test_a_definition_without_topics_lists_its_commits():
    stream = io.StringIO()
    Console(stream).show_definition(examples.definition(topics=False))
    assert "commits  (31)" in stream.getvalue()
    assert "31 commits, 1 left out on purpose." in stream.getvalue()


def test_the_series_table_has_a_row_a_series():
    stream = io.StringIO()
    Console(stream).show_series_table([examples.definition()])
    assert re.search(
        r"^ksm +KSM: kernel samepage merging +v2\.6\.31 +31 +patches/ksm/series\.toml$", stream.getvalue(), re.MULTILINE
    )
    stream = io.StringIO()
    Console(stream).show_series_table([])
    assert stream.getvalue() == "There is no series.\n"


def test_an_error_says_what_where_and_next():
    stream = io.StringIO()
    render_error(InputError("no [such] series\x1b", where="a/b:3", then="backport series list " + "x" * 200), stream)
    assert stream.getvalue().splitlines() == [
        "error: no [such] series\\x1b",
        "where: a/b:3",
        " next: backport series list " + "x" * 200,
    ]
    stream = io.StringIO()
    render_error(InputError("only this"), stream)
    assert stream.getvalue() == "error: only this\n"


def test_a_stream_that_is_no_utf8_does_not_fail():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Console(stream).show_result(examples.hostile(), "out", ("x",))
    stream.flush()
    assert b"bad000000001" in raw.getvalue()


def test_a_reader_that_leaves_does_not_stop_the_run():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import examples; from backport.report.console import Console\n"
        "console = Console()\nfor _ in range(9): console.show_result(examples.hostile(), 'out', ())\nsys.exit(7)"
    )
    command = [sys.executable, "-c", program, str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        run.stdout.close()
        assert (run.wait(), run.stderr.read()) == (7, b"")


def test_only_the_console_costs_the_import_of_rich():
    program = "import sys, backport.report.document, backport.report.markdown; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a\x1b[1m\x7f\x9b", "a\\x1b[1m\\x7f\\x9b"),
        ("\u202e\u2066\u200b\ufeff\u2028\u3164", "\\u202e\\u2066\\u200b\\ufeff\\u2028\\u3164"),
        ("\ud800\U000e0041", "\\ud800\\U000e0041"),
        (b"\xff\xc3\xa9", "\\xffé"),
        ("a\u00a0b\u3000c", "a b c"),
        ("tab\there\n", "tab\\there\\n"),
    ],
)
def test_line_shows_what_would_hide(text, expected):
    assert safe.line(text) == expected


def test_excerpt_counts_lines_as_git_does():
    assert safe.excerpt(b"", 5) == ([], 0)
    assert safe.excerpt(b"a\nb", 5) == (["a", "b"], 0)
    assert safe.excerpt(b"a\nb\n", 1) == (["a"], 1)
    assert safe.excerpt(b"\n\n", 5) == (["", ""], 0)
    assert safe.excerpt(b"\tx\n", 5) == (["        x"], 0)
    kept, more = safe.excerpt(b"y" * 1_000_000, 5)
    assert (len(kept[0]), more) == (safe.LONGEST + 1, 0)


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [([3, 4, 4], [3, 4, 4]), ([100, 0, 100], [10, 0, 10]), ([100, 2, 3], [15, 2, 3]), ([50, 50, 50], [6, 7, 7]), ([], [])],
)
def test_sides_share_the_space(lengths, expected):
    assert shares(lengths, 20) == expected


def test_what_is_in_no_line_is_told_without_one():
    """061e2fd16863 on 2.6.32.y: the target does not have svm_set_nmi_mask, and was told so of line 0."""
    result = examples.with_rules()
    (at,) = [number for number, patch in enumerate(result.patches) if patch.verdict is Verdict.RESOLVED]
    file = result.patches[at].files[0]
    nowhere = replace(file, evidence=(replace(file.evidence[0], line=0),))
    patches = [*result.patches]
    patches[at] = replace(patches[at], files=(nowhere,))
    changed = replace(result, patches=tuple(patches))
    assert "mm/ksm.c in scan_box — anchor: " in shown(changed)
    assert "`mm/ksm.c` in `scan_box`: `anchor`: " in markdown.render(changed)


def test_what_rules_did_and_would_do_is_told_with_reason_and_figures():
    text = shown(examples.with_rules())
    assert "mm/ksm.c:120 in scan_box — anchor: the lines stand once in the function" in text
    assert "suggestion 1 renames — right in 31 of 40 real backports (77 %)" in text
    assert "suggestion 2 words, anchor — never measured" in text
    assert "but visit: it would land in drop_one" in text
    assert "+       hit |= visit(mm);" in text
    assert "backport run ksm --accept-suggestions" in next_steps(examples.with_rules(), "out/ksm")
    assert not any("suggestions" in step for step in next_steps(examples.ksm(), "out/ksm"))
