"""What a patch takes away and the target's older code still uses: merged by the replay, as the guard sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from backport.drift.undeclared import KernelGuard
from backport.drift.workbench import Workbench
from backport.git.history import History
from backport.git.store import Store
from backport.git.trees import Trees
from backport.model.finding import Finding
from backport.model.progress import Silent
from backport.model.verdict import Verdict
from backport.replay.engine import Replayed, replay
from tests.drift.repository import Kernel

FILE = "drivers/d/one.c"
TOP = b"#include <linux/mm.h>\n#include <linux/list.h>\n\n"
HELPER = b"static int send(int a)\n{\n\treturn a;\n}\n\n"
GAP = b"static int gap(void)\n{\n\tint a = 1;\n\n\ta++;\n\treturn a;\n}\n\n"
OLDER = b"static int older(void)\n{\n\treturn send(list_empty(0));\n}\n"
NEWER = b"static int older(void)\n{\n\treturn 0;\n}\n"


@contextmanager
def kernels(folder: Path) -> Iterator[Kernel]:
    folder.mkdir()
    yield Kernel(folder)


def found(
    tmp_path: Path, target: Mapping[str, bytes], upstream: Mapping[str, bytes | None], patch: Mapping[str, bytes | None]
) -> list[Finding]:
    """The guard's findings where a commit on `upstream` is merged into `target`."""
    return list(replayed(tmp_path, target, upstream, patch).findings)


def replayed(
    tmp_path: Path, target: Mapping[str, bytes], upstream: Mapping[str, bytes | None], patch: Mapping[str, bytes | None]
) -> Replayed:
    """What the replay makes of it."""
    with kernels(tmp_path / "kernel") as kernel:
        kernel.base = kernel.commit("target", target)
        kernel.commit("upstream", upstream)
        commit = kernel.commit("the patch", patch)
        with Store(tmp_path / "run.git", [kernel.objects]) as store:
            trees, history = Trees(store), History(store)
            series = kernel.series(history, commit)
            with Workbench(trees, store, history) as bench:
                guard = KernelGuard(series, history.commit(kernel.base).tree, bench)
                return replay(series, kernel.base, store, trees, history, Silent(), guard)


def test_a_function_that_older_code_calls(tmp_path: Path) -> None:
    (finding,) = found(
        tmp_path, {FILE: TOP + HELPER + GAP + OLDER}, {FILE: TOP + HELPER + GAP + NEWER}, {FILE: TOP + GAP + NEWER}
    )
    assert (finding.level, finding.kind, finding.symbol) == ("error", "taken-away", "send")
    assert finding.target == "line 14 of the merged file still uses it"


def test_an_include_that_older_code_needs(tmp_path: Path) -> None:
    top = b"#include <linux/mm.h>\n\n"
    (finding,) = found(
        tmp_path, {FILE: TOP + HELPER + GAP + OLDER}, {FILE: TOP + HELPER + GAP + NEWER}, {FILE: top + HELPER + GAP + NEWER}
    )
    assert (finding.level, finding.kind, finding.symbol) == ("error", "not-included", "list_empty")


@pytest.mark.parametrize(
    "patch",
    [
        {FILE: TOP + b"#define send(a) (a)\n\n" + GAP + NEWER},  # made anew
        {FILE: TOP + b"static int send(int);\n" + HELPER + GAP + NEWER},
        {FILE: TOP + GAP + NEWER, "include/linux/list.h": b"#define list_empty(head) 0\nint send(int a);\n"},  # moved
    ],
)
def test_what_is_only_moved(tmp_path: Path, patch: Mapping[str, bytes | None]) -> None:
    assert found(tmp_path, {FILE: TOP + HELPER + GAP + OLDER}, {FILE: TOP + HELPER + GAP + NEWER}, patch) == []


def test_a_local_of_which_only_the_tag_is_left(tmp_path: Path) -> None:
    one = b"int f(int n)\n{\n\tstruct page *page = 0;\n\tint gone = 1;\n\n\tn++;\n\tn++;\n\tn++;\n\tn++;\n"
    older, newer = b"\treturn n + gone + !!page;\n}\n", b"\treturn n + !!page;\n}\n"
    less = one.replace(b"\tint gone = 1;\n", b"")
    (finding,) = found(tmp_path, {FILE: TOP + one + older}, {FILE: TOP + one + newer}, {FILE: TOP + less + newer})
    assert (finding.level, finding.kind, finding.symbol) == ("error", "absent-local", "gone")


def test_a_file_that_the_target_calls_otherwise(tmp_path: Path) -> None:
    body = GAP + b"static int last(void)\n{\n\treturn 3;\n}\n"
    use = body.replace(b"return 3", b"return later_function(1, 2)")
    (finding,) = found(
        tmp_path,
        {FILE: TOP + body},
        {FILE: None, "drivers/d/two.c": TOP + body, "include/linux/mm.h": b"int later_function(int a, int b);\n"},
        {"drivers/d/two.c": TOP + use},
    )  # fmt: skip
    assert (finding.kind, finding.symbol, finding.path) == ("absent-symbol", "later_function", b"drivers/d/two.c")


@pytest.mark.parametrize(("line", "doubts"), [(b"\tint fresh = 2;\n", []), (b"", ["it needs fresh: see the findings"])])
def test_a_local_of_a_line_that_a_rule_placed(tmp_path: Path, line: bytes, doubts: list[str]) -> None:
    """The line beside the added one reads differently in the target: no merge places it, a rule does."""
    body = b"int f(int n)\n{\n\tint page = 1;\n%s\n\tn += page;\n\tn <<= 1;\n%s\treturn n;\n}\n"
    top = TOP + b"static int other(int fresh)\n{\n\treturn fresh;\n}\n\n"
    older, newer = body % (line, b"\tn += 1;\n"), body % (b"\tint fresh = 2;\n", b"\tn += 2;\n")
    use = newer.replace(b"\tn <<= 1;\n", b"\tn <<= fresh;\n")
    outcome = replayed(tmp_path, {FILE: top + older}, {FILE: top + newer}, {FILE: top + use}).outcomes[0]
    assert [doubt for told in outcome.suggestions for doubt in told.doubts] == doubts
    assert outcome.verdict == (Verdict.CONFLICT if doubts else Verdict.RESOLVED)
