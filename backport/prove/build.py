"""Builds every step of a series and says which patch brought which diagnostic.

    base, patch 1, patch 2, ...  each tree in turn into the kept source tree; make builds what the change reaches

All objects that any patch of the series touches are asked for at every step, so that a header which one patch changes is
seen through all of them, and each is compiled only when something below it changed. "Before" a patch is "after" the one
before it. Objects that fail or warn before as well are no evidence against a patch, and are told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from backport.git.history import History
from backport.git.trees import Trees
from backport.model.errors import MissingToolError
from backport.model.finding import Finding, Level
from backport.model.plural import plural
from backport.model.progress import Progress
from backport.model.proof import Outcome, Proof
from backport.model.result import Skipped
from backport.model.series import Entry, show_path
from backport.prove import objects as kbuild
from backport.prove import results
from backport.prove.absent import absence
from backport.prove.bench import Bench, Make
from backport.prove.config import Recipe, make_config
from backport.prove.diagnostics import Compiled, Diagnostic, new, parse
from backport.prove.profile import family
from backport.prove.results import Results, Said
from backport.prove.toolchain import SAID, Toolchain

_SERIOUS = ("implicit-function-declaration", "incompatible-pointer-types", "int-conversion", "return-type")
SERIOUS = tuple(f"[-W{word}]" for word in _SERIOUS)
WHAT = ("objects", "modules", "image")


@dataclass(frozen=True, slots=True)
class Step:
    """One landed patch: upstream commit, subject, the tree after it, the paths that it touches."""

    commit: str
    subject: str
    tree: str
    paths: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A series as it landed: the target's tree and revision, and a tree after each patch."""

    onto: str
    base: str
    steps: tuple[Step, ...]

    @property
    def tip(self) -> str:
        """The tree with everything on it."""
        return self.steps[-1].tree if self.steps else self.base


