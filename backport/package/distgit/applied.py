"""What a spec applies: each patch in the order of application, with its options and the line that says so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from backport.model.errors import InputError
from backport.package import declare, macros
from backport.package.document import Document, Line, show
from backport.package.macros import Active

_CALL = re.compile(r"\s*Apply(Optional)?Patch\s+([^\s$()\"']\S*)(.*)")
_NUMBERED = re.compile(r"\s*%patch(\d*)(?=\s|$)(.*)")
_AUTOMATIC = re.compile(r"\s*%(?:autosetup|autopatch)(?=\s|$)(.*)")
_COMMAND = re.compile(rb"\s*patch_command=(['\"]?)(.*)\1\s*$")
_GIT = re.compile(rb"\s*(?:git\s+(?:--\S+\s+)*(?:apply|am)\b|.*\|\s*git\s+apply\b)")
_DEFAULT_FUZZ = re.compile(r"\s*%(?:define|global)\s+_default_patch_fuzz\s+(\d+)")
_PATCH_DEFAULT = 2  # GNU patch without -F
_IGNORED = {"-s", "-E", "-b", "-z", "--verbose", "-q", "-v"}


@dataclass(frozen=True, slots=True)
class Application:
    """One application: the file, the line of the spec, and how: `fuzz` None means that git applies it, which allows none.

    `optional` is ApplyOptionalPatch: a file of nine lines or fewer is skipped without a word.
    """

    name: str
    line: int
    strip: int = 1
    fuzz: int | None = 0
    reverse: bool = False
    optional: bool = False


def applications(document: Document, cpu: str, presets: Mapping[str, str | None]) -> list[Application]:
    """Every patch that the spec applies for one architecture, in order, with `%if` honoured and nothing of the spec run.

    InputError, quoting the line, where a condition, a name or an option cannot be understood.
    """
    lines = list(macros.active(document, cpu, presets))
    declared = _declared(document, lines)
    by_function = usual(document)
    rpm = Application("", 0, 1, _rpm_fuzz(lines))
    found: list[Application] = []
    for item in lines:
        if item.line.section != "prep" or item.line.text.lstrip().startswith(b"#"):
            continue
        for one in _of_line(document, item, declared, by_function, rpm):
            found += [] if one.name in {f.name for f in found} and _AUTOMATIC.match(item.text or "") else [one]
    return found


def _of_line(
    document: Document, item: Active, declared: Mapping[int, str], by_function: Application, rpm: Application
) -> Iterator[Application]:
    raw = item.line.text.decode(document.encoding)
    text = item.text if item.text is not None else raw
    if call := _CALL.match(text):
        if item.text is None:
            raise _unknown(document, item.line, "the name of the patch depends on a macro that only running the spec would tell")
        yield _with(
            document, item.line, replace(by_function, name=call[2], line=item.line.number, optional=bool(call[1])), call[3]
        )
    elif call := _NUMBERED.match(text):
        options = call[2] if not call[1] else f"-P {call[1]} {call[2]}"
        for number in _numbers(options):
            if number not in declared:
                raise _unknown(document, item.line, f"patch {number} is not declared")
            one = replace(rpm, name=declared[number], line=item.line.number, strip=0)
            yield _with(document, item.line, one, re.sub(r"-P\s*\d+|(?<!\S)\d+(?!\S)", "", options))
    elif (call := _AUTOMATIC.match(text)) and " -N" not in f" {call[1]}":
        strip = re.search(r"-p\s*(\d+)", call[1])
        fuzz = None if re.search(r"-S\s*git", call[1]) else rpm.fuzz
        for name in (declared[number] for number in sorted(declared)):
            yield replace(rpm, name=name, line=item.line.number, strip=int(strip[1]) if strip else 0, fuzz=fuzz)


def _declared(document: Document, lines: Sequence[Active]) -> dict[int, str]:
    """The declarations that count, by number; one without a number has the next."""
    found: dict[int, str] = {}
    for item in lines:
        match = declare.PATCH.match(item.text.encode()) if item.text and item.line.section in ("", "package") else None
        if match:
            number = int(match[1]) if match[1] else max(found, default=-1) + 1
            found[number] = match[2].decode().strip().rpartition("/")[2]
    return found


def usual(document: Document) -> Application:
    """How ApplyPatch applies: by its `patch_command`, or by git."""
    for line in document.section("prep"):
        if found := _COMMAND.match(line.text):
            words = found[2].decode("ascii", "replace").split()
            if words[:1] == ["patch"]:
                start = Application("", line.number, 0, _PATCH_DEFAULT)
                return _with(document, line, start, " ".join(words[1:]))
    if any(_GIT.match(line.text) for line in document.section("prep")):
        return Application("", 0, 1, None)
    return Application("", 0, 1, _PATCH_DEFAULT)


def _with(document: Document, line: Line, one: Application, options: str) -> Application:
    """The application with the options of its line: -pN, -FN, -R; others that do not matter here are passed over."""
    try:
        words = shlex.split(options, comments=True)
    except ValueError as error:
        raise _unknown(document, line, f"its options cannot be read ({error})") from error
    rest = iter(words)
    for word in rest:
        if found := re.fullmatch(r"-(p|F)(\d{0,2})", word):
            number = found[2] or next(rest, "")
            if not number.isdigit():
                raise _unknown(document, line, f"the option {word} lacks its number")
            one = replace(one, strip=int(number)) if found[1] == "p" else replace(one, fuzz=int(number))
        elif word in ("-R", "--reverse"):
            one = replace(one, reverse=not one.reverse)
        elif word in ("-b", "-z"):
            next(rest, "")
        elif word not in _IGNORED:
            raise _unknown(document, line, f"the option {word} is not understood")
    return one


def _numbers(options: str) -> list[int]:
    found = [int(one or other) for one, other in re.findall(r"-P\s*(\d+)|(?<!\S)(\d+)(?!\S)", options)]
    return found or [0]


def _rpm_fuzz(lines: Sequence[Active]) -> int:
    return next((int(found[1]) for item in lines if (found := _DEFAULT_FUZZ.match(item.text or ""))), 0)


def _unknown(document: Document, line: Line, why: str) -> InputError:
    return InputError(f"{show(line.text)}: {why}", where=f"{document.where}:{line.number}", then="see that line of the spec")
