"""A spec read without running it: expressions, conditions and macros as rpm itself reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backport.model.errors import InputError
from backport.package import document, expression, macros
from backport.package.macros import Macros, UnknownError
from tests.package.examples import needs_rpm, rpm
from tests.package.specs import DATA, change, folder, take_in

NUMBER = st.integers(0, 99).map(str)
STRING = st.sampled_from(['""', '"a"', '"b"', '"10"'])


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "==", "!=", "<", ">", "<=", ">=", "&&", "||"])
    return st.one_of(
        st.tuples(inner, operators, inner).map(" ".join), inner.map(lambda e: f"({e})"), inner.map(lambda e: f"!{e}"),
        inner.map(lambda e: f"-{e}"),
    )  # fmt: skip


@needs_rpm
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.recursive(st.one_of(NUMBER, STRING), nested, max_leaves=8), min_size=30, max_size=30))
def test_expressions_have_rpms_value(expressions: list[str]) -> None:
    """Where rpm takes an expression the value is the same; one that rpm refuses is refused, never guessed."""
    for text in expressions:
        done = subprocess.run(["rpm", "--eval", f"%[ {text} ]"], capture_output=True, text=True, check=False)
        try:
            ours: object = str(expression.value(text))
        except ValueError:
            ours = None
        theirs = None if done.returncode else done.stdout.strip("\n")
        assert ours == theirs or (theirs is None and ours is None), text


@pytest.mark.parametrize(
    "text", ["", "1 +", "(1", "1 2", "%{x}", '"a" + 1', "1 / 0", "a b", "=", "(" * 200 + "1" + ")" * 200, '"']
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        expression.truth(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("%{a}-%a-%{?a}-%{!?a:x}-%{?b}-%{!?b:y}-%{?a:[%{a}]}", "1-1-1---y-[1]"),
        ("100%% %{nil}.%{b} %b", "100% .%{b} %b"),
        ("%{_target_cpu} %(echo $((30 + 1)))", "i686 31"),
        ("%[ 2 * 3 ] %{?_with_x:yes}%{?_without_x:no}", "6 yes"),
        ("%{with x} %{without x}", "0 1"),
    ],
)
def test_macros_expand(text: str, value: str) -> None:
    assert Macros("i686", {"a": "1", "_with_x": "1"}).expand(text) == value


@pytest.mark.parametrize(
    "text",
    ["%(ls)", "%{lua:print(1)}", "%{expand:%%a}", "%{a b}", "%{unclosed", "%{gone}", "%{loop}", "%[1 +]", "%(echo $((x)))"],
)
def test_what_only_running_it_would_tell_is_unknown(text: str) -> None:
    with pytest.raises(UnknownError):
        Macros("x86_64", {"gone": None, "loop": "%{loop}"}).expand(text)


@needs_rpm
@pytest.mark.parametrize("name", ["f12", "ark", "autosetup", "patch-p"])
@pytest.mark.parametrize("cpu", ["x86_64", "i686", "ppc64", "noarch"])
@pytest.mark.parametrize("vanilla", [False, True])
def test_the_lines_that_count_are_rpms(name: str, cpu: str, vanilla: bool, tmp_path: Path) -> None:
    from backport.package.dialects import recognise

    path = DATA / f"spec-{name}" / "kernel.spec"
    read = document.read(path)
    presets = recognise(read).presets(read) | ({"_with_vanilla": "1"} if vanilla else {})
    ours = [item.text for item in macros.active(read, cpu, presets) if item.text is not None and item.line.section == ""]
    command = ["rpmspec", "--target", f"{cpu}-linux", *(["--with", "vanilla"] if vanilla else []), "-P", str(path)]
    theirs = rpm(*command, home=tmp_path).stdout.decode().partition("%description")[0]
    assert _telling(ours) == _telling(theirs.split("\n"))


def _telling(lines: list[str]) -> list[str]:
    """rpmspec -P leaves out comments of the preamble."""
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_a_condition_that_cannot_be_decided_is_quoted() -> None:
    read = document.parse(b"Name: x\n%if %(test -f /x && echo 1)\nPatch1: a\n%endif\n")
    with pytest.raises(InputError, match=r"line 2 \(%if %\(test -f /x && echo 1\)\) cannot be decided without running the spec"):
        list(macros.active(read, "x86_64", {}))


@pytest.mark.parametrize(
    ("old", "new", "release"),
    [
        (
            "%global fedora_build %(echo",
            "%global baserelease 7\n%global fedora_build %{baserelease}\n%global unused %(echo",
            "7.ksm",
        ),
        ("$Revision: 1.1800 $", "$Revision: 1.1800.2.3 $", "14.2.3.ksm"),
        (
            "%define pkg_release %{fedora_build}",
            "%define rctag .rc3\n%define pkg_release 0.%{fedora_build}%{?rctag}",
            "0.14.rc3.ksm",
        ),
    ],
)
def test_the_header_has_the_release_as_its_era_makes_it(old: str, new: str, release: str, tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    spec.write_text(spec.read_text().replace(old, new, 1))
    assert f"<kim@example.org> 2.6.31.6-{release}\n" in take_in(spec, change()).after.data.decode()


def test_a_release_that_only_a_shell_knows_must_be_given(tmp_path: Path) -> None:
    spec = folder("f12", tmp_path)
    spec.write_text(spec.read_text().replace("%define fedora_cvs_origin   1786\n", ""))
    with pytest.raises(InputError, match="cannot be told without running the spec") as caught:
        take_in(spec)
    assert "--evr" in caught.value.then
    assert "2.6.31.6-99.ksm\n" in take_in(spec, change(evr="2.6.31.6-99.ksm")).after.data.decode()
