"""Enumerators that an added line uses and that have another number in the target, because others were put before them.

Inside the kernel all is compiled together, so most code does not notice: these are notes. They matter where the number is
compared (`mac.type >= ixgbe_mac_82599EB`), is the place in a table without designators, or goes to firmware or to disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backport.csource.closure import DEFAULT_ARCH, architecture
from backport.csource.uses import Use
from backport.drift.side import Place
from backport.drift.uapi.enums import lists, values
from backport.drift.uapi.headers import Header
from backport.drift.view import Missing, View


def moved_constants(view: View, uses: Iterable[Use]) -> Iterator[Missing]:
    """The uses of enumerators that stand elsewhere in the same enum upstream. Says nothing where #if stands among them.

    e1000_82580 of the e1000 family's enum of chips is one more for each chip that upstream put before it.
    """
    series = view.overlay
    asked = [use for use in uses if use.role == "name" and not use.scope and use.name not in series.names]
    here = view.declared({use.name for use in asked}) if asked else {}
    places = {name: found[0] for name, found in here.items() if len(found) == 1 and found[0].declaration.kind == "constant"}
    places = {name: place for name, place in places.items() if place.path not in series.versions}
    twins = view.twins(places.values())
    enums: dict[bytes, tuple[_Enums, _Enums]] = {}
    for use in asked:
        place = places.get(use.name)
        if place is None or place.path not in twins:
            continue
        if place.path not in enums:
            enums[place.path] = _read(view, place.path)
        if found := _moved(use, place, view, *enums[place.path]):
            yield found


class _Enums:
    """The enums of one file: of each constant its number, and the list that it stands in."""

    def __init__(self, path: bytes, text: bytes) -> None:
        header = Header(path, text, architecture(path) or DEFAULT_ARCH, kernel=True)
        self.number: dict[bytes, int | None] = {}
        self.list: dict[bytes, list[bytes]] = {}
        for constants in lists(header):
            names = [constant.name for constant in constants]
            known = {} if any(constant.unsure for constant in constants) else values(constants, header)
            for name in names:
                self.number[name], self.list[name] = known.get(name), names


def _read(view: View, path: bytes) -> tuple[_Enums, _Enums]:
    return _Enums(path, view.target.side.text(path) or b""), _Enums(path, view.upstream.text(path) or b"")


def _moved(use: Use, place: Place, view: View, ours: _Enums, theirs: _Enums) -> Missing | None:
    one, two = ours.number.get(use.name), theirs.number.get(use.name)
    if one is None or two is None or one == two:
        return None
    before = theirs.list[use.name][: theirs.list[use.name].index(use.name)]
    new = [name for name in before if name not in ours.list[use.name]]
    gone = [name for name in ours.list[use.name] if name not in theirs.list[use.name]]
    turned = next(iter([*new, *gone]), use.name)
    hint = f"upstream has {new[0].decode('ascii', 'replace')} before it" if new else ""
    said = f"{use.name.decode('ascii', 'replace')} is {two}"
    where = Place(place.path, place.declaration)
    return Missing(
        use.name,
        "other-number",
        view.change.path,
        use.line,
        where,
        f"{one} at {place}",
        hint,
        said,
        False,
        turned=turned,
        mild=True,
    )
