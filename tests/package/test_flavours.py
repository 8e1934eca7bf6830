"""The kernels of a dist-git folder, and that a new symbol has a value in each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.model.errors import InputError
from backport.package.flavours import flavours
from tests.package.specs import change, folder, take_in

RULES = """\
CFG = kernel-$(VERSION)

temp-generic: config-generic
\tcat config-generic config-nodebug > temp-generic

temp-debug-generic: config-generic
\tcat config-generic config-debug > temp-debug-generic

temp-x86-generic: config-x86-generic temp-generic
\tperl merge.pl $^  > $@

kernel-$(VERSION)-i686-PAE.config: config-i686-PAE temp-x86-generic
\tperl merge.pl $^ i386 > $@

kernel-$(VERSION)-x86_64-debug.config: /dev/null temp-debug-generic
\tperl merge.pl $^ x86_64 > $@

kernel-$(VERSION)-arm.config: config-arm temp-generic
\tperl merge.pl $^ arm > $@

kernel-$(VERSION)-odd.config: config-generic
\tsed s/a/b/ $^ > $@

kernel-$(VERSION)-loop.config: /dev/null kernel-$(VERSION)-loop.config
\tperl merge.pl $^ loop > $@
"""
FILES = {
    "Makefile.config": RULES,
    "config-generic": "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n",
    "config-nodebug": "# CONFIG_DEBUG is not set\n",
    "config-debug": "CONFIG_DEBUG=y\nCONFIG_A=m\n",
    "config-x86-generic": "CONFIG_B=y\n",
    "config-i686-PAE": "CONFIG_C=y\n",
}


def made(place: Path, files: dict[str, str] = FILES) -> Path:
    for name, text in files.items():
        (place / name).write_text(text)
    return place


def last(text: bytes) -> dict[str, str]:
    """What Kconfig makes of it: the last line of a symbol."""
    pairs = [line.partition("=") for line in text.decode().splitlines() if "=" in line]
    return {name.removeprefix("CONFIG_"): value for name, _, value in pairs}


def test_they_are_merged_as_the_folders_rules_say(tmp_path: Path) -> None:
    found = {one.name: one for one in flavours(made(tmp_path), {})}
    assert list(found) == ["i686-PAE", "x86_64-debug"], "no file for arm, no rule that can be read for odd and loop"
    assert found["i686-PAE"].cpu == "i686"
    assert last(found["i686-PAE"].text) == {"A": "y", "B": "y", "C": "y"}
    assert last(found["x86_64-debug"].text) == {"A": "m", "B": "m", "DEBUG": "y"}
    assert found["x86_64-debug"].says() == {"A", "B", "C", "DEBUG"}


def test_rules_that_double_each_other_cost_nothing(tmp_path: Path) -> None:
    doubling = [f"t{n}: t{n + 1} t{n + 1}\n\tperl merge.pl $^ > $@\n\n" for n in range(18)]
    rules = "kernel-$(VERSION)-x86_64.config: t0 t0\n\tperl merge.pl $^ > $@\n\n" + "".join(doubling)
    for last_one in ("/dev/null", "config-generic"):
        text = rules + f"t18: {last_one} {last_one}\n\tperl merge.pl $^ > $@\n"
        assert sum(len(one.text) for one in flavours(made(tmp_path, {**FILES, "Makefile.config": text}), {})) < 9 << 20


def test_files_as_they_are_to_be_count(tmp_path: Path) -> None:
    found = {one.name: one for one in flavours(made(tmp_path), {"config-generic": b"CONFIG_KSM=y\n"})}
    assert last(found["i686-PAE"].text)["KSM"] == "y"


def test_merged_files_of_later_years_are_taken_as_they_are(tmp_path: Path) -> None:
    found = flavours(made(tmp_path, {"kernel-x86_64-debug-fedora.config": "CONFIG_A=y\n", "kernel-local": ""}), {})
    assert [(one.name, one.cpu) for one in found] == [("x86_64-debug-fedora", "x86_64")]


def test_a_symbol_that_one_architecture_alone_answers_is_not_covered(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    made(spec.parent)
    (spec.parent / "config-x86-generic").write_text("CONFIG_KSM=y\n")
    with pytest.raises(
        InputError, match="CONFIG_KSM, which has a value in config-x86-generic only: the build would stop and ask"
    ):
        take_in(spec, change(config=()))


def test_a_symbol_that_every_flavour_answers_is_covered(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    made(spec.parent, {**FILES, "config-nodebug": "CONFIG_KSM=y\n", "config-debug": "CONFIG_KSM=y\n"})
    assert take_in(spec, change(config=())).changed


def test_what_the_tree_says_counts_more_than_the_text_of_the_patches(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    assert take_in(spec, change(config=(), asked=())).changed
    with pytest.raises(InputError, match="CONFIG_ELSE, which nobody gives a value"):
        take_in(spec, change(asked=("KSM", "ELSE")))


@pytest.mark.parametrize(
    ("places", "covered"),
    [
        (["configs/common/generic"], True),
        (["configs/fedora/generic"], False),
        (["configs/fedora/generic", "configs/rhel/generic"], True),
        (["configs/common/generic/x86"], False),
    ],
)
def test_arks_symbols_must_have_a_value_in_every_flavour(places: list[str], covered: bool, tmp_path: Path) -> None:
    spec = folder("ark", tmp_path)
    for name in ("common", "fedora", "rhel"):
        (spec.parent / "configs" / name / "generic").mkdir(parents=True)
    for place in places:
        (spec.parent / place).mkdir(parents=True, exist_ok=True)
        (spec.parent / place / "CONFIG_KSM").write_text("CONFIG_KSM=y\n")
    if covered:
        take_in(spec, change(config=()))
    else:
        with pytest.raises(InputError, match=r"CONFIG_KSM, which has a value in .* only"):
            take_in(spec, change(config=()))


def test_where_ark_has_two_flavours_the_symbol_goes_where_both_look(tmp_path: Path) -> None:
    spec = folder("ark", tmp_path)
    for name in ("common", "fedora", "rhel"):
        (spec.parent / "configs" / name / "generic").mkdir(parents=True)
    take_in(spec)
    assert (spec.parent / "configs" / "common" / "generic" / "CONFIG_KSM").is_file()
