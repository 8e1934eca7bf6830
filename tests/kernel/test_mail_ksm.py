"""KSM as it would have been posted: the mails are made of the history at run time, and must become what the commits become."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from backport.ingest.catalog import data_folder
from backport.ingest.definition import load
from backport.ingest.mail.adopt import Wish, adopt
from backport.model.progress import Silent
from backport.posted import life

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def box(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A numbered mail for each commit of the definition, without threads or ids, as `git format-patch --stdout` writes them."""
    rows = tomllib.loads((data_folder("patches") / "ksm" / "series.toml").read_text())["commit"]
    path = tmp_path_factory.mktemp("mail") / "ksm.mbox"
    mails = []
    for number, row in enumerate(rows, 1):
        command = ["git", "-C", str(kernel), "format-patch", "--stdout", "-1", row["id"]]
        mail = subprocess.run(command, check=True, capture_output=True).stdout
        mails.append(mail.replace(b"[PATCH]", b"[PATCH %d/%d]" % (number, len(rows)), 1))
    path.write_bytes(b"".join(mails))
    return path


def test_all_of_ksm_is_made_into_commits(kernel: Path, box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = adopt(Wish("ksm-posted", str(box), onto="v2.6.31"), [str(kernel)], tmp_path / "patches", Silent())
    assert len(made.definition.commits) == 31
    assert made.revision.rule == "one file or folder"
    assert load(made.definition.source) == made.definition
    assert made.base.have > made.base.want // 2


def test_all_of_ksm_is_found_in_mainline(kernel: Path, box: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    _, fate = life("ksm: the mm interface", str(box), [str(kernel)], "v2.6.32", Silent())
    assert fate is not None
    assert {each.rule for each in fate.became} == {"patch-id"}
    assert (len(fate.became), fate.lost, fate.state) == (31, (), "released")
    assert fate.release.startswith("v2.6.32-rc")
