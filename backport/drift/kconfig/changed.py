"""What a series changes in the Kconfig of symbols that were there before: for everybody, whether they want the series or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from backport.drift.kconfig.blocks import TYPES, Block, File, Property, quoted
from backport.drift.kconfig.files import KconfigTree
from backport.model.finding import Level

_ASPECTS = {
    "prompt": "prompt", "default": "default", "def_bool": "default", "def_tristate": "default", "depends": "dependencies",
    "requires": "dependencies", "select": "selects", "imply": "selects", "range": "range", "option": "option",
}  # fmt: skip
_LEVELS = {"default": Level.WARNING, "type": Level.WARNING, "range": Level.WARNING, "dependencies": Level.WARNING}


@dataclass(frozen=True, slots=True)
class Changed:
    """An aspect ("default", "prompt", "type", "dependencies", "selects", "range", "all" for a removed symbol) that differs."""

    symbol: str
    aspect: str
    level: Level
    path: str
    text: str
    before: str
    after: str


def changed(onto: KconfigTree, result: KconfigTree) -> Iterator[Changed]:
    """Every aspect of a symbol of the target that the result spells otherwise. The `if` and `menu` around it are not compared."""
    paths = sorted(path for path in {*onto.oids, *result.oids} if onto.oids.get(path) != result.oids.get(path))
    names = {block.name for path in paths if (file := _file(onto, path)) for block in file.definitions()}
    for name in sorted(names):
        before, after = onto.defined.get(name, []), result.defined.get(name, [])
        if not after:
            yield Changed(name, "all", Level.WARNING, before[0][0], "", "defined", "removed")
            continue
        old, new = _aspects([b for _, b in before]), _aspects([b for _, b in after])
        for aspect in sorted({*old, *new}):
            if old.get(aspect) != new.get(aspect):
                level = _LEVELS.get(aspect, Level.NOTE)
                if aspect == "prompt" and not (old.get(aspect) and new.get(aspect)):
                    level = Level.WARNING  # a question appears, or goes
                fresh = {row for row in new.get(aspect, ()) if row not in old.get(aspect, ())}
                text = next((_line(item) for _, b in after for item in b.properties if _rest(item) in fresh), "")
                yield Changed(
                    name, aspect, level, after[0][0], text, "; ".join(old.get(aspect, ())), "; ".join(new.get(aspect, ()))
                )


def _file(tree: KconfigTree, path: str) -> File | None:
    return tree.file(path) if path in tree.oids else None


def _rest(item: Property) -> str:
    return " ".join(item.rest.split())


def _line(item: Property) -> str:
    return f"{item.keyword} {item.rest}"


def _aspects(blocks: list[Block]) -> dict[str, tuple[str, ...]]:
    """What the definitions of a symbol say, by aspect; blanks do not count."""
    found: dict[str, list[str]] = {}
    for block in blocks:
        for item in block.properties:
            text = _rest(item)
            if item.keyword in TYPES:
                found.setdefault("type", []).append(TYPES[item.keyword])
                if quoted(text) and not item.keyword.startswith("def_"):
                    found.setdefault("prompt", []).append(text)
            aspect = _ASPECTS.get(item.keyword)
            if aspect is not None:
                found.setdefault(aspect, []).append(text)
    return {aspect: tuple(rows) for aspect, rows in found.items()}
