"""Whether a symbol can have a value on an architecture, and if not, which part of its dependencies forbids it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from backport.drift.kconfig.machines import Machine
from backport.drift.kconfig.sandbox import Sandbox
from backport.model.definition import ConfigValue

_TRISTATE = {"n": 0, "m": 1, "y": 2}
_DEEP = 8  # symbols set for the sake of one another
_TRIES = 1000


@dataclass(frozen=True, slots=True)
class Reached:
    """What became of one wish on one architecture.

    `value` is what the symbol has there when the wishes, and nothing else, are added to the defconfig. Where that is not what was
    wished, `because` is the part of the dependencies that forbids it, and `also` the further settings that would allow it
    (empty: none were found, `possible` is false). `defined`: whether this architecture has it at all; `absent`:
    names in `because` that nothing defines.
    """

    machine: str
    symbol: str
    wanted: str
    value: str
    met: bool
    possible: bool = True
    because: str = ""
    also: tuple[str, ...] = ()
    defined: bool = True
    absent: tuple[str, ...] = ()


class Configuration:
    """One parsed Kconfig with the values of a defconfig, to try wishes on."""

    def __init__(self, sandbox: Sandbox, kconf: Any, machine: Machine) -> None:
        self._lib = sandbox.lib
        self._kconf = kconf
        self._machine = machine
        if machine.defconfig is not None:
            sandbox.load_config(kconf, machine.defconfig)
        for name, value in machine.architecture.values:
            self._set(name, value)

    def depends(self, name: str) -> str:
        """All the dependencies of a symbol, as Kconfig writes them; empty where it has none or is not defined here."""
        symbol = self._symbol(name)
        if symbol is None or symbol.direct_dep is self._kconf.y:
            return ""
        return str(self._lib.expr_str(symbol.direct_dep))

    def value(self, name: str) -> str:
        """The value that a symbol has now; empty where this architecture does not define it."""
        symbol = self._symbol(name)
        return str(symbol.str_value) if symbol is not None else ""

    def apply(self, wishes: Sequence[ConfigValue]) -> None:
        """Set all of them, three times over: one may be what another depends on."""
        for _ in range(3):
            for wish in wishes:
                self._set(wish.symbol, wish.value)

    def try_all(self, wishes: Sequence[ConfigValue]) -> Iterator[Reached]:
        """What becomes of each wish when all of them are set together.

        The search for further settings takes the first way that works and never goes back on a choice, so it may call
        something impossible that a person could configure: KVM on powerpc with a defconfig of another board asks for a member
        of a choice that the search does not leave.
        """
        self.apply(wishes)
        first = [self._judge(wish) for wish in wishes]
        for wish, found in zip(wishes, first, strict=True):
            yield found if found.met or not found.defined else self._explain(wish, found)

    def _symbol(self, name: str) -> Any:
        symbol = self._kconf.syms.get(name)
        return symbol if symbol is not None and symbol.nodes else None

    def _set(self, name: str, value: str) -> None:
        symbol = self._symbol(name)
        if symbol is not None:
            symbol.set_value(plain(value))

    def _judge(self, wish: ConfigValue) -> Reached:
        symbol = self._symbol(wish.symbol)
        if symbol is None:
            met = wish.value == "n"
            return Reached(self._machine.name, wish.symbol, wish.value, "", met, False, "not defined here", defined=False)
        value = str(symbol.str_value)
        return Reached(self._machine.name, wish.symbol, wish.value, value, value == plain(wish.value))

    def _explain(self, wish: ConfigValue, found: Reached) -> Reached:
        symbol = self._symbol(wish.symbol)
        target = _TRISTATE.get(wish.value)
        if target is None or symbol.orig_type not in (self._lib.BOOL, self._lib.TRISTATE):
            return self._explain_value(wish, found, symbol)
        if target == 1 and symbol.type is not self._lib.TRISTATE:
            return replace(found, possible=False, because="it is a bool, or modules are off: m cannot be had")
        if target == 0:
            return replace(found, possible=False, because=f"selected by {self._lib.expr_str(symbol.rev_dep)}")
        killers, absent = self._killers(symbol, target)
        search = _Search(self._lib, self._kconf)
        possible = search.make(symbol, target) and str(symbol.str_value) == wish.value
        search.undo()
        also = tuple(f"{name}={value}" for name, value in search.made.items() if name != wish.symbol)
        also = also if possible else ()
        return replace(found, possible=possible, because=" && ".join(killers), also=also, absent=absent)

    def _explain_value(self, wish: ConfigValue, found: Reached, symbol: Any) -> Reached:
        """A number or a text: it must be visible, well formed and within the range."""
        if not symbol.visibility:
            killers, absent = self._killers(symbol, 1)
            return replace(found, possible=False, because=" && ".join(killers), absent=absent)
        kind = self._lib.TYPE_TO_STR[symbol.orig_type]
        return replace(found, possible=False, because=f"{wish.value} is no {kind} that its range allows")

    def _killers(self, symbol: Any, target: int) -> tuple[list[str], tuple[str, ...]]:
        """The parts of the condition, joined by &&, whose value is below the target; and names in them that nothing defines."""
        conditions = [node.prompt[1] for node in symbol.nodes if node.prompt]
        if not conditions:
            return ["it has no prompt: only a default or a select gives it a value"], ()
        parts = min((self._failing(condition, target) for condition in conditions), key=len)
        absent = sorted({s.name for part in parts for s in self._lib.expr_items(part) if _undefined(s)})
        return [str(self._lib.expr_str(part)) for part in parts], tuple(absent)

    def _failing(self, condition: Any, target: int) -> list[Any]:
        return [part for part in self._lib.split_expr(condition, self._lib.AND) if self._lib.expr_value(part) < target]


@dataclass(slots=True)
class _Search:
    """Sets symbols so that an expression comes true, greedily; `made` is what it set."""

    lib: Any
    kconf: Any
    made: dict[str, str] = field(default_factory=dict)
    before: list[tuple[Any, Any]] = field(default_factory=list)
    tries: int = 0

    def make(self, expression: Any, target: int, depth: int = 0) -> bool:
        """Bring an expression to at least `target`; whether that worked."""
        self.tries += 1
        if self.lib.expr_value(expression) >= target:
            return True
        if depth > _DEEP or self.tries > _TRIES:
            return False
        if expression.__class__ is self.lib.Symbol:
            return self._symbol(expression, target, depth)
        if expression.__class__ is not tuple:
            return False
        if expression[0] is self.lib.AND:
            return all(self.make(part, target, depth) for part in expression[1:])
        if expression[0] is self.lib.OR:
            return any(self.make(part, target, depth) for part in expression[1:])
        if expression[0] is self.lib.NOT and expression[1].__class__ is self.lib.Symbol:
            return self._put(expression[1], 0) and self.lib.expr_value(expression) >= target
        return False

    def _symbol(self, symbol: Any, target: int, depth: int) -> bool:
        if symbol.is_constant or not symbol.nodes or symbol.orig_type not in (self.lib.BOOL, self.lib.TRISTATE):
            return False
        prompts = [node.prompt[1] for node in symbol.nodes if node.prompt]
        if any(self.make(prompt, target, depth + 1) for prompt in prompts) and self._put(symbol, target):
            return True
        ways = [(self.lib.AND, condition, value) for value, condition in symbol.defaults]
        ways += self.lib.split_expr(symbol.rev_dep, self.lib.OR)
        return any(self.make(way, target, depth + 1) and symbol.tri_value >= target for way in ways)

    def undo(self) -> None:
        """Give every symbol the user value that it had, the last change first; a choice keeps its new member."""
        for symbol, value in reversed(self.before):
            if value is None:
                symbol.unset_value()
            else:
                symbol.set_value(value)

    def _put(self, symbol: Any, target: int) -> bool:
        value = next((v for v in symbol.assignable if v == target or (target == 1 and v == 2)), None)
        if value is None:
            return False
        self.before.append((symbol, symbol.user_value))
        symbol.set_value(value)
        self.made[symbol.name] = "nmy"[value]
        return bool(symbol.tri_value == value)


def plain(value: str) -> str:
    """A value as kconfiglib holds it: a quoted text without its quotes."""
    return value[1:-1].replace('\\"', '"').replace("\\\\", "\\") if len(value) > 1 and value[0] == value[-1] == '"' else value


def _undefined(symbol: Any) -> bool:
    return not symbol.nodes and not getattr(symbol, "is_constant", True)
