"""kconfiglib, in a world that holds nothing but the texts it is given.

A Kconfig file of a newer kernel may say `$(shell,...)`, name environment variables, source any path, glob, print; kconfiglib
does all of that, and imports a module if the environment names one. Here it runs as a private copy of its module whose
own `os`, `open`, `glob`, `import` and `print` are ours: no process, no file, no variable of the user's is within reach, and
nothing of ours leaks into `os.environ`.
"""

from __future__ import annotations

import errno
import importlib.util
import io
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backport.drift.kconfig.view import expand

_TOP = "/tree/"
_PLACE = re.compile(r"(?:^|\n)([^\s:][^\n:]*):(\d+): ")
_ECHO = re.compile(r'&&\s*echo\s+"?([\w.-]+)"?\s*\|\|')
_ODD = re.compile(r"""[^\w\s$()./<>&|=!#"'\\-]""")
_MOST_REPAIRS = 25
_MOST_EXPANSIONS = 100_000
_LONGEST_EXPANSION = 1 << 20


class UnreadableError(Exception):
    """The parser gave up; the message says why."""


@dataclass(frozen=True, slots=True)
class Repair:
    """A line that the parser refused, and what it said. `dropped`: left out; else only odd characters were removed."""

    path: str
    line: int
    said: str
    dropped: bool


@dataclass(slots=True)
class Loaded:
    """A parsed Kconfig (kconfiglib.Kconfig) and what had to be done to get there."""

    kconf: Any
    repairs: list[Repair] = field(default_factory=list)
    shell_calls: int = 0


class Sandbox:
    """One private copy of kconfiglib. Not for two threads at once."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._environment: dict[str, str] = {}
        self._calls = 0
        self._expansions = 0
        self.lib = self._private_copy()

    def load(self, texts: Mapping[str, str], root: str, environment: Mapping[str, str]) -> Loaded:
        """Parse. A line that is no Kconfig is repaired as the old lexer read it (it skipped odd characters), else left out.

        UnreadableError where that does not help: an unclosed block, a dependency loop, a macro that never ends.
        """
        self._texts = dict(texts)
        self._environment.clear()
        self._environment.update(environment)
        repairs: list[Repair] = []
        while True:
            self._calls = self._expansions = 0
            try:
                kconf = self.lib.Kconfig(root, warn=True, warn_to_stderr=False, encoding="latin-1")
            except (RecursionError, MemoryError) as error:
                raise UnreadableError(f"nested too deeply ({type(error).__name__})") from error
            except Exception as error:  # a library that was not written for hostile text
                repair = self._repair(str(error), repairs)
                if repair is None:
                    raise UnreadableError(_first_lines(str(error)) or type(error).__name__) from error
                repairs.append(repair)
                continue
            return Loaded(kconf, [r for r in repairs if r.dropped], self._calls)

    def load_config(self, kconf: Any, text: str) -> None:
        """Set values from a defconfig, as `make oldconfig` would; lines that make no sense are ignored, as there."""
        self._texts[".config"] = text
        kconf.warn_assign_override = kconf.warn_assign_redun = False
        kconf.load_config(_TOP + ".config")

    def _repair(self, said: str, before: list[Repair]) -> Repair | None:
        """Change the line that the parser complained of: first without odd characters, then not at all."""
        place = _PLACE.search(said)
        if place is None or len(before) >= _MOST_REPAIRS or "loop" in said or place.group(1) not in self._texts:
            return None
        path, line = place.group(1), int(place.group(2))
        rows = self._texts[path].split("\n")
        if not 0 < line <= len(rows) or not rows[line - 1].strip():
            return None
        tidy = _ODD.sub(" ", rows[line - 1]) if not rows[line - 1].count('"') % 2 else rows[line - 1] + '"'
        dropped = tidy == rows[line - 1] or any((r.path, r.line) == (path, line) for r in before)
        rows[line - 1] = "" if dropped else tidy
        self._texts[path] = "\n".join(rows)
        return Repair(path, line, _first_lines(said), dropped)

    # --- the world ----------------------------------------------------------------------------------------------------

    def _private_copy(self) -> Any:
        spec = importlib.util.find_spec("kconfiglib")
        if spec is None or spec.loader is None:
            raise ImportError("kconfiglib is not installed")
        module = importlib.util.module_from_spec(spec)  # never enters sys.modules
        spec.loader.exec_module(module)
        replaced: dict[str, object] = {
            "os": types.SimpleNamespace(environ=self._environment, getenv=self._environment.get, sep="/"),
            "importlib": types.SimpleNamespace(import_module=_no_import),
            "open": self._open,
            "iglob": self._glob,
            "realpath": lambda path: _TOP.rstrip("/"),
            "expandvars": lambda text: expand(text, self._environment) if "$" in text else text,
            "print": lambda *_: None,
            "_UNAME_RELEASE": "unknown",
            "_info_fn": _nothing,
            "_warning_if_fn": _nothing,
            "_error_if_fn": _nothing,
            "_shell_fn": self._shell,
        }
        for name, value in replaced.items():
            setattr(module, name, value)
        self._bound_expansions(module)
        return module

    def _open(self, path: str, mode: str = "r", encoding: str = "") -> io.StringIO:
        text = self._texts.get(path.removeprefix(_TOP).removeprefix("./"))
        if text is None or mode != "r":
            raise FileNotFoundError(errno.ENOENT, "not in the tree", path)
        return io.StringIO(text)

    def _glob(self, pattern: str) -> list[str]:
        """The files of the slice that a `source` names; the view has resolved it before, so only these can be meant."""
        return [_TOP + path for path in self.resolve(pattern.removeprefix(_TOP)) if path in self._texts]

    resolve: Callable[[str], list[str]] = staticmethod(lambda pattern: [pattern])

    def _shell(self, kconf: object, name: str, command: str) -> str:
        """Nothing is run. A test (`... && echo "y" || echo "n"`) is taken to succeed, anything else says 0."""
        self._calls += 1
        found = _ECHO.search(command)
        return found.group(1) if found else "0"

    def _bound_expansions(self, module: Any) -> None:
        """Stop macros that double with every line before they fill the memory."""
        plain = module.Kconfig._fn_val

        def bounded(kconf: Any, arguments: list[str]) -> str:
            self._expansions += 1
            found: str = plain(kconf, arguments)
            if self._expansions > _MOST_EXPANSIONS or len(found) > _LONGEST_EXPANSION:
                raise UnreadableError("a preprocessor macro expands without end")
            return found

        module.Kconfig._fn_val = bounded


def _nothing(*_: object) -> str:
    return ""


def _no_import(name: str) -> None:
    raise ImportError(name)


def _first_lines(said: str) -> str:
    return " ".join(said.strip().split())[:300]
