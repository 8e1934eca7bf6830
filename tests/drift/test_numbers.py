"""Number clashes: found where only the target has the other name, silent where upstream has both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backport.drift import numbers
from backport.model.finding import Finding
from tests.gitrepo import Repo, replayed

MM, MMAN, DEVICE, ENUM = b"include/linux/mm.h", b"include/asm-generic/mman.h", b"include/linux/device.h", b"include/linux/link.h"
RELEASE: dict[bytes, bytes] = {
    b"include/Kbuild": b"header-y += linux/\nheader-y += asm-generic/\n",
    b"include/linux/Kbuild": b"header-y += device.h\nheader-y += link.h\n",
    b"include/asm-generic/Kbuild": b"header-y += mman.h\n",
    MM: b"#define VM_READ 0x1\n#define VM_WRITE 0x2\n#define VM_ODD (VM_READ | VM_WRITE)\n#define VM_OLD 0x40\n",
    MMAN: b"#define MADV_NORMAL 0\n#define MADV_DONTFORK 10\n",
    DEVICE: b"#define DEV_GET _IOR('d', 1, int)\n",
    ENUM: b"enum {\n\tLINK_NONE,\n\tLINK_NAME,\n\tLINK_SPEED,\n\t__LINK_MAX\n};\n",
}


def check(
    repo: Repo,
    scratch: Path,
    distribution: Mapping[bytes, bytes],
    *patches: Mapping[bytes, bytes],
    between: Mapping[bytes, bytes] | None = None,
) -> list[Finding]:
    """The findings of `patches` (upstream) onto the release with the distribution's own changes."""
    release = repo.commit(RELEASE, b"release\n")
    target = repo.on(release, distribution, b"of the distribution\n")
    tip = repo.on(release, between, b"upstream\n") if between else release
    commits = []
    for number, patch in enumerate(patches):
        tip = repo.on(tip, patch, b"patch %d\n" % number)
        commits.append(tip)
    with replayed(repo, commits, target, scratch, base=release) as s:
        return list(numbers.check(s.series, s.history.commit(target).tree, s.trees, s.store, s.history))


def added(path: bytes, text: bytes) -> dict[bytes, bytes]:
    """A file of the release with lines at its end."""
    return {path: RELEASE[path] + text}


def test_an_id_that_the_distribution_took(repo: Repo, tmp_path: Path) -> None:
    (found,) = check(
        repo, tmp_path, added(MMAN, b"#define MADV_POISON 12\n"), added(MMAN, b"#define MADV_MERGEABLE 12 /* x */\n")
    )
    assert (found.level, found.kind, found.symbol, found.path, found.line) == ("error", "number-clash", "MADV_MERGEABLE", MMAN, 3)
    assert found.upstream == "MADV_MERGEABLE is 12"
    assert found.target == "MADV_POISON is 12 at include/asm-generic/mman.h:3"
    assert "programs built for upstream" in found.hint


def test_a_flag_whose_bit_is_taken(repo: Repo, tmp_path: Path) -> None:
    taken = added(MM, b"#define VM_DISTRO 0x80000000\n#define VM_FIELD 0x300\n")
    found = check(repo, tmp_path, taken, added(MM, b"#define VM_MERGEABLE (1UL << 31)\n#define VM_HALF 0x200\n"))
    assert [(f.level, f.symbol, f.target) for f in found] == [
        ("error", "VM_MERGEABLE", "VM_DISTRO is 0x80000000 at include/linux/mm.h:5"),
        ("warning", "VM_HALF", "VM_FIELD is 0x300 at include/linux/mm.h:6"),
    ]
    assert found[0].hint == "give one of them a free number, such as 0x4"


def test_an_ioctl_number_used_again(repo: Repo, tmp_path: Path) -> None:
    taken = added(DEVICE, b"#define DEV_RESET _IO('d', 2)\n#define OTHER_DEV _IO('e', 2)\n")
    (found,) = check(repo, tmp_path, taken, added(DEVICE, b"struct a { int x; };\n#define DEV_SET _IOW('d', 2, struct a)\n"))
    assert (found.level, found.symbol) == ("error", "DEV_SET")
    assert found.target.startswith("DEV_RESET is _IO('d', 2)")