@dataclass(frozen=True, slots=True)
class Setup:
    """One way of building: architecture, configuration, toolchain; `what` is one of WHAT, `extra` more words for make."""

    arch: str
    recipe: Recipe
    toolchain: Toolchain
    what: str = "objects"
    extra: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people: "x86_64, defconfig, gcc 12.2.0"."""
        return ", ".join([self.arch, self.recipe.name, f"gcc {self.toolchain.compiler}", *self.extra])

    @property
    def folder(self) -> str:
        """The output folder: what differs between two of them must not share objects."""
        wished = results.key("", self.recipe.base, self.recipe.wishes, self.extra)[:8]
        return f"{self.arch}-{self.recipe.name.replace('/', '_')}-{wished}-{self.toolchain.digest}"


@dataclass(slots=True)
class Built:
    """What building a series said."""

    findings: list[Finding] = field(default_factory=list)
    proofs: list[Proof] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def build(
    chain: Chain, setup: Setup, bench: Bench, trees: Trees, history: History, progress: Progress, *, each: bool = True
) -> Built:
    """Build the chain one way: every step, or (not `each`) only the target and the tip."""
    steps = chain.steps if each else chain.steps[-1:]
    touched = [path for step in chain.steps for path in step.paths]
    wanted = sorted({name for path in touched if (name := kbuild.object_of(path, setup.arch))})
    built = Built(skipped=_not_objects(touched, setup.arch) if setup.what == "objects" else [])
    progress.stage("build", len(steps) + 1)
    walker = _Walker(setup, bench, trees, wanted, progress)
    before = walker.state(chain.base, chain.onto)
    previous = chain.base
    for step in steps:
        after = walker.state(step.tree, step.subject)
        lines = history.added_lines([(previous, step.tree)])[0]
        added = [(path, number) for path, rows in lines.items() for number, _ in rows]
        built.findings += _findings(step, chain, before, after, added, setup, each)
        before, previous = after, step.tree
    built.skipped += walker.unconfigured(chain.tip, before)
    built.skipped += [Skipped("build", lost, "the configuration is another than was asked for") for lost in before.lost]
    built.proofs.append(_proof(before, built.findings, setup, len(steps)))
    made = plural(sum(item.made for item in before.compiled), "object")
    progress.done(f"{made}, {plural(len(steps) + 1, 'state')}; {setup.name}; {plural(len(built.findings), 'new diagnostic')}")
    return built


@dataclass(slots=True)
class _Walker:
    """Builds one tree after the other in one output folder, and remembers what each said."""

    setup: Setup
    bench: Bench
    trees: Trees
    wanted: Sequence[str]
    progress: Progress
    lost: tuple[str, ...] = ()

    def state(self, tree: str, told: str) -> Said:
        """What building this tree says: remembered, or built now."""
        names = self._names(tree)
        setup = self.setup
        key = results.key(tree, setup.arch, setup.recipe, setup.toolchain.digest, setup.what, setup.extra, names)
        kept = Results(self.bench.cache / "results")
        said = kept.get(key)
        if said is None:
            said = self._build(tree, names, told)
            kept.put(key, said)
        self.progress.step(told)
        return said

    def unconfigured(self, tip: str, said: Said) -> list[Skipped]:
        """The objects that this configuration does not build, said."""
        if self.setup.what != "objects" or said.failure:
            return []
        absent = sorted(set(self._names(tip)) - {item.object for item in said.compiled})
        if not absent:
            return []
        makefiles = [path for path, _ in History(self.bench.store).files(tip) if self._is_makefile(path)]
        found = []
        for name in absent:
            reason = absence(name, lambda path: self.trees.read(tip, path), makefiles)
            why = f"{self.setup.recipe.name} on {self.setup.arch} does not build it: {reason.why}"
            found.append(Skipped("build", name, why, reason.then))
        return found

    def _is_makefile(self, path: bytes) -> bool:
        """Whether it is one that this architecture's build may read."""
        other = path.startswith(b"arch/") and not path.startswith(b"arch/%s/" % family(self.setup.arch).encode())
        return not other and path.rpartition(b"/")[2] in (b"Makefile", b"Kbuild")

    def _names(self, tree: str) -> list[str]:
        def there(name: str) -> bool:
            stem = name.removesuffix(".o")
            return any(self.trees.entry(tree, (stem + end).encode("utf-8", "surrogateescape")) for end in (".c", ".S"))

        return [name for name in self.wanted if there(name)] if self.setup.what == "objects" else []

    def _make(self, tree: str) -> Make:
        """The tree checked out and configured."""
        make = Make(self.bench, self.setup.toolchain, self.setup.arch, self.bench.output(self.setup.folder))
        self.bench.checkout(tree)
        kconfig = results.key("", sorted((path, entry.oid) for path, entry in self._kconfigs(tree)))
        mark = make.out / ".backport.kconfig"
        kept, *lost = mark.read_text().splitlines() if mark.exists() and (make.out / ".config").exists() else [""]
        if kept != kconfig:
            lost = list(map(str, make_config(make, self.setup.recipe)))
            mark.write_text("\n".join([kconfig, *lost]))
        self.lost = tuple(lost)
        return make

    def _kconfigs(self, tree: str) -> list[tuple[bytes, Entry]]:
        found = History(self.bench.store).files(tree)
        return [(path, entry) for path, entry in found if b"Kconfig" in path or path == b"Makefile"]

    def _build(self, tree: str, names: Sequence[str], told: str) -> Said:
        make = self._make(tree)
        goal = {"objects": "", "image": image_target(self.setup.arch), "modules": "modules"}[self.setup.what]
        listed = self._configured(make, names) if not goal else ()
        ended = make.run([*self.setup.extra, *([goal] if goal else ["prepare", *listed])], go_on=True)
        said = make.said(4)
        if ended.code != 0 and make.run([*self.setup.extra, "prepare"]).code != 0:
            return Said((), f"make prepare failed: {make.said(4)}")  # what lies beside the objects is of an earlier state
        if goal:
            failure = "" if ended.code == 0 else f"make {goal} failed: {said}"
            return Said(tuple(_read(make, name) for name in _all(make)), failure, self.lost)
        return Said(tuple(_read(make, name) for name in listed), lost=self.lost)

    def _configured(self, make: Make, names: Sequence[str]) -> Sequence[str]:
        """Those that the configuration builds; one that it does not build proves nothing, whether it compiles or not."""
        found = kbuild.configured(make, names)
        return names if found is None else [name for name in names if name in found]


def image_target(arch: str) -> str:
    """What a bootable image is called."""
    return "bzImage" if arch in ("x86_64", "i386") else "vmlinux"


def _read(make: Make, name: str) -> Compiled:
    folder, _, base = name.rpartition("/")
    try:
        said = (make.out / folder / f".{base}{SAID}").read_bytes()
    except OSError:
        return Compiled(name, False, ())
    return parse(name, said, make.bench.source)


