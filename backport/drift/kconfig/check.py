"""The Kconfig gate: is what the series asks for still there on the target, and can it be switched on?

kconf itself says nothing: a symbol whose dependency is unmet vanishes from .config with exit status 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from backport.drift.kconfig import findings as tell
from backport.drift.kconfig.added import Added, Place, Use
from backport.drift.kconfig.blocks import TYPES, Block, quoted
from backport.drift.kconfig.changed import changed
from backport.drift.kconfig.files import KconfigTree, Scans, open_pair
from backport.drift.kconfig.introduced import look_up
from backport.drift.kconfig.machines import Configured, Machine, configured, machines
from backport.drift.kconfig.objects import orphans
from backport.drift.kconfig.reach import Configuration, Reached
from backport.drift.kconfig.sandbox import Loaded, Sandbox, UnreadableError
from backport.drift.kconfig.view import Missing, View
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.definition import ConfigValue
from backport.model.finding import Finding
from backport.model.result import Skipped
from backport.model.series import Series, decode

STAGE = "drift"
_VERSION = re.compile(r"^(VERSION|PATCHLEVEL|SUBLEVEL)\s*=\s*(\d+)", re.M)


@dataclass(frozen=True, slots=True)
class AddedSymbol:
    """A symbol that the series brings: as it is written, and the value it has on each architecture with the wishes applied.

    `depends` is what it depends on in the target, `if` and `menu` around it included; `values` pairs an architecture with "y",
    "m", "n", a number or a text (empty: that architecture does not source its file).
    """

    name: str
    type: str
    prompt: str
    defaults: tuple[str, ...]
    depends: str
    path: bytes
    line: int
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class KconfigReport:
    """What was found, the symbols that the series adds, and what could not be looked at."""

    findings: tuple[Finding, ...]
    symbols: tuple[AddedSymbol, ...]
    skipped: tuple[Skipped, ...]


def check(
    series: Series,
    onto_tree: str,
    result_tree: str,
    config: Sequence[ConfigValue],
    trees: Trees,
    store: Store,
    history: History | None = None,
    kernels: Sequence[Configured] = (),
) -> KconfigReport:
    """Everything about the configuration of `result_tree`, which is `onto_tree` with the series applied.

    `config` is what the built kernel must have; `kernels` are those that are built, in place of every architecture with its
    defconfig. Nothing of the trees is run and no file is written.
    """
    history = history or History(store)
    scans = Scans(store)
    onto, result = open_pair(onto_tree, result_tree, trees, store, scans)
    rows = history.added_lines([(patch.parent_tree, patch.tree) for patch in series.patches])
    added = Added(series.patches, rows, store, scans)
    gate = _Gate(series, onto, result, tuple(config), added, trees, store, history, kernels)
    if not result.oids:
        gate.skip("Kconfig", "the target has no Kconfig file: it is no kernel tree")
        return KconfigReport((), (), tuple(gate.skipped))
    if scans.cut:
        gate.skip(f"{len(scans.cut)} Kconfig files", "they are larger than 1 MB: only their beginning was read")
    return gate.run()


@dataclass(slots=True)
class _Answers:
    """What the architectures said: every wish, every added symbol's value, its dependencies (the first that defines it)."""

    reached: list[Reached] = field(default_factory=list)
    extra: list[Reached] = field(default_factory=list)
    values: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    depends: dict[str, str] = field(default_factory=dict)
    missing: dict[Missing, None] = field(default_factory=dict)
    broken: dict[tuple[str, int, str], None] = field(default_factory=dict)
    loops: list[tuple[str, str]] = field(default_factory=list)
    shell: int = 0


