"""The config fragment."""

from __future__ import annotations

import pytest

from backport.model.definition import ConfigValue
from backport.model.errors import InputError
from backport.package.config import fragment


def test_every_kind_of_value() -> None:
    values = [
        ("KSM", "y"),
        ("KVM", "m"),
        ("NUMA", "n"),
        ("HZ", "100"),
        ("OFF", "-3"),
        ("BASE", "0x1f"),
        ("LINE", '"a \\"b\\" 50%"'),
    ]
    assert fragment([ConfigValue(*value) for value in values]) == (
        b"CONFIG_KSM=y\nCONFIG_KVM=m\n# CONFIG_NUMA is not set\nCONFIG_HZ=100\nCONFIG_OFF=-3\nCONFIG_BASE=0x1f\n"
        b'CONFIG_LINE="a \\"b\\" 50%"\n'
    )


def test_nothing_asked() -> None:
    assert fragment([]) == b""


def test_twice_the_same_is_once() -> None:
    assert fragment([ConfigValue("A", "y"), ConfigValue("A", "y")]) == b"CONFIG_A=y\n"


def test_a_contradiction() -> None:
    with pytest.raises(InputError, match="both y and n"):
        fragment([ConfigValue("A", "y"), ConfigValue("A", "n")])


@pytest.mark.parametrize("symbol", ["", "CONFIG_KSM", "A B", "A\nB", "A=", "Ä", "A-B", "A$"])
def test_bad_symbols(symbol: str) -> None:
    with pytest.raises(InputError):
        fragment([ConfigValue(symbol, "y")])


@pytest.mark.parametrize("value", ["", "Y", "yes", "y\n", '"', '"a', '"a"b"', '"a\nb"', '"\\n"', "0x", "1 2", "'a'", '"\x85"'])
def test_bad_values(value: str) -> None:
    with pytest.raises(InputError):
        fragment([ConfigValue("A", value)])
