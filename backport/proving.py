"""The series as it landed, handed to the proofs: what `backport prove` and `backport run --prove` share."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from backport.examine import Workshop, examine, open_histories
from backport.git.clone import resolve_one
from backport.git.history import Commit, History
from backport.git.trees import Trees
from backport.ingest.commits import ingest
from backport.model.definition import Definition
from backport.model.errors import BackportError, InputError
from backport.model.progress import Progress
from backport.model.result import Proved, Skipped
from backport.model.verdict import PatchOutcome
from backport.package import version
from backport.package.atomic import put
from backport.prove import boot, build, config, machine, package, probe, profile, toolchain, vng
from backport.prove.bench import open_bench
from backport.prove.build import Chain, Setup, Step
from backport.prove.config import Recipe, Wish
from backport.prove.image import boot_wishes, configuration
from backport.settings import cache_folder, config_file

STAGES = ("build", "boot")


@dataclass(frozen=True, slots=True)
class Tools:
    """Which compiler and which profile were asked for; empty words: whatever fits."""

    cc: str = ""
    profile: str = ""


@dataclass(frozen=True, slots=True)
class BuildWish:
    """What `prove build` was asked: architectures, configurations ("defconfig", "allnoconfig+my.config"), what, and how often."""

    archs: tuple[str, ...] = ("x86_64",)
    configs: tuple[str, ...] = ("defconfig",)
    what: str = "objects"
    each: bool = True
    warnings: str = ""
    tools: Tools = Tools()


@dataclass(frozen=True, slots=True)
class BootWish:
    """What `prove boot` was asked. One processor is a kernel without SMP; `consoles` is where serial consoles are kept."""

    consoles: Path
    archs: tuple[str, ...] = ("x86_64",)
    processors: tuple[int, ...] = (2, 1)
    control: bool = False
    mutants: int = 0
    accel: str = ""
    backend: str = "qemu"
    tools: Tools = Tools()


@dataclass(frozen=True, slots=True)
class Landed:
    """A series on its target, ready to be proved. `kernel` is the target's version by its Makefile."""

    definition: Definition
    chain: Chain
    kernel: str
    shop: Workshop


@contextmanager
def landed(definition: Definition, kernels: Sequence[str], onto: str, progress: Progress) -> Iterator[Landed]:
    """Replay a definition in a scratch store that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        scratch = Path(folder)
        sources = open_histories(definition, kernels, [onto], scratch, progress)
        with sources.store(scratch / "run.git") as store:
            shop = Workshop(store, Trees(store), History(store))
            base = shop.history.commit(resolve_one(sources.clones, onto))
            series = ingest(definition, sources.clones, store, progress)
            replayed = examine(series, base, shop, definition, progress).replayed
            yield hand_over(definition, onto, base, replayed.outcomes, shop)


def hand_over(definition: Definition, onto: str, base: Commit, outcomes: Sequence[PatchOutcome], shop: Workshop) -> Landed:
    """What the proofs need of a replay."""
    makefile = shop.trees.read(base.tree, b"Makefile") or b""
    steps = [
        Step(outcome.upstream, outcome.subject, outcome.tree, tuple(file.path for file in outcome.files))
        for outcome in outcomes
        if outcome.verdict.landed and outcome.tree
    ]
    kernel = version.parse(makefile, f"{onto}:Makefile").upstream
    return Landed(definition, Chain(onto, base.tree, tuple(steps)), kernel, shop)


def check_stages(stages: Sequence[str]) -> None:
    """InputError for a stage that there is not: to be asked before a run, not at its end."""
    if unknown := [stage for stage in stages if stage not in STAGES]:
        raise InputError(f"there is nothing to prove called {unknown[0]!r}", where="--prove", then=f"give {', '.join(STAGES)}")


def prove(stages: Sequence[str], landed: Landed, consoles: Path, progress: Progress) -> Proved:
    """What `run --prove` asks for, with the defaults of `backport prove`. What cannot be done is said; the run goes on."""
    proved = Proved()
    for stage in stages:
        try:
            if stage == "build":
                found = prove_build(landed, BuildWish(), progress)
            else:
                found = prove_boot(landed, BootWish(consoles, control=True), progress, progress.step)
        except BackportError as error:
            proved.skipped.append(Skipped("prove", stage, error.what, error.then))
            continue
        proved.proofs += found.proofs
        proved.findings += found.findings
        proved.skipped += found.skipped
        proved.measured += found.measured
    return proved


def prove_build(landed: Landed, wish: BuildWish, progress: Progress) -> Proved:
    """Build every step, for each architecture and configuration asked for."""
    build.need_make()
    proved = Proved()
    if not landed.chain.steps:
        raise InputError("no patch landed: there is nothing to build", then=f"backport run {landed.definition.name}")
    with open_bench(cache_folder(), landed.kernel, landed.shop.store) as bench:
        for arch in wish.archs:
            chain = chosen(landed.kernel, arch, wish.tools)
            for name in wish.configs:
                extra = (f"W={wish.warnings}",) if wish.warnings else ()
                setup = Setup(arch, recipe(name, landed.definition), chain, wish.what, extra)
                made = build.build(landed.chain, setup, bench, landed.shop.trees, landed.shop.history, progress, each=wish.each)
                proved.proofs += made.proofs
                proved.findings += made.findings
                proved.skipped += made.skipped
    return proved


def prove_boot(landed: Landed, wish: BootWish, progress: Progress, line: Callable[[str], None]) -> Proved:
    """Build a small kernel with the series, boot it, and let the probe say what works; then controls and mutants, as asked."""
    build.need_make()
    if wish.backend == "vng":
        vng.need()
    prober = probe.load(landed.definition.source.parent / "probe")
    proved = Proved()
    with open_bench(cache_folder(), landed.kernel, landed.shop.store) as bench:
        for arch in wish.archs:
            chain = chosen(landed.kernel, arch, wish.tools)
            init = probe.compile_init(prober, wish.tools.cc or f"{chain.cross}gcc", arch)
            trial = boot.Trial(prober, init, wish.consoles, line, proved.measured)
            accel = wish.accel or machine.accelerator(arch)
            for number, processors in enumerate(wish.processors):
                on = machine.Machine(arch, processors, prober.memory, accel, wish.backend)
                tip = Setup(arch, boot_recipe(landed.definition, prober, processors, wish.backend), chain)
                work = (bench, tip, on, trial, progress)
                subject = f"{landed.chain.onto} with {landed.definition.name}"
                proved.proofs.append(boot.build_and_boot("boot", subject, landed.chain.tip, *work))
                if wish.control:
                    proved.proofs.append(boot.build_and_boot("control", landed.chain.onto, landed.chain.base, *work))
                if wish.mutants and not number:
                    tried = boot.try_mutants(landed.chain, bench, landed.shop.trees, tip, on, trial, wish.mutants, progress)
                    proved.proofs += tried.proofs
                    proved.findings += tried.findings
                    proved.skipped += tried.skipped
    return proved


def prove_package(definition: Definition, wish: BootWish, file: Path, progress: Progress, line: Callable[[str], None]) -> Proved:
    """Boot the kernel in a binary RPM with the series' probe: no history, no build."""
    prober = probe.load(definition.source.parent / "probe")
    arch = wish.archs[0]
    init = probe.compile_init(prober, wish.tools.cc or "gcc", arch)
    progress.stage("boot", 0)
    proved = Proved()
    with tempfile.TemporaryDirectory(prefix="backport-") as folder:
        kernel = Path(folder) / "vmlinuz"
        kernel.write_bytes(package.boot_image(file))
        for processors in wish.processors:
            on = machine.Machine(arch, processors, prober.memory, wish.accel or machine.accelerator(arch), wish.backend)
            proof = boot.boot_image("boot", file.name, kernel, on, boot.Trial(prober, init, wish.consoles, line, proved.measured))
            proved.proofs.append(proof)
    progress.done(f"{file.name}: {', '.join(proof.outcome.value for proof in proved.proofs)}")
    return proved


