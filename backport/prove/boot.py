"""Boots what was built and lets the feature's probe say whether it works; and boots what must not work, to trust the probe.

tip       the series                            the probe must pass
control   the target without it                 the probe must say that the feature is absent
mutants   the series with one thing wrong       the probe must fail; one that it does not notice is a finding on the probe
"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from backport.git.trees import Trees
from backport.model.finding import Finding, Level
from backport.model.plural import plural
from backport.model.progress import Progress
from backport.model.proof import Measured, Outcome, Proof
from backport.model.result import Skipped
from backport.model.series import Entry
from backport.prove import machine, objects, vng
from backport.prove.bench import Bench, Make
from backport.prove.build import Chain, Setup
from backport.prove.config import make_config
from backport.prove.disk import writing
from backport.prove.image import NotBuiltError, compiled, image
from backport.prove.initramfs import initramfs
from backport.prove.machine import Machine
from backport.prove.mutants import Mutant, candidates, choose
from backport.prove.probe import Probe
from backport.prove.verdict import judge


@dataclass(frozen=True, slots=True)
class Trial:
    """What is booted with: the probe and its program, the folder for consoles, who hears each console line; figures are added."""

    probe: Probe
    init: bytes
    consoles: Path
    line: Callable[[str], None]
    measured: list[Measured] = field(default_factory=list)


@dataclass(slots=True)
class Tried:
    """What booting showed."""

    proofs: list[Proof] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def boot_image(kind: str, subject: str, kernel: Path, on: Machine, trial: Trial) -> Proof:
    """Boot one kernel image with the probe as its init; the proof."""
    number = secrets.token_hex(8)
    name = "".join(c if c.isalnum() or c in "-." else "-" for c in f"{kind}-{subject}-{on.arch}-{on.processors}")[:120]
    with writing(trial.consoles), tempfile.TemporaryDirectory(prefix="backport-") as folder:
        trial.consoles.mkdir(parents=True, exist_ok=True)
        keep = trial.consoles / f"{name}.console"
        rest = (number, trial.probe.timeout, trial.line, keep)
        if on.backend == "vng":
            booted = vng.boot(on, kernel, trial.init, Path(folder), *rest)
        else:
            disk = Path(folder) / "initramfs"
            disk.write_bytes(initramfs(trial.init, [("number", number.encode())]))
            booted = machine.boot(on, kernel, disk, *rest)
    verdict = judge(booted.console, number, booted.ending)
    place = f"{trial.consoles.name}/{keep.name}"
    if verdict.measures:
        trial.measured.append(Measured(kind, subject, on.name, verdict.measures))
    return Proof(kind, subject, on.name, verdict.outcome, verdict.why, verdict.checks, place)


def build_and_boot(
    kind: str, subject: str, tree: str, bench: Bench, setup: Setup, on: Machine, trial: Trial, progress: Progress
) -> Proof:
    """Build a tree and boot it; a kernel that does not build is a failed proof."""
    progress.stage(kind, 0)
    try:
        built = image(bench, setup, tree, progress.step, strict=kind != "control")
    except NotBuiltError as error:
        proof = Proof(kind, subject, on.name, Outcome.FAILED, error.what)
    else:
        proof = boot_image(kind, subject, built.path, on, trial)
    checks = f", {plural(sum(check.outcome == 'ok' for check in proof.checks), 'check')} ok" if proof.checks else ""
    progress.done(f"{subject}; {on.name}: {proof.outcome.value}{checks}")
    return proof


def try_mutants(
    chain: Chain, bench: Bench, trees: Trees, setup: Setup, on: Machine, trial: Trial, count: int, progress: Progress
) -> Tried:
    """Boot `count` mutants of the tip. What the probe did not notice is a finding, unless its manifest says why it need not."""
    tried = Tried()
    trial = replace(trial, measured=[])  # how fast a broken kernel is does not matter
    order = choose(_all_candidates(chain, bench, trees, setup), count)
    progress.stage("mutants", count)
    stillborn = alike = 0
    originals = {path: _digest(bench, setup, chain.tip, path) for path in sorted({mutant.path for mutant in order})}
    for mutant in order:
        if len(tried.proofs) == count:
            break
        tree = trees.edit(chain.tip, {mutant.path: _entry(chain, bench, trees, mutant)})
        try:
            if _digest(bench, setup, tree, mutant.path) == originals[mutant.path]:
                alike += 1  # another text, the same program
                continue
            built = image(bench, setup, tree, lambda _: None)
        except NotBuiltError:
            stillborn += 1  # no kernel, no mutant
            continue
        proof = boot_image("mutant", mutant.name, built.path, on, trial)
        tried.proofs.append(_explained(proof, trial.probe))
        progress.step(f"{'caught' if proof.as_expected else 'NOT caught'}: {mutant.name}")
    tried.findings = [_uncaught(proof, chain) for proof in tried.proofs if not proof.as_expected]
    caught = sum(proof.as_expected for proof in tried.proofs)
    if stillborn:
        why = "without the hunk, or with the condition turned, the kernel does not compile"
        tried.skipped.append(Skipped("mutants", plural(stillborn, "candidate"), why))
    if alike:
        tried.skipped.append(Skipped("mutants", plural(alike, "candidate"), "the compiler makes the same object of it"))
    if len(tried.proofs) < count:
        tried.skipped.append(Skipped("mutants", f"{count - len(tried.proofs)} of {count}", "the series has no more to get wrong"))
    progress.done(f"{caught} of {len(tried.proofs)} caught")
    return tried


def _all_candidates(chain: Chain, bench: Bench, trees: Trees, setup: Setup) -> list[list[Mutant]]:
    """The mutants of each C file of the series that this configuration compiles."""
    paths = sorted({path for step in chain.steps for path in step.paths})
    names = {path: objects.object_of(path, setup.arch) for path in paths}
    bench.checkout(chain.tip)
    make = Make(bench, setup.toolchain, setup.arch, bench.output(setup.folder))
    make_config(make, setup.recipe)
    built = objects.configured(make, [name for name in names.values() if name])
    found = []
    for path, name in names.items():
        tip = trees.read(chain.tip, path)
        if tip is not None and name and (built is None or name in built):
            found.append(candidates(path, trees.read(chain.base, path) or b"", tip))
    return found


def _digest(bench: Bench, setup: Setup, tree: str, path: bytes) -> str:
    """What the compiler makes of a file of a tree. NotBuiltError where it makes nothing."""
    name = objects.object_of(path, setup.arch)
    made = compiled(bench, setup, tree, name)
    return hashlib.sha256(made).hexdigest()


def _entry(chain: Chain, bench: Bench, trees: Trees, mutant: Mutant) -> Entry:
    old = trees.entry(chain.tip, mutant.path)
    return Entry(old.mode if old is not None else 0o100644, bench.store.write("blob", mutant.content))


def _explained(proof: Proof, probe: Probe) -> Proof:
    reason = next((s.reason for s in probe.survivors if s.mutant in proof.subject), "") if not proof.as_expected else ""
    return replace(proof, why=f"accepted: {reason}") if reason else proof


def _uncaught(proof: Proof, chain: Chain) -> Finding:
    """A finding on the probe: what it failed to notice."""
    path, _, rest = proof.subject.partition(":")
    line = rest.split(" ", 1)[0]
    return Finding(
        level=Level.ERROR,
        kind="mutant-uncaught",
        symbol=rest.partition(" ")[2],
        patch=next((step.commit for step in reversed(chain.steps) if path.encode() in step.paths), ""),
        path=path.encode(),
        line=int(line) if line.isdigit() else 0,
        target="the probe passes with this kernel",
        hint="check for what it breaks in the probe, or say in its manifest why it need not: [[survivor]]",
        accepted=proof.why.removeprefix("accepted: ") if proof.why.startswith("accepted: ") else "",
    )
