"""When two names of one header stand for the same thing: what counts as an id or a flag, and as one family of them.

A family is a known prefix (`VM_`, `MADV_`), or what a new name shares with the older names next to it. Bits overlap only between
values that are written as flags (`0x10`, `1 << 4`) in a family of flags, so that an id 3 and a mask 1 are no clash.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from backport.drift.uapi.constants import Constant, simple
from backport.drift.uapi.expression import UnknownError
from backport.drift.uapi.headers import Header, Scope

FAMILIES = tuple(
    b"VM_ MMF_ MADV_ PG_ KPF_ PF_ TIF_ CAP_ CTL_ KERN_ __NR_ NETLINK_ PR_ CLONE_ MAP_ SA_ O_ MS_ FS_ GENL_ID_".split()
)
WORD = re.compile(rb"[A-Za-z_]\w*")
_NO_ID = re.compile(
    rb"(?:^|_)(?:MAX|MIN|MASK|SHIFT|BITS|SIZE|LEN|LENGTH|NUM|NR|COUNT|LAST|END|FIRST|LIMIT|OFFSET|VERSION|TIMEOUT|DEFAULT)(?:$|_)"
    rb"|(?:_OFF|_ALL|_FLAGS)$"
)
_FLAG = re.compile(rb"^\(?\s*(?:0[xX]|1[uUlL]*\s*<<|BIT\(|_BITUL)")
_COMMON = re.compile(rb"^(?:_|[^_]+_)+")


def value_in(constant: Constant, header: Header) -> int | None:
    """What it comes to with the names of its own header alone; None where that is not enough."""
    try:
        return Scope(header, None).value(constant).value
    except UnknownError:
        return None


def ioctl_in(constant: Constant, header: Header) -> tuple[int, int] | None:
    """Type and number of an ioctl (`#define X _IOW('k', 3, int)`), None for anything else."""
    parts = Scope(header, None).ioctl_parts(constant) if constant.text.startswith(b"_IO") else None
    return parts[1] if parts is not None else None


def is_flag(constant: Constant) -> bool:
    """Whether its value is written as one of bits."""
    return _FLAG.match(constant.text) is not None


def is_number(constant: Constant, header: Header, added: Collection[bytes]) -> bool:
    """Whether it is an id or a flag of its own: no alias, no mask, not made of another new name, not counted by its enum."""
    if not constant.text or _is_derived(constant) or not set(WORD.findall(constant.text)).isdisjoint(added):
        return False
    return value_in(constant, header) is not None or ioctl_in(constant, header) is not None


def same(mine: Constant, header: Header, other: Constant, there: Header, family: bytes) -> bool:
    """Whether both take one number: an ioctl's type and number, or a value or a bit of one family."""
    if mine.condition and other.condition and mine.condition != other.condition:
        return False
    asked = ioctl_in(mine, header)
    if asked is not None:
        return asked == ioctl_in(other, there)
    if other.params is not None or not other.name.startswith(family) or _is_derived(other):
        return False
    value, taken = value_in(mine, header), value_in(other, there)
    if value is None or taken is None:
        return False
    if value == taken:
        return True
    flags = is_flag(mine) and is_flag(other) and _is_field(value) and _is_field(taken)
    return flags and bool(value & taken) and _are_flags(there, family)


def _is_field(value: int) -> bool:
    """Whether its bits are next to each other: a flag, or a field of a few bits."""
    return value > 0 and (value // (value & -value) + 1) & (value // (value & -value)) == 0


def _are_flags(header: Header, family: bytes) -> bool:
    """Whether most of a family's values are single bits; those of registers (E1000_ in e1000_regs.h) are not."""
    values = [value_in(each, header) or 0 for each in header.by_name.values() if each.name.startswith(family)]
    return 2 * sum(value > 0 and value & (value - 1) == 0 for value in values) > len(values)


def agreed(other: Constant, there: Header, upstream: Header | None) -> bool:
    """Whether upstream has the other name too, with the same value: then both were meant to be."""
    theirs = upstream.by_name.get(other.name) if upstream is not None else None
    if theirs is None or upstream is None:
        return False
    return theirs.text == other.text if theirs.text else value_in(theirs, upstream) == value_in(other, there)


def family_of(constant: Constant, header: Header, added: Collection[bytes]) -> bytes:
    """The prefix that makes a name one of many: a known one, else what it shares with the next older name above or below it."""
    name = constant.name
    known = next((each for each in FAMILIES if name.startswith(each)), b"")
    if known:
        return known
    others = [each for each in simple(header.constants) if each.name not in added]
    line = header.by_name[name].line
    above, below = [each.name for each in others if each.line < line], [each.name for each in others if each.line > line]
    shared = [prefix for other in (*above[-1:], *below[:1]) if (prefix := _prefix(name, other)).strip(b"_")]
    return min(shared, key=len) if shared else name[: name.rfind(b"_") + 1] or name


def free(constants: Sequence[Constant], header: Header, family: bytes, *, flags: bool) -> str:
    """The lowest bit that no name of the family has, or the number behind its largest; empty where there is none."""
    used = [value for each in constants if each.name.startswith(family) and (value := value_in(each, header)) is not None]
    if not flags:
        return str(max(used) + 1) if used else ""
    taken = 0
    for value in used:
        taken |= value
    return next((f"{1 << bit:#x}" for bit in range(32) if not taken >> bit & 1), "")


def _is_derived(constant: Constant) -> bool:
    """Whether it is a limit or a mask by its name, made of others with `|`, or only another name for one."""
    text = constant.text
    return _NO_ID.search(constant.name) is not None or b"|" in text or WORD.fullmatch(text.strip(b"() ")) is not None


def _prefix(one: bytes, other: bytes) -> bytes:
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    match = _COMMON.match(one[:length])
    return match[0] if match else b""
