"""6,000 random changelog entries, in a generated spec and in an edited one of Fedora 12's kind: does rpm report the very bytes?

    python -m tests.bench.changelog_escape [--entries 6000] [--seed 1]

Every entry is made of macros, shell, conditions, sections, control characters and random Unicode. Counted are entries that rpm's
own query gives back byte for byte, and files that appeared because something ran (there must be none).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from backport.package import escape, spec
from backport.package.plan import PatchFile
from tests.package.examples import plan, rpm
from tests.package.specs import MAIL, change, folder, take_in
from tests.package.test_escape import INJECTIONS

_AT_ONCE = 500
_PIECES = (
    *(
        "%",
        "%%",
        "\\",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "\n",
        "\r",
        "\v",
        "\u2028",
        "  ",
        "#",
        "*",
        "-",
        "?",
        "!",
        "'",
        '"',
        "`",
        "$",
    ),
    *(
        "%if 1",
        "%endif",
        "%else",
        "%include /etc/passwd",
        "%post",
        "%files",
        "%changelog",
        "%description",
        "nil",
        "lua:",
        "expand:",
    ),
    *("%(touch CANARY)", "%{lua:posix.mkdir('CANARY')}", "%define x %(touch CANARY)", "%{load:/etc/passwd}", "%[1+1]", "ksm: "),
)


def text(generator: random.Random) -> str:
    """One entry: up to fourteen pieces."""
    pieces = []
    for _ in range(generator.randrange(15)):
        if generator.random() < 0.25:
            pieces.append("".join(chr(generator.choice((generator.randrange(1, 0x250), generator.randrange(0x2000, 0xD7FF))))
                                  for _ in range(generator.randrange(6))))  # fmt: skip
        else:
            pieces.append(generator.choice(INJECTIONS) if generator.random() < 0.1 else generator.choice(_PIECES))
    return "".join(pieces)[:4000]


def generated(texts: list[str], home: Path) -> Path:
    """The texts in a spec of our own."""
    path = home / "kernel.spec"
    path.write_bytes(spec.render(plan(changelog=tuple(texts))))
    return path


def edited(texts: list[str], home: Path) -> Path:
    """The texts in somebody's spec."""
    files = tuple(PatchFile(f"p{n}.patch", MAIL.format(title="x", symbol="KSM").encode()) for n in range(len(texts)))
    path = folder("f12", home)
    take_in(path, change(patches=files, entries=tuple(texts)))
    return path


def equal(texts: list[str], path: Path, home: Path) -> int:
    """How many of the entries rpm reports byte for byte."""
    said = rpm("rpmspec", "-q", "--srpm", "--qf", r"[%{CHANGELOGTEXT}\n\n]", path, home=home)
    assert b"error:" not in said.stderr, said.stderr[:300]
    lines = said.stdout.split(b"\n")
    count = place = 0
    for one in texts:
        wanted = [line.encode() for line in escape.changelog_lines(one)]
        count += lines[place : place + len(wanted)] == wanted
        place += len(wanted)
    return count


def main() -> int:
    """Print the table; 1 where an entry was not the same, or something ran."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    generator = random.Random(wanted.seed)
    table = Table(title=f"{wanted.entries} random changelog entries, seed {wanted.seed}")
    for column in ("spec", "byte-equal", "ran", "seconds"):
        table.add_column(column)
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        for write in (generated, edited):
            canary, same, start = Path(name) / "CANARY", 0, time.perf_counter()
            texts = [text(generator).replace("CANARY", str(canary)) for _ in range(wanted.entries)]
            for first in range(0, len(texts), _AT_ONCE):
                home = Path(name) / f"{write.__name__}-{first}"
                home.mkdir()
                part = texts[first : first + _AT_ONCE]
                same += equal(part, write(part, home), home)
            bad += wanted.entries - same + canary.exists()
            ran = "something" if canary.exists() else "nothing"
            table.add_row(write.__name__, f"{same} of {wanted.entries}", ran, f"{time.perf_counter() - start:.1f}")
    Console().print(table)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
