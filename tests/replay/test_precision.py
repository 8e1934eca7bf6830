"""The figures beside a suggestion: of the combination where it was measured, else of its weakest part, which is named."""

from __future__ import annotations

import pytest

from backport.replay import precision as figures
from backport.replay.precision import precision


@pytest.fixture(autouse=True)
def _measured(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"anchor": (13, 38), "words": (3, 5), "anchor+words": (1, 2)}
    monkeypatch.setattr(figures, "_figures", lambda: known)


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        (("words",), (3, 5, "")),
        (("words", "anchor"), (13, 38, "")),
        (("anchor+words",), (1, 2, "")),
        (("words+anchor",), (13, 38, "anchor")),
        (("words", "mined+words"), (3, 5, "")),
        (("mined",), (0, 0, "")),
        (("words", "mined"), (0, 0, "")),
        ((), (0, 0, "")),
    ],
)
def test_the_weakest_figures_that_are_known(rules: tuple[str, ...], wanted: tuple[int, int, str]) -> None:
    assert precision(rules) == wanted