def test_a_constant_in_the_middle_of_an_enum_moves_the_others(repo: Repo, tmp_path: Path) -> None:
    inserted = {ENUM: RELEASE[ENUM].replace(b"\tLINK_SPEED,", b"\tLINK_NEW,\n\tLINK_SPEED,")}
    (found,) = check(repo, tmp_path, {}, inserted)
    assert (found.level, found.symbol, found.line) == ("error", "LINK_NEW", 4)
    assert found.target == "moves LINK_SPEED 2 to 3 in include/linux/link.h"


def test_a_constant_that_gets_another_number_than_upstream(repo: Repo, tmp_path: Path) -> None:
    before = {ENUM: RELEASE[ENUM].replace(b"\t__LINK", b"\tLINK_FIRST,\n\t__LINK")}
    patch = {ENUM: RELEASE[ENUM].replace(b"\t__LINK", b"\tLINK_FIRST,\n\tLINK_NEW,\n\t__LINK")}
    (found,) = check(repo, tmp_path, {}, patch, between=before)
    assert (found.level, found.symbol, found.upstream) == ("error", "LINK_NEW", "LINK_NEW is 4")
    assert found.target == "3 when it is put into the enum of include/linux/link.h"


def test_an_enum_of_the_kernel_alone_may_shift(repo: Repo, tmp_path: Path) -> None:
    release = RELEASE[MM] + b"enum { PG_a, PG_b, __NR_PAGEFLAGS };\n"
    assert check(repo, tmp_path, {MM: release}, {MM: release.replace(b"PG_b", b"PG_new, PG_b")}, between={MM: release}) == []


def test_aliases_masks_and_renames_are_silent(repo: Repo, tmp_path: Path) -> None:
    text = RELEASE[MM].replace(b"#define VM_OLD 0x40", b"#define VM_RENAMED 0x40")
    text += b"#define VM_ALIAS VM_READ\n#define VM_BOTH (VM_READ | VM_RENAMED)\n#define VM_BITS_MASK 0x3\n"
    text += b"#define VM_NR 2\n#define VM_TWICE 0x2\n"
    assert check(repo, tmp_path, {}, {MM: text}) == []


def test_what_a_later_patch_corrects_is_silent(repo: Repo, tmp_path: Path) -> None:
    taken = added(MMAN, b"#define MADV_POISON 12\n")
    assert check(repo, tmp_path, taken, added(MMAN, b"#define MADV_MINE 12\n"), added(MMAN, b"#define MADV_MINE 14\n")) == []
    assert check(repo, tmp_path / "b", taken, added(MMAN, b"#define MADV_MINE 12\n"), added(MMAN, b"\n")) == []


def test_the_same_name_with_another_number(repo: Repo, tmp_path: Path) -> None:
    (found,) = check(repo, tmp_path, added(MMAN, b"#define MADV_MINE 99\n"), added(MMAN, b"#define MADV_MINE 12\n"))
    assert (found.level, found.symbol) == ("error", "MADV_MINE")
    assert "99" in found.target
    assert check(repo, tmp_path / "b", added(MMAN, b"#define MADV_MINE 12\n"), added(MMAN, b"#define MADV_MINE 12\n")) == []


def test_an_architecture_that_shares_the_generic_numbers(repo: Repo, tmp_path: Path) -> None:
    arch = {
        b"arch/odd/include/asm/mman.h": b"#include <asm-generic/mman.h>\n#define MADV_ODD 12\n",
        b"arch/own/include/asm/mman.h": b"#define MADV_OWN 12\n",
    }
    (found,) = check(repo, tmp_path, arch, added(MMAN, b"#define MADV_MERGEABLE 12\n"))
    assert found.target == "MADV_ODD is 12 at arch/odd/include/asm/mman.h:2"


def test_hostile_text_does_not_crash(repo: Repo, tmp_path: Path) -> None:
    text = bytes(range(256)) + b"\n#define VM_A (1 / 0)\n#define VM_B (1 << 9999)\n#define VM_C VM_C\nenum {\n#if\nX,\n"
    assert check(repo, tmp_path, {MM: text}, {MM: RELEASE[MM] + text, b"new.h": text, b"x.c": text}) == []
