"""What the tests of the job share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.watch.place import Place


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A kernel, an archive, a watch.toml."""
    return Place(tmp_path, monkeypatch)
