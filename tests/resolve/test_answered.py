"""A file with two conflicts of which a rule proves one: that stands answered where a person begins, the other between markers."""

from __future__ import annotations

from pathlib import Path

from backport.replay.policy import Policy
from tests.gitrepo import Repo, replayed
from tests.resolve.person import laid_out

PATH = b"drivers/x.c"


def driver(context: bytes = b"\tint old_state;", line: bytes = b"\tlock(a);", lost: bytes = b"\talpha(beta, gamma);") -> bytes:
    """Two functions: what stands beside a line that changes, the line, and a line that both sides rewrite."""
    first = b"int first(int a)\n{\n%s\n%s\n\treturn a;\n}\n\n" % (context, line)
    return first + b"".join(b"int f%d;\n" % i for i in range(9)) + b"\nint second(int b)\n{\n%s\n\treturn b;\n}\n" % lost


def test_what_is_proved_stands_answered_and_the_rest_waits(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({PATH: driver()}, b"base\n")
    ours = driver(context=b"\tunsigned long flags;", lost=b"\tif (1 + 2 == three) return 5;")
    onto = repo.on(base, {PATH: ours}, b"target\n")
    patch = repo.on(base, {PATH: driver(line=b"\tlock_all(a);", lost=b'\tprintk("%s", __func__);')}, b"patch\n")
    with replayed(repo, [patch], onto, tmp_path / "store", base, policy=Policy()) as session:
        (outcome,) = session.outcomes
        assert session.verdicts == ["conflict"]
        (told,) = outcome.suggestions
        assert told.rules == ("anchor+partial",)
        assert any("leaves out" in doubt for doubt in told.doubts)
        made = ours.replace(b"\tlock(a);", b"\tlock_all(a);")
        assert session.git("cat-file", "blob", f"{told.tree}:{PATH.decode()}") == made
        layout, shop = laid_out(session, onto)
        shown = shop.trees.read(layout.tree, PATH) or b""
        assert shown.count(b"<<<<<<<") == 1
        assert b"\tunsigned long flags;\n\tlock_all(a);\n" in shown
        assert b"\tif (1 + 2 == three) return 5;\n" in shown.partition(b"<<<<<<<")[2]
        assert [len(file.pieces) for file in layout.disputed.values()] == [5]
