"""A kernel that boots: a tree, a configuration, and the image that came of them, kept by content."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backport.model.errors import BackportError
from backport.prove import results
from backport.prove.bench import Bench, Make
from backport.prove.build import Setup, image_target
from backport.prove.config import Wish, make_config, parse, read
from backport.prove.disk import writing

_FRAGMENT = Path(__file__).resolve().parent / "configs" / "boot.config"
_PLACES = {"bzImage": "arch/x86/boot/bzImage", "vmlinux": "vmlinux"}


class NotBuiltError(BackportError):
    """A kernel did not come out: `what` says why, `where` is the log. For the report, not for the user's command line."""


@dataclass(frozen=True, slots=True)
class Image:
    """A boot image in the cache."""

    path: Path


def boot_wishes(processors: int) -> tuple[Wish, ...]:
    """What every kernel that is booted here must have; one processor means a kernel without SMP."""
    wishes = parse(read(_FRAGMENT), _FRAGMENT.name, optional=True)
    return tuple(w for w in wishes if processors > 1 or w.symbol != "SMP")


def image(bench: Bench, setup: Setup, tree: str, told: Callable[[str], None], *, strict: bool = True) -> Image:
    """The image of a tree, built now or kept from before. NotBuiltError where it does not build.

    `strict`: every wish of the configuration must have come true; the target without the series need not have its symbols.
    """
    kept = bench.cache / "images" / results.key(tree, setup.arch, setup.recipe, setup.toolchain.digest, strict)
    if kept.is_file():
        return Image(kept)
    target = image_target(setup.arch)
    make = _make(bench, setup, tree, target, told, strict)
    with writing(kept):
        kept.parent.mkdir(parents=True, exist_ok=True)
        temporary = kept.with_suffix(".new")
        shutil.copyfile(make.out / _PLACES[target], temporary)
        temporary.replace(kept)
    return Image(kept)


def compiled(bench: Bench, setup: Setup, tree: str, name: str) -> bytes:
    """One object of a tree, as the compiler makes it. NotBuiltError where it does not."""
    make = _make(bench, setup, tree, name, lambda _: None, strict=False)
    return (make.out / name).read_bytes()


def configuration(bench: Bench, setup: Setup, tree: str) -> bytes:
    """The .config of a tree. NotBuiltError where a wish was lost."""
    return (_configure(bench, setup, tree, strict=True).out / ".config").read_bytes()


def _make(bench: Bench, setup: Setup, tree: str, target: str, told: Callable[[str], None], strict: bool) -> Make:
    make = _configure(bench, setup, tree, strict)
    ended = make.run([target], told=told)
    if ended.code != 0:
        raise NotBuiltError(f"it does not build: {make.said(2)}", where=str(make.log))
    return make


def _configure(bench: Bench, setup: Setup, tree: str, strict: bool) -> Make:
    make = Make(bench, setup.toolchain, setup.arch, bench.output(setup.folder))
    bench.checkout(tree)
    lost = make_config(make, setup.recipe)
    if strict and lost:
        raise NotBuiltError("the configuration lost what was asked for: " + "; ".join(map(str, lost[:3])), where=str(make.log))
    return make
