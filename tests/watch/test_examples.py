"""The examples for CI and systemd, each held against its own schema or validator."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "watch"
SCHEMAS = {"github-workflow.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.skipif(importlib.util.find_spec("check_jsonschema") is None, reason="check-jsonschema is not installed")
def test_the_schema_of_the_forge_takes_it(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name]]
    if name.startswith("gitlab"):
        command += ["--data-transform", "gitlab-ci"]
    done = subprocess.run([*command, str(EXAMPLES / name)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    broken = tmp_path / name
    broken.write_text((EXAMPLES / name).read_text().replace("runs-on", "runs-of").replace("when: always", "when: perhaps"))
    assert subprocess.run([*command, str(broken)], capture_output=True).returncode == 1, "the schema is looked at"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in ("backport-watch.service", "backport-watch.timer"):
        shutil.copy(EXAMPLES / unit, tmp_path)
    units = [str(tmp_path / unit) for unit in ("backport-watch.service", "backport-watch.timer")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "backport-watch" in line]
    assert said == []
