"""The examples for CI and systemd: each held against its own schema or validator, and run as far as that goes without a forge."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from backport.cli.watch import _EXAMPLES
from backport.watch.config import load
from tests.cli.test_bad_input import backport

SCHEMAS = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}
UNITS = ("systemd-service", "systemd-timer")


def example(name: str) -> str:
    """What the command prints."""
    done = backport("watch", "--example", name, cwd=Path.cwd())
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", _EXAMPLES)
def test_the_first_line_says_where_it_belongs(name: str) -> None:
    assert re.match(r"# \S*(watch\.toml|\.yml|\.service|\.timer)\b", example(name))


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.skipif(importlib.util.find_spec("check_jsonschema") is None, reason="check-jsonschema is not installed")
def test_the_schema_of_the_forge_takes_it(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[name]]
    if name == "gitlab":
        command += ["--data-transform", "gitlab-ci"]
    (tmp_path / "right.yml").write_text(example(name))
    done = subprocess.run([*command, str(tmp_path / "right.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "broken.yml").write_text(example(name).replace("runs-on", "runs-of").replace("when: always", "when: perhaps"))
    assert subprocess.run([*command, str(tmp_path / "broken.yml")], capture_output=True).returncode == 1, (
        "the schema is looked at"
    )


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    units = [tmp_path / _EXAMPLES[name] for name in UNITS]
    for name, unit in zip(UNITS, units, strict=True):
        unit.write_text(example(name))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, units)], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "backport-watch" in line]
    assert (done.returncode, said) == (0, [])


def test_the_units_write_where_systemd_lets_them() -> None:
    """`results` is beside watch.toml where it is relative, and /etc is read-only under ProtectSystem=strict."""
    service = example("systemd-service")
    state = re.search(r"StateDirectory=(\S+)", service)
    assert state is not None
    assert f'results = "/var/lib/{state[1]}"' in service.splitlines()[0]


def test_the_watch_toml_to_begin_with_is_one(tmp_path: Path) -> None:
    text = example("watch.toml")
    (tmp_path / "watch.toml").write_text(text)
    assert load(tmp_path / "watch.toml").follows[0].name == "ksm"
    every = re.sub(r"^# (?=\w+ = )", "", text, flags=re.M)
    (tmp_path / "watch.toml").write_text(every)
    assert set(tomllib.loads(every)["follow"][0]) > {"authors", "list", "series"}
    load(tmp_path / "watch.toml")


def test_the_state_is_kept_after_a_round_that_needs_a_person() -> None:
    """Both forges save their cache after success only, and exit status 1 is none: the next round would do everything again."""
    github, gitlab = example("github"), example("gitlab")
    saved = re.search(r"- uses: actions/cache/save@v\d+\n +if: always\(\)", github)
    assert saved is not None
    assert "uses: actions/cache@" not in github
    assert re.search(r"\n  cache:\n(?:    .*\n)*    when: always", gitlab)


def test_the_steps_of_the_workflow_run(tmp_path: Path) -> None:
    """The shell of the two steps, with a stand-in for pipx: the summaries of this round are gathered, the results stay."""
    steps = re.findall(r"run: (?:\|\n((?:          .*\n)+)|(.*)\n)", example("github"))
    scripts = [(many and "\n".join(line.strip() for line in many.splitlines())) or one for many, one in steps]
    assert len(scripts) == 2
    ran = _in_ci(scripts, "pipx", tmp_path, GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    assert ran == [1, 0]
    assert (tmp_path / "said").read_text() == "run --spec backport backport watch watch.toml --once\n"
    assert (tmp_path / "summary").read_text() == "# new\n"


def test_the_scripts_of_the_pipeline_run(tmp_path: Path) -> None:
    """GitLab runs after_script after a script that failed, too: the cases of this round are gathered."""
    found = re.findall(r"^  (?:script|after_script):\n((?:    - .*\n)+)", example("gitlab"), re.M)
    scripts = ["\n".join(line[6:] for line in lines.splitlines()) for lines in found]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/pip").symlink_to("/bin/true")
    assert _in_ci(scripts, "backport", tmp_path) == [1, 0]
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("new/results/*/junit.xml")] == [
        "new/results/00002-ksm-v2/junit.xml"
    ]


def _in_ci(scripts: Sequence[str], command: str, folder: Path, **variables: str) -> list[int]:
    """Each script's status. The command makes a result beside an earlier one, and ends as where a person is needed."""
    (folder / "bin").mkdir(exist_ok=True)
    new = "results/00002-ksm-v2"
    program = f'echo "$@" >> said\nmkdir -p {new}\necho "# new" > {new}/summary.md\ntouch {new}/junit.xml\nexit 1\n'
    (folder / "bin" / command).write_text("#!/bin/sh\n" + program)
    (folder / "bin" / command).chmod(0o755)
    old = folder / "results/00001-ksm-v1"
    old.mkdir(parents=True)
    for name in ("summary.md", "junit.xml"):
        (old / name).write_text("# old\n")
        os.utime(old / name, (1_250_000_000, 1_250_000_000))  # as the cache gives it back
    environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "BACKPORT": "backport", **variables}
    return [subprocess.run(["bash", "-e", "-c", script], cwd=folder, env=environment).returncode for script in scripts]
