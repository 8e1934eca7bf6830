"""Outside text in a spec: rpm reads back what went in, and nothing of it ever runs."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backport.model.errors import InputError
from backport.package import escape, spec
from tests.package.examples import needs_rpm, plan, rpm

INJECTIONS = [
    "%(touch CANARY)",
    "%%(touch CANARY)",
    "\\%(touch CANARY)",
    "\\\\%(touch CANARY)",
    "%{lua: io.open('CANARY', 'w')}",
    "%{lua:posix.mkdir('CANARY')}",
    "%{expand:%(touch CANARY)}",
    "%{expand: %%(touch CANARY)}",
    "%[ 1 + 1 ]",
    "%{shrink:%(touch CANARY)}",
    "%{?!x:%(touch CANARY)}",
    "%{load:/etc/passwd}",
    "%{uncompress:/etc/passwd}",
    "%{getenv:HOME}",
    "%{S:%(touch CANARY)}",
    "%define x %(touch CANARY)",
    "%global x %(touch CANARY)\n%x",
    "text\n%define x %(touch CANARY)\n%{x}",
    "text\n%post\ntouch CANARY",
    "text\n%post -p <lua>\nio.open('CANARY', 'w')",
    "text\n%include /etc/passwd",
    "text\n   %include /etc/passwd",
    "text\n\t%if 1",
    "text\n%endif",
    "text\n  %else",
    "text\n%ifarch x86_64",
    "text\n%files\n/etc",
    "text\n%changelog",
    "text\n* Sat Dec 05 2009 Someone Else <x@y.z> 9-9\n- forged",
    "text\n# vanishes\nafter",
    "# first\nafter",
    "* first",
    "- - -",
    "%",
    "%%",
    "%%%",
    "\\",
    "\\\\",
    "text\\",
    "text\\\nafter",
    "text\\\\\n\\\n% ",
    "\\%",
    "\\%{",
    "%{",
    "%{nil",
    "%(",
    "%[",
    "100% of it",
    "a %description of\n%description",
    "%1 %* %# %0 %{-f} %{**}",
    "a\rb\vc\fd\x1ce\x1df\x1eg\x85h\u2028i\u2029j",
    "nul\0bell\aescape\x1b[31m\x9b",
    "\u202eright to left\u2066",
    "\ud800 alone",
    "\ufeffbom",
    "tab\there",
    "\xa0%include /etc/passwd\n\xa0%if 1",
    "text\n\u3000%include /etc/passwd",
    "",
    "\n\n",
    "Grüße, 平和",
    "x" * 20000,
    "%(touch CANARY)" * 500,
]


def read_back(texts: list[str], folder: Path) -> None:
    """Every text as changelog, as title and as description, read by the real rpm."""
    texts = [text.replace("CANARY", str(folder / "CANARY")) for text in texts]
    path = folder / "kernel.spec"
    path.write_bytes(spec.render(plan(changelog=tuple(texts), title=" ".join(texts))))
    wanted = "".join(line + "\n" for text in texts for line in escape.changelog_lines(text))
    done = rpm("rpmspec", "-q", "--srpm", "--qf", r"[%{CHANGELOGTEXT}\n]%{POSTIN}\n[%{CHANGELOGNAME}\n]", path, home=folder)
    assert done.stderr == b""
    assert done.stdout == wanted.encode() + b"(none)\nJane Doe <jane@example.org> 2.6.31-1.ksm\n"
    described = rpm("rpmspec", "-q", "--srpm", "--qf", "%{DESCRIPTION}", path, home=folder).stdout.decode()
    clean = " ".join(" ".join(texts).split())
    if clean.isascii() and clean.isprintable():
        assert " ".join(described.split()).endswith(clean)
    assert not (folder / "CANARY").exists()


@needs_rpm
@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_an_injection_is_only_text(text: str, tmp_path: Path) -> None:
    read_back([text], tmp_path)


@needs_rpm
def test_all_injections_together_are_only_text(tmp_path: Path) -> None:
    read_back(INJECTIONS, tmp_path)


NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            ["%", "\\", "{", "}", "(", ")", "[", "\n", "  ", "#", "*", "-", "%if", "%include /x", "nil", "lua:", "?", "!"]
        ),
        st.sampled_from(
            ["%endif", "%(touch CANARY)", "%{expand:", "%{lua:", "%post", "%changelog", "\r", "\v", "\u2028", "'", '"', "`"]
        ),
        st.text(max_size=6),
    ),
    max_size=14,
).map("".join)


@needs_rpm
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(NASTY, min_size=20, max_size=40))
def test_rpm_reports_any_changelog_byte_for_byte(texts: list[str]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        read_back(texts, folder)
    finally:
        shutil.rmtree(folder)


@given(st.text())
def test_changelog_lines_keep_their_form(text: str) -> None:
    first, *rest = escape.changelog_lines(text)
    assert first.startswith("- ")
    assert all(line.startswith("  ") and line[2] not in " #*%" for line in rest)
    assert all(line.splitlines() == [line] and line == line.rstrip() for line in (first, *rest))


def test_a_dangerous_line_joins_the_one_before() -> None:
    assert escape.changelog_lines("one\n# two\nthree\n%if\n* five") == ("- one # two", "  three %if * five")


@pytest.mark.parametrize(
    ("seconds", "day"),
    [
        (1259884800, "Fri Dec 04 2009"),
        (1259884799, "Thu Dec 03 2009"),
        (951782400, "Tue Feb 29 2000"),
        (631152000, "Mon Jan 01 1990"),
    ],
)
def test_dates_are_english_and_utc(seconds: int, day: str) -> None:
    assert escape.changelog_date(seconds) == day


@pytest.mark.parametrize("seconds", [0, -1, 631151999, 10**10, 10**20])
def test_a_date_that_rpm_refuses_is_refused(seconds: int) -> None:
    with pytest.raises(InputError):
        escape.changelog_date(seconds)


@pytest.mark.parametrize("name", ["linux-2.6-ksm.patch", "0001-a.patch", "A_b.c-1.patch"])
def test_good_patch_names(name: str) -> None:
    assert escape.patch_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".patch", "a+b.patch", "-a.patch", "a b.patch", "a/b.patch", "../a.patch", "%(x).patch", "a.patch\n", "a.diff",
     "é.patch", "x" * 60 + ".patch"],
)  # fmt: skip
def test_bad_patch_names(name: str) -> None:
    with pytest.raises(InputError):
        escape.patch_name(name)


@pytest.mark.parametrize("name", ["Jane Doe", "Łukasz Żółw", "J. R. O'Neil-Smith (work)", "山田 太郎", "Zoe\u0308"])
def test_good_names(name: str) -> None:
    assert escape.person(name) == name


@pytest.mark.parametrize("name", ["", " ", "%(x)", "a%b", "a\nb", "a <b", "a\\", "9", "-x", "a\u2028b", "x" * 81])
def test_bad_names(name: str) -> None:
    with pytest.raises(InputError):
        escape.person(name)


@pytest.mark.parametrize("mail", ["", "a", "a@", "@b", "a@b c", "<a@b>", "a%b@c", "a@b\n", "a@%{x}"])
def test_bad_addresses(mail: str) -> None:
    with pytest.raises(InputError):
        escape.address(mail)


def test_buildid_has_its_dot() -> None:
    assert escape.buildid("ksm") == escape.buildid(".ksm") == ".ksm"


@pytest.mark.parametrize("text", ["", ".", "..a", "a-b", "a%", "a..b", "a b", "a\n", "a" * 25, "é"])
def test_bad_buildids(text: str) -> None:
    with pytest.raises(InputError):
        escape.buildid(text)


@pytest.mark.parametrize("text", ["2.6.31", "-1", "1-", "1-2-3", "a-1", "1-%x"])
def test_bad_evr(text: str) -> None:
    with pytest.raises(InputError):
        escape.evr_words(text)


@pytest.mark.parametrize(
    ("series", "word"),
    [("ksm", ".ksm"), ("ksm-swap", ".ksm_swap"), ("v2.6", ".v2.6"), ("x--y_.z", ".x_y_z"), ("a" * 90, "." + "a" * 24)],
)
def test_a_series_gives_its_name_as_a_buildid(series: str, word: str) -> None:
    """`run ksm-swap` replayed for a minute, and then said that a buildid has no dash."""
    assert escape.buildid_of(series) == word
