"""Turns outside text into spec text: what rpm reads back is the text itself, and none of it is ever run.

Parsing a spec runs code, wherever the text stands: `%(touch x)` in a changelog line, a title or a file name runs at
`rpmspec -P` and at somebody else's `rpmbuild --rebuild`. So text goes into a spec in one of two ways only: as prose whose
macros are dead (`prose`, `changelog_entry`), or as a word that matches a pattern (`patch_name`, `buildid`, ...) and is
refused otherwise. All of these return `SpecText`; the template accepts nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

from backport.model.errors import InputError

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIRST_YEAR, _LAST_YEAR = 1990, 2105  # what rpm accepts in a changelog: from 1990, and 32 bits of seconds

_PATCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.patch")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[0-9][A-Za-z0-9._~^]*")
_BUILDID = re.compile(r"\.?[A-Za-z0-9][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_PERSON = re.compile(r"[^\W\d_](?:[^\W_]|[\u0300-\u036f .,'\u2019()-])*")
_MAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]*@[A-Za-z0-9][A-Za-z0-9.-]*")
_ACTIVE = re.compile(r"%|\\(?=%|$)", re.MULTILINE)
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_LONGEST_NAME, _LONGEST_BUILDID, _LONGEST_PERSON = 64, 24, 80


class SpecText(str):
    """Text that may stand in a spec as it is. Only this module makes it."""

    __slots__ = ()


def macros(text: str) -> SpecText:
    r"""The text with every macro dead: rpm expands the result to exactly `text`.

    `%` becomes `%%`. That alone is not enough: `\%{` breaks the parse and `\` at a line end joins the next line, so such a
    backslash becomes `\%{nil}` (6,000 of 6,000 random entries were byte-equal with it, see notes/rpm.md).
    """
    return SpecText(_ACTIVE.sub(lambda found: "%%" if found[0] == "%" else "\\%{nil}", text))


def prose(text: str) -> SpecText:
    """One line of prose, whatever the text was. It must not begin a line of the spec: put a word of your own before it."""
    return macros(" ".join(_clean_lines(text)))


def changelog_lines(text: str) -> tuple[str, ...]:
    """The lines of one changelog entry as rpm will report them: `- ` first, then continuation lines of two spaces.

    A continuation line never begins with `#` (it would vanish), `*` (it would start a header) or `%`: rpm looks for `%if`,
    `%include` and `%endif` **after** it expanded the line, so a doubled `%` is no help there. Such a line is joined to the
    one before it.
    """
    lines: list[str] = []
    for line in _clean_lines(text):
        if not lines:
            lines.append("- " + line)
        elif line[0] in "#*%":
            lines[-1] += " " + line
        else:
            lines.append("  " + line)
    return tuple(lines) or ("- (no subject)",)


def changelog_entry(text: str) -> SpecText:
    """One entry of a changelog as it stands in the spec, without the final newline."""
    return macros("\n".join(changelog_lines(text)))


def changelog_header(seconds: int, packager: str, mail: str, evr: str) -> SpecText:
    """`* Fri Dec 04 2009 Name <mail> 2.6.31-1.ksm`, as Fedora writes it: no dash before the version."""
    return SpecText(f"* {changelog_date(seconds)} {person(packager)} <{address(mail)}> {evr_words(evr)}")


def changelog_date(seconds: int) -> SpecText:
    """The UTC day as rpm wants it, in English: strftime would follow the locale, and rpm drops entries it cannot read."""
    try:
        day = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(f"{seconds} is not a date", then="give seconds since 1970 in UTC") from error
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise InputError(f"rpm accepts no changelog entry of the year {day.year}", then="give a date from 1990 on")
    return SpecText(f"{_DAYS[day.weekday()]} {_MONTHS[day.month - 1]} {day.day:02d} {day.year}")


def patch_name(name: str) -> SpecText:
    """The name of a patch file. No `+`: Fedora's ApplyPatch greps the spec for the name as a regular expression."""
    return _word(name, _PATCH, _LONGEST_NAME, "a patch file name", "use letters, digits, `.`, `_`, `-`, and end it in .patch")


def file_name(name: str) -> SpecText:
    """The name of any other source file, or of the tarball's top folder."""
    return _word(name, _FILE, 2 * _LONGEST_NAME, "a source file name", "use only letters, digits, `.`, `_` and `-`")


def version_word(text: str) -> SpecText:
    """A version or a release as rpm allows it: no dash, no white space."""
    return _word(text, _VERSION, _LONGEST_NAME, "a version", "use digits, letters, `.`, `_`, `~` and `^`")


def evr_words(text: str) -> SpecText:
    """`version-release`, for a changelog header."""
    version, dash, release = text.partition("-")
    if not dash:
        raise InputError(f"{text!r} lacks a release", then="write version-release")
    return SpecText(f"{version_word(version)}-{version_word(release)}")


def buildid(text: str) -> SpecText:
    """Fedora's mark of a kernel of one's own, with its leading dot: `ksm` and `.ksm` both give `.ksm`."""
    word = _word(text, _BUILDID, _LONGEST_BUILDID, "a buildid", "use letters, digits, `_` and single dots, as in .ksm")
    return SpecText("." + word.removeprefix("."))


def buildid_of(series: str) -> SpecText:
    """The mark that a series gives a kernel where nobody chose one: its name, with `_` for what a release may not hold."""
    if _BUILDID.fullmatch(series) and len(series) <= _LONGEST_BUILDID:
        return buildid(series)
    return buildid(re.sub(r"[^A-Za-z0-9]+", "_", series).strip("_")[:_LONGEST_BUILDID].rstrip("_"))


def person(name: str) -> SpecText:
    """The packager's name: letters of any script, digits, spaces and the few marks that names have."""
    return _word(name, _PERSON, _LONGEST_PERSON, "a packager's name", "use letters, digits, spaces and . , ' - ( )")


def address(mail: str) -> SpecText:
    """The packager's e-mail address, without angle brackets."""
    return _word(mail, _MAIL, _LONGEST_PERSON, "an e-mail address", "write it as name@host, without angle brackets")


def _word(text: str, pattern: re.Pattern[str], longest: int, what: str, then: str) -> SpecText:
    if len(text) > longest:
        raise InputError(f"{text!r} is too long for {what}", then=f"use at most {longest} characters")
    if not pattern.fullmatch(text):
        raise InputError(f"{text!r} cannot be {what}", then=then)
    return SpecText(text)


def _clean_lines(text: str) -> list[str]:
    """The lines that say something, trimmed, and without control characters.

    Everything that Python or rpm could take for a line end is one: LF, CR, VT, FF, FS, GS, RS, NEL, U+2028, U+2029.
    """
    lines = ("".join(_clean(character) for character in line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def _clean(character: str) -> str:
    """Tabs become spaces; controls and marks that turn the writing direction go; a lone surrogate becomes U+FFFD."""
    if character.isascii() and character.isprintable():
        return character
    if character == "\t":
        return " "
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return "" if category == "Cc" or character in _DIRECTION else character