class _Gate:
    """One check, step by step."""

    def __init__(
        self,
        series: Series,
        onto: KconfigTree,
        result: KconfigTree,
        config: tuple[ConfigValue, ...],
        added: Added,
        trees: Trees,
        store: Store,
        history: History,
        kernels: Sequence[Configured] = (),
    ) -> None:
        self._series = series
        self._onto = onto
        self._result = result
        self._config = config
        self._added = added
        self._trees = trees
        self._store = store
        self._history = history
        self._kernels = kernels
        self._definitions = added.definitions()
        self._new = sorted(name for name in result.defined if name not in onto.defined)
        self.skipped: list[Skipped] = []

    def skip(self, what: str, why: str) -> None:
        """Say that something was not looked at."""
        self.skipped.append(Skipped(STAGE, what, why))

    def run(self) -> KconfigReport:
        """All the questions, in the order in which their answers are shown."""
        answers = self._ask_machines()
        found: list[Finding] = []
        for wish in self._config:
            found += self._wish(wish, [r for r in answers.reached if r.symbol == wish.symbol])
        extra = {name: [r for r in answers.extra if r.symbol == name] for name in self._new}
        dead = {name for name, reached in extra.items() if reached and not any(r.met or r.possible for r in reached)}
        dead |= {f.symbol for f in found if f.kind == "kconfig-unmet" and f.level == "error"}
        wished = {wish.symbol for wish in self._config}
        for name in self._new:
            place = self._place(name)
            if name in dead and name not in wished:
                found.append(tell.unmet_new(name, extra[name], place))
            elif extra.get(name) and name not in wished:
                found.append(tell.unset(name, place))
        found += self._broken(answers)
        if answers.loops:
            found.append(tell.loop([name for name, _ in answers.loops], answers.loops[0][1], self._new, self._definitions))
        found += self._absent(dead)
        for change in changed(self._onto, self._result):
            found.append(tell.changed(change, self._added.place(_bytes(change.path), _bytes(change.text))))
        found += (tell.orphan(orphan) for orphan in orphans(self._added, self._result.tree, self._trees, self._store))
        return KconfigReport(tuple(found), tuple(self._symbol(name, answers) for name in self._new), tuple(self.skipped))

    # --- the architectures ----------------------------------------------------------------------------------------------

    def _ask_machines(self) -> _Answers:
        answers = _Answers()
        names = [*(wish.symbol for wish in self._config), *self._new]
        if not names:
            return answers
        found = list(machines(self._result, _version(self._result.read("Makefile") or "")))
        if self._kernels:
            found = list(configured(found, self._kernels))
        if not found:
            self.skip("whether the symbols can be set", "the target has none of the architectures that Fedora builds")
        sandbox = Sandbox()
        for machine in found:
            self._ask(machine, names, sandbox, answers)
        if answers.shell:
            self.skip(f"{answers.shell} $(shell) calls of Kconfig", "nothing is run here: a test of a compiler counts as passed")
        return answers

    def _ask(self, machine: Machine, names: Sequence[str], sandbox: Sandbox, answers: _Answers) -> None:
        view = View(self._result, machine.root, dict(machine.environment))
        wanted = [*names, "MODULES", *(name for name, _ in machine.architecture.values)]
        sandbox.resolve = view.resolve
        answers.missing.update(dict.fromkeys(view.missing))
        try:
            loaded = sandbox.load(view.slice(wanted), machine.root, view.environment)
            self._try(machine, loaded, sandbox, answers)
        except (UnreadableError, RecursionError) as error:
            self._unreadable(machine, wanted, str(error) or type(error).__name__, answers)
            return
        answers.shell += loaded.shell_calls
        answers.broken.update(((repair.path, repair.line, repair.said), None) for repair in loaded.repairs)

    def _unreadable(self, machine: Machine, wanted: Sequence[str], said: str, answers: _Answers) -> None:
        """No answer from this architecture: the series' doing where the target without it can be read, as far as it goes."""
        if "loop" in said:
            view = View(self._onto, machine.root, dict(machine.environment))
            wanted = [*wanted, *view.symbols.intersection(re.findall(r"\w+", said))]
            sandbox = Sandbox()
            sandbox.resolve = view.resolve
            with suppress(UnreadableError, RecursionError):
                sandbox.load(view.slice(wanted), machine.root, view.environment)
                answers.loops.append((machine.name, said))
                return
        self.skip(f"Kconfig on {machine.name}", f"it cannot be read: {said}")

    def _try(self, machine: Machine, loaded: Loaded, sandbox: Sandbox, answers: _Answers) -> None:
        tried = Configuration(sandbox, loaded.kconf, machine)
        tried.apply(self._config)
        for name in self._new:
            answers.values.setdefault(name, []).append((machine.name, tried.value(name)))
            answers.depends[name] = answers.depends.get(name) or tried.depends(name)
        answers.reached += map(self._elsewhere, tried.try_all(self._config))
        wished = {wish.symbol for wish in self._config}
        asked = [name for name in self._new if name not in wished and self._prompt(name)]
        yes = [ConfigValue(name, "y") for name in asked if self._type(name) in ("bool", "tristate")]
        answers.extra += map(self._elsewhere, tried.try_all(yes))

    def _elsewhere(self, found: Reached) -> Reached:
        """Of the names that this architecture does not define, only those that none does are absent."""
        return replace(found, absent=tuple(name for name in found.absent if name not in self._result.defined))

    # --- the findings ---------------------------------------------------------------------------------------------------

    def _wish(self, wish: ConfigValue, reached: Sequence[Reached]) -> list[Finding]:
        if wish.symbol not in self._result.defined:
            return [] if wish.value == "n" else [tell.absent_wish(wish, self._definitions.get(wish.symbol))]
        return tell.unmet(wish, reached, self._place(wish.symbol))

    def _broken(self, answers: _Answers) -> list[Finding]:
        """Lines that no Kconfig parser takes: an error where the series adds them, else only what could not be read."""
        found = []
        for missing in answers.missing:
            place = self._added.place(_bytes(missing.path), _bytes(missing.wanted))
            if place.line:
                found.append(tell.missing_source(missing, place))
            else:
                self.skip(f"{missing.path}:{missing.line}", f"it sources {missing.wanted}, which the tree does not have")
        for path, line, said in answers.broken:
            text = (self._result.read(path) or "").split("\n")[line - 1 : line] or [""]
            place = self._added.place(_bytes(path), _bytes(text[0]))
            if place.line and text[0].strip():
                found.append(tell.broken(said, place))
            else:
                self.skip(f"{path}:{line}", f"not a line of Kconfig, left out: {said}")
        return found

    def _absent(self, dead: set[str]) -> list[Finding]:
        """Symbols on added lines that neither the target nor the series defines."""
        uses: dict[tuple[str, str, bytes], Use] = {}
        for use in self._added.uses():
            if use.name not in self._result.defined and use.name not in self._onto.defined and use.name not in self._definitions:
                uses.setdefault((use.name, use.how, use.path), use)
        if not uses:
            return []
        last = self._series.patches[-1]
        names = {name for name, _, _ in uses}
        upstream = look_up(names, last.tree, self._series.base, last.commit, self._store, self._history)
        if upstream is None:
            self.skip(f"{len(names)} configuration symbols", "the clone lacks objects: upstream could not be searched for them")
        return [tell.absent(use, upstream, use.block in dead) for use in uses.values()]

    # --- small things ---------------------------------------------------------------------------------------------------

    def _place(self, name: str) -> Place:
        known = self._definitions.get(name)
        if known is not None:
            return known
        path, block = self._result.defined[name][0]
        return Place("", path.encode("latin-1"), block.line)

    def _symbol(self, name: str, answers: _Answers) -> AddedSymbol:
        path, block = self._result.defined[name][0]
        defaults = tuple(" ".join(p.rest.split()) for p in block.properties if p.keyword.startswith("def"))
        return AddedSymbol(
            name, self._type(name), decode(_bytes(self._prompt(name))), defaults, answers.depends.get(name, ""), _bytes(path),
            block.line, tuple(answers.values.get(name, ())),
        )  # fmt: skip

    def _blocks(self, name: str) -> list[Block]:
        return [block for _, block in self._result.defined.get(name, ())]

    def _type(self, name: str) -> str:
        return next((TYPES[p.keyword] for block in self._blocks(name) for p in block.properties if p.keyword in TYPES), "")

    def _prompt(self, name: str) -> str:
        asked = (p for block in self._blocks(name) for p in block.properties if p.keyword in TYPES or p.keyword == "prompt")
        return next((quoted(p.rest) for p in asked if not p.keyword.startswith("def_") and quoted(p.rest)), "")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _version(makefile: str) -> str:
    """The version that a top-level Makefile says, for Kconfig's KERNELVERSION."""
    found = dict(_VERSION.findall(makefile))
    return ".".join(found[key] for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL") if key in found) or "0"