def rpmbuild(landed: Landed, source: Path, arch: str, tools: Tools, destination: Path) -> str:
    """The command that builds a source RPM of the series here: toolchain and a small configuration, written to `destination`."""
    prober = probe.load(landed.definition.source.parent / "probe")
    chain = chosen(landed.kernel, arch, tools)
    with open_bench(cache_folder(), landed.kernel, landed.shop.store) as bench:
        setup = Setup(arch, boot_recipe(landed.definition, prober, 2), chain)
        text = configuration(bench, setup, landed.chain.tip)
    put(destination, text)
    return package.shown(package.rebuild(source, chain, arch, destination.absolute()))


def boot_recipe(definition: Definition, prober: probe.Probe, processors: int, backend: str = "qemu") -> Recipe:
    """The smallest kernel that boots, that the probe can look into, and that has the feature."""
    more = vng.wishes() if backend == "vng" else ()
    wishes = (*boot_wishes(processors), *more, *prober.wishes, *series_wishes(definition, optional=False))
    name = "boot-vng" if backend == "vng" else "boot"
    return Recipe(name if processors > 1 else f"{name}-up", "allnoconfig", wishes)


def chosen(kernel: str, arch: str, tools: Tools) -> toolchain.Toolchain:
    """The toolchain for this kernel on this machine. Errors name what is missing, or that no profile fits."""
    prefix = toolchain.cross_prefix(arch)
    cc = tools.cc or f"{prefix}gcc"
    compiler = toolchain.compiler_version(cc)
    picked = profile.pick(profile.available(config_file().parent / "profiles"), kernel, compiler, tools.profile)
    return toolchain.prepare(picked, cc, compiler, prefix, cache_folder() / "prove", arch=arch)


def recipe(name: str, definition: Definition) -> Recipe:
    """A configuration by its name on the command line: a base, and fragments after `+`; the series' own symbols come last.

    They are optional here: before the patch that declares one, it does not exist. A `build.config` beside the definition holds
    what its objects need besides (KSM's are not all built without KVM).
    """
    base, *fragments = name.split("+")
    if base not in config.BASES and not config.OWN_DEFCONFIG.fullmatch(base) and not Path(base).is_file():
        then = f"give {', '.join(config.BASES)}, one of the kernel's (ppc64_defconfig), or a file; fragments follow after a +"
        raise InputError(f"there is no configuration {base!r}", where="--config", then=then)
    beside = definition.source.parent / "build.config"
    files = [*([str(beside)] if beside.is_file() else []), *fragments]
    wishes = [wish for path in files for wish in config.parse(config.read(Path(path)), path)]
    return Recipe(name, base, (*wishes, *series_wishes(definition, optional=True)))


def series_wishes(definition: Definition, *, optional: bool) -> tuple[Wish, ...]:
    """The symbols that the definition sets."""
    return tuple(Wish(item.symbol, item.value, f"series {definition.name}", optional) for item in definition.config)
