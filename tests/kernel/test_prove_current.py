"""A current kernel, from the distribution's source package, with a small feature of our own on top: built and booted.

BACKPORT_LINUX_SOURCE names the archive (Debian: apt-get install linux-source-6.1, then /usr/src/linux-source-6.1.tar.xz). It is
unpacked into a history of two commits, in BACKPORT_PROVE_CACHE where that is set, so that a second run takes seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(os.environ.get("BACKPORT_LINUX_SOURCE", ""))
pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(not SOURCE.is_file(), reason="BACKPORT_LINUX_SOURCE names no archive"),
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="qemu-system-x86_64 is not installed"),
]

CODE = """// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

static int answer_show(struct seq_file *file, void *unused)
{
	seq_puts(file, "42\\n");
	return 0;
}

static int __init answer_init(void)
{
	return proc_create_single("answer", 0444, NULL, answer_show) ? 0 : -ENOMEM;
}
fs_initcall(answer_init);
"""
KCONFIG = """
config PROC_ANSWER
	bool "/proc/answer"
	depends on PROC_FS
"""
PROBE = """#include "probe.h"
void probe(void)
{
	char text[64];

	if (file_mode("/proc/answer") == -ENOENT) {
		absent("there is no /proc/answer");
		return;
	}
	check(file_mode("/proc/answer") == 0444, "its mode", "%lx", file_mode("/proc/answer"));
	check(read_text("/proc/answer", text, sizeof(text)) == 3 && !strcmp(text, "42\\n"), "its content", "%s", "42");
	measure("an answer takes", 42, "ns");
}
"""


@dataclass(frozen=True, slots=True)
class Current:
    """The history, and the definitions in which the series is."""

    history: Path
    patches: Path
    cache: Path

    def prove(self, *words: str, cwd: Path, status: int = 0) -> dict[str, Any]:
        variables = {**os.environ, "XDG_CACHE_HOME": str(self.cache), "GIT_CONFIG_GLOBAL": "/dev/null"}
        places = ["--kernel", str(self.history), "--patches", str(self.patches)]
        done = subprocess.run(["backport", "prove", *words, *places, "--json"], cwd=cwd, capture_output=True, env=variables)
        assert done.returncode == status, done.stdout.decode() + done.stderr.decode()
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@pytest.fixture(scope="module")
def current(tmp_path_factory: pytest.TempPathFactory) -> Current:
    scratch = tmp_path_factory.mktemp("current")
    cache = Path(os.environ.get("BACKPORT_PROVE_CACHE") or scratch / "cache")
    history = cache / f"{SOURCE.name.partition('.tar')[0]}.git"
    if not history.is_dir():
        fill(history, scratch / "tree")
    series = scratch / "patches" / "answer"
    (series / "probe").mkdir(parents=True)
    commit = git(history, "rev-parse", "feature")
    (series / "series.toml").write_text(
        'name = "answer"\ntitle = "answer"\n[upstream]\nrepository = "here"\nrange = "base..feature"\n[target]\nonto = "base"\n'
        f'[config]\nPROC_ANSWER = "y"\n[[commit]]\nid = "{commit}"\nsubject = "proc: an answer"\n'
    )
    (series / "probe" / "probe.toml").write_text('source = ["answer.c"]\ntimeout = 120\n')
    (series / "probe" / "answer.c").write_text(PROBE)
    return Current(history, series.parent, cache)


def git(history: Path, *words: str, tree: Path | None = None) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "core.compression=1", "-c", "gc.auto=0"]
    place = ["--git-dir", str(history), *(["--work-tree", str(tree)] if tree else [])]
    return subprocess.run(["git", *who, *place, *words], check=True, capture_output=True, text=True, cwd=tree).stdout.strip()


def fill(history: Path, tree: Path) -> None:
    """The archive as one commit, `base`, and the feature as another; nothing of it leaves the cache."""
    tree.mkdir()
    subprocess.run(["tar", "-xf", str(SOURCE), "-C", str(tree), "--strip-components=1"], check=True)
    made = history.with_name(f".{history.name}")
    subprocess.run(["git", "init", "-q", "--bare", str(made)], check=True)
    git(made, "add", "-A", "-f", ".", tree=tree)
    git(made, "commit", "-q", "-m", "as the distribution ships it", tree=tree)
    git(made, "tag", "base")
    (tree / "fs/proc/answer.c").write_text(CODE)
    for path, more in (("fs/proc/Kconfig", KCONFIG), ("fs/proc/Makefile", "proc-$(CONFIG_PROC_ANSWER)\t+= answer.o\n")):
        (tree / path).write_text((tree / path).read_text() + more)
    git(made, "add", "-A", "-f", ".", tree=tree)
    git(made, "commit", "-q", "-m", "proc: an answer", tree=tree)
    git(made, "tag", "feature")
    shutil.rmtree(tree)
    made.rename(history)


def test_its_objects_compile_without_a_new_diagnostic(current: Current, tmp_path: Path) -> None:
    document = current.prove("build", "answer", "--config", "allnoconfig+" + fragment(tmp_path), cwd=tmp_path)
    (proof,) = document["proofs"]
    assert (proof["outcome"], proof["subject"]) == ("passed", "1 object in 2 states")
    assert document["findings"] == []


def test_it_boots_and_the_feature_works(current: Current, tmp_path: Path) -> None:
    document = current.prove("boot", "answer", "--control", cwd=tmp_path)
    assert [(p["kind"], p["outcome"]) for p in document["proofs"]] == [("boot", "passed"), ("control", "absent")] * 2
    assert len(document["measured"]) == 2


def fragment(folder: Path) -> str:
    path = folder / "answer.config"
    path.write_text("CONFIG_PROC_FS=y\nCONFIG_PROC_ANSWER=y\n")
    return str(path)


@pytest.mark.skipif(not shutil.which("vng"), reason="virtme-ng is not installed")
def test_virtme_ng_boots_it_too(current: Current, tmp_path: Path) -> None:
    document = current.prove("boot", "answer", "-p", "2", "--control", "--backend", "vng", cwd=tmp_path)
    assert [(p["kind"], p["outcome"]) for p in document["proofs"]] == [("boot", "passed"), ("control", "absent")]
    assert document["proofs"][0]["setup"].endswith(", vng")