def _all(make: Make) -> list[str]:
    found = (path.relative_to(make.out) for path in make.out.rglob(f".*{SAID}"))
    return sorted(str(path.with_name(path.name.removeprefix(".").removesuffix(SAID))) for path in found)


def _findings(
    step: Step, chain: Chain, before: Said, after: Said, added: Sequence[tuple[bytes, int]], setup: Setup, each: bool
) -> list[Finding]:
    """What this step brought: new diagnostics of each object, one finding each however many objects see it."""
    old = {item.object: item for item in before.compiled}
    known = {diagnostic.same for item in before.compiled for diagnostic in item.diagnostics}
    seen: dict[Diagnostic, list[str]] = {}
    silent = []
    for item in after.compiled:
        was = old.get(item.object)
        fresh = new(was.diagnostics if was else (), item.diagnostics, added)
        for diagnostic in dict.fromkeys(fresh):
            elsewhere = diagnostic.path not in step.paths and not diagnostic.error
            if elsewhere and (was is None or diagnostic.same in known):
                continue  # an object that begins to include a header repeats what the header always made compilers say
            seen.setdefault(diagnostic, []).append(item.object)
        if not item.made and (was is None or was.made) and not any(d.error for d in fresh):
            silent.append(item.object)
    found = [_finding(step, chain, diagnostic, names, setup, each) for diagnostic, names in seen.items()]
    for name in silent:
        path = name.removesuffix(".o").encode() + b".c"
        what = f"{name} is no longer made, and the compiler gave no reason"
        found.append(Finding(Level.ERROR, "build-error", name, step.commit, path, 0, target=f"{what} ({setup.name})"))
    if after.failure and not before.failure:
        found.append(Finding(Level.ERROR, "build-error", "make", step.commit, b"Makefile", 0, target=after.failure))
    return found


def _finding(step: Step, chain: Chain, diagnostic: Diagnostic, names: Sequence[str], setup: Setup, each: bool) -> Finding:
    serious = diagnostic.error or diagnostic.message.endswith(SERIOUS)
    quoted = diagnostic.message.split("'")
    return Finding(
        level=Level.ERROR if serious else Level.WARNING,
        kind="build-error" if diagnostic.error else "build-warning",
        symbol=quoted[1] if len(quoted) > 2 else names[0],
        patch=step.commit if each else _last(chain, step, diagnostic.path),
        path=diagnostic.path,
        line=diagnostic.line,
        target=f"{diagnostic.message} ({', '.join(names[:3])}{' ...' if len(names) > 3 else ''}; {setup.name})",
    )


def _last(chain: Chain, step: Step, path: bytes) -> str:
    """Where several patches are looked at as one: the last that touches the file."""
    return next((one.commit for one in reversed(chain.steps) if path in one.paths), step.commit)


def _proof(tip: Said, findings: Sequence[Finding], setup: Setup, steps: int) -> Proof:
    subject = f"{plural(len(tip.compiled), 'object')} in {plural(steps + 1, 'state')}" if setup.what == "objects" else setup.what
    if tip.failure:
        return Proof("build", subject, setup.name, Outcome.FAILED, tip.failure)
    bad = [found for found in findings if found.level is Level.ERROR]
    if bad:
        return Proof("build", subject, setup.name, Outcome.FAILED, f"{plural(len(bad), 'new error')}, see the findings")
    unmade = [item.object for item in tip.compiled if not item.made]
    if unmade and setup.what == "objects":
        return Proof("build", subject, setup.name, Outcome.PASSED, f"not made before either: {', '.join(unmade)}")
    return Proof("build", subject, setup.name, Outcome.PASSED)


def _not_objects(touched: Sequence[bytes], arch: str) -> list[Skipped]:
    """Source files that are no object of this architecture: said, by reason."""
    sources = {path for path in touched if path.endswith((b".c", b".S")) and not kbuild.object_of(path, arch)}
    other = sorted(path for path in sources if path.startswith(b"arch/"))
    rest = sorted(sources - set(other))
    found = []
    if other:
        then = "give it with --arch, and its cross compiler"
        found.append(Skipped("build", ", ".join(map(show_path, other)), f"belongs to another architecture than {arch}", then))
    if rest:
        found.append(Skipped("build", ", ".join(map(show_path, rest)), "kbuild makes no object of the kernel of it"))
    return found


def need_make() -> None:
    """MissingToolError where make is not there."""
    import shutil

    if shutil.which("make") is None:
        raise MissingToolError("make is not installed", then="backport doctor")
