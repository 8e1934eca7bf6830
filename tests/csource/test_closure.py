"""The kernel's include rules, on a tree of a handful of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backport.csource.closure import Closure, Includes, architecture
from backport.csource.index import Index
from backport.csource.outline import Include, includes
from backport.csource.reading import Reader
from backport.git.store import Store
from backport.git.trees import Trees
from tests.csource.trees import empty_store, make_tree

FILES = {
    "mm/a.c": b'#include <linux/mm.h>\n#include "internal.h"\n#include <generated/bounds.h>\n#include MACRO(x)\n',
    "mm/internal.h": b'#include "internal.h"\n#include <linux/mm.h>\n',
    "include/linux/mm.h": b"#include <asm/page.h>\n#include <linux/loop.h>\n#ifdef NEVER\n#include <linux/rare.h>\n#endif\n",
    "include/linux/loop.h": b"#include <linux/mm.h>\n",
    "include/linux/rare.h": b"",
    "arch/x86/include/asm/page.h": b"#include <asm-generic/x.h>\n#include <asm/generic-only.h>\n",
    "arch/arm/include/asm/page.h": b"#include <mach/memory.h>\n",
    "arch/arm/mach-one/include/mach/memory.h": b"",
    "arch/arm/kernel/a.c": b"#include <asm/page.h>\n",
    "include/asm-generic/x.h": b"",
    "include/asm-generic/generic-only.h": b"",
    "include/asm-m32r/page.h": b"",
    "arch/m32r/kernel/a.c": b"#include <asm/page.h>\n",
    "drivers/d/Makefile": b"EXTRA_CFLAGS += -Idrivers/d/core -I$(src)/own -I $(srctree)/include/far\n",
    "drivers/d/a.c": b'#include "core.h"\n#include <own.h>\n#include "far.h"\n#include "../e/up.h"\n',
    "drivers/d/core/core.h": b"",
    "drivers/d/own/own.h": b"",
    "include/far/far.h": b"",
    "drivers/e/up.h": b"",
}


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Includes]:
    with empty_store(tmp_path) as store, Index(Reader(store, 1)) as index:
        yield Includes(Trees(store), make_tree(store, FILES), index)


def closure(graph: Includes, path: str) -> Closure:
    return graph.closure(path.encode(), includes(FILES[path]))


def test_headers_of_headers_loops_and_untaken_branches(graph: Includes) -> None:
    found = closure(graph, "mm/a.c")
    assert set(found.files) == {
        b"mm/internal.h", b"include/linux/mm.h", b"include/linux/loop.h", b"include/linux/rare.h", b"arch/x86/include/asm/page.h",
        b"include/asm-generic/x.h", b"include/asm-generic/generic-only.h",
    }  # fmt: skip
    assert found.missing == {b"generated/bounds.h", b"MACRO(x)"}


def test_the_architecture_of_the_file_decides(graph: Includes) -> None:
    assert set(closure(graph, "arch/arm/kernel/a.c").files) == {
        b"arch/arm/include/asm/page.h", b"arch/arm/mach-one/include/mach/memory.h",
    }  # fmt: skip
    assert set(closure(graph, "arch/m32r/kernel/a.c").files) == {b"include/asm-m32r/page.h"}
    assert architecture(b"include/asm-generic/x.h") == b""


def test_folders_that_a_makefile_adds(graph: Includes) -> None:
    assert set(closure(graph, "drivers/d/a.c").files) == {
        b"drivers/d/core/core.h", b"drivers/d/own/own.h", b"include/far/far.h", b"drivers/e/up.h",
    }  # fmt: skip


def test_a_folder_that_a_makefile_adds_comes_first_for_the_headers_of_all_too(tmp_path: Path) -> None:
    """Whoever asks first: what holds for one folder's files is not taken for another's."""
    files = FILES | {
        "drivers/f/Makefile": b"EXTRA_CFLAGS += -Idrivers/f/over\n",
        "drivers/f/over/linux/rare.h": b"",
        "drivers/f/a.c": b"#include <linux/mm.h>\n#include <linux/up.h>\n",
        "include/linux/up.h": b"#include <../aside/x.h>\n",
        "include/aside/x.h": b"",
        "drivers/f/aside/x.h": b"",
        "mm/b.c": b"#include <linux/mm.h>\n#include <linux/up.h>\n",
    }
    with empty_store(tmp_path) as store, Index(Reader(store, 1)) as index:
        trees, tree = Trees(store), make_tree(store, files)
        for order in (["mm/b.c", "drivers/f/a.c"], ["drivers/f/a.c", "mm/b.c"]):
            graph = Includes(trees, tree, index)
            graph.preload({path.encode(): includes(files[path]) for path in order})
            found = {path: set(graph.closure(path.encode(), includes(files[path])).files) for path in order}
            assert found["drivers/f/a.c"] - found["mm/b.c"] == {b"drivers/f/over/linux/rare.h", b"drivers/f/aside/x.h"}
            assert found["mm/b.c"] - found["drivers/f/a.c"] == {b"include/linux/rare.h", b"include/aside/x.h"}


def test_all_levels_of_many_files_are_read_together(graph: Includes) -> None:
    graph.preload({path.encode(): includes(text) for path, text in FILES.items() if path.endswith(".c")})
    assert len(closure(graph, "mm/a.c").files) == 7


def test_a_file_that_a_series_brings_is_seen(tmp_path: Path) -> None:
    with empty_store(tmp_path) as store, Index(Reader(store, 1)) as index:
        tree = make_tree(store, FILES)
        graph = Includes(Trees(store), tree, index)
        wanted = [Include(b"linux/new.h", True, 1)]
        assert graph.closure(b"mm/a.c", wanted).missing == {b"linux/new.h"}
        brought = {b"include/linux/new.h": store.write("blob", b"#include <linux/rare.h>\n")}
        more = Includes(Trees(store), tree, index, brought)
        assert set(more.closure(b"mm/a.c", wanted).files) == {b"include/linux/new.h", b"include/linux/rare.h"}
        assert graph.closure(b"mm/a.c", wanted).missing == {b"linux/new.h"}


CHANGES: dict[str, dict[str, bytes | None]] = {
    "another text with other includes": {"include/linux/loop.h": b"#include <linux/new.h>\n", "include/linux/new.h": b""},
    "a header that was missing": {"include/generated/bounds.h": b"#include <linux/rare.h>\n"},
    "a header in a folder that is asked before": {"arch/x86/include/linux/mm.h": b""},
    "a header gone": {"include/asm-generic/generic-only.h": None},
    "a whole folder gone": {"arch/x86/include/asm/page.h": None},
    "other flags": {"drivers/d/Makefile": b"EXTRA_CFLAGS += -Iinclude/far\n"},
    "a header beside the file": {"drivers/d/far.h": b"", "mm/rare.h": b""},
    "a folder where a header was": {"include/linux/rare.h": None, "include/linux/rare.h/x": b""},
    "nothing": {},
    "a source file": {"mm/a.c": b"int x;\n"},
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_graph_that_is_carried_over_says_what_a_new_one_does(tmp_path: Path, name: str) -> None:
    """Both ways: onto the tree with the changes, and from it back onto the one without."""
    with empty_store(tmp_path) as store, Index(Reader(store, 1)) as index:
        trees = Trees(store)
        other = {path: text for path, text in (FILES | CHANGES[name]).items() if text is not None}
        sides = (FILES, make_tree(store, FILES)), (other, make_tree(store, other))
        for (was, before), (now, after) in (sides, sides[::-1]):
            graph = Includes(trees, before, index)
            for path in (path for path in was if path.endswith(".c")):
                graph.closure(path.encode(), includes(was[path]))
            carried = graph.onto(after)
            for path in (path for path in now if path.endswith(".c")):
                asked = path.encode(), includes(now[path])
                assert carried.closure(*asked) == Includes(trees, after, index).closure(*asked), path


@pytest.mark.parametrize("name", CHANGES)
def test_graphs_that_answer_by_turns_do_not_mislead_each_other(tmp_path: Path, name: str) -> None:
    """Each looks into folders that the other has not met yet, after both were found to be alike so far."""
    with empty_store(tmp_path) as store, Index(Reader(store, 1)) as index:
        trees = Trees(store)
        other = {path: text for path, text in (FILES | CHANGES[name]).items() if text is not None}
        one, two = make_tree(store, FILES), make_tree(store, other)
        graph = Includes(trees, one, index)
        pair = (graph, one, FILES), (graph.onto(two), two, other)
        for path in sorted(path for path in FILES if path.endswith(".c")):
            for shared, tree, files in (pair, pair[::-1])[len(path) % 2]:
                asked = path.encode(), includes(files[path])
                assert shared.closure(*asked) == Includes(trees, tree, index).closure(*asked), path


def test_a_graph_with_what_a_series_brings_is_carried_over_and_back(tmp_path: Path) -> None:
    with empty_store(tmp_path) as store, Index(Reader(store, 1)) as index:
        tree = make_tree(store, FILES)
        graph = Includes(Trees(store), tree, index)
        asked = b"mm/a.c", includes(FILES["mm/a.c"])
        plain = graph.closure(*asked)
        first = {b"include/linux/rare.h": store.write("blob", b"#include <generated/new.h>\n")}
        second = {b"include/generated/bounds.h": store.write("blob", b"")}
        for brought in (first, second, first | second):
            graph = graph.onto(tree, brought)
            assert graph.closure(*asked) == Includes(Trees(store), tree, index, brought).closure(*asked)
        assert graph.onto(tree).closure(*asked) == plain


def test_a_tree_that_is_no_kernel(tmp_path: Path) -> None:
    with Store(tmp_path / "s", []) as store, Index(Reader(store, 1)) as index:
        found = Includes(Trees(store), make_tree(store, {"README": b""}), index).closure(b"x.c", [Include(b"a.h", True, 1)])
        assert not found.files
        assert found.missing == {b"a.h"}
