"""Outcomes to render: the KSM run onto v2.6.31 as it is known, and hostile ones. The code excerpts are made up."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from backport.model.definition import ConfigValue, DefinedCommit, Definition, Drop, Topic
from backport.model.evidence import Evidence
from backport.model.finding import Finding, Level
from backport.model.proof import Check, Outcome, Proof
from backport.model.result import Artifact, RunResult, Skipped
from backport.model.series import Entry
from backport.model.verdict import Cause, Conflict, FileOutcome, PatchOutcome, Suggestion, Verdict

SUBJECTS = """\
828502d30073 ksm: add mmu_notifier set_pte_at_notify()
3866ea90d363 ksm: first tidy up madvise_vma()
d19f35248446 ksm: define MADV_MERGEABLE and MADV_UNMERGEABLE
f8af4da3b4c1 ksm: the mm interface to ksm
21333b2b66b8 ksm: no debug in page_dup_rmap()
9a840895147b ksm: identify PageKsm pages
31dbd01f3143 ksm: Kernel SamePage Merging
1ff829957316 ksm: prevent mremap move poisoning
36b2528dc181 ksm: change copyright message
339aa62469f6 ksm: change ksm nice level to be 5
b4028260334e ksm: rename kernel_pages_allocated
e178dfde3952 ksm: move pages_sharing updates
473b0ce4d13e ksm: pages_unshared and pages_volatile
26465d3ea5a6 ksm: break cow once unshared
6e15838425ac ksm: keep quiet while list empty
81464e30609c ksm: five little cleanups
d952b79136a6 ksm: fix endless loop on oom
cd551f97519d ksm: distribute remove_mm_from_lists
9ba692948008 ksm: fix oom deadlock
1c2fb7a4c2ca ksm: fix deadlock with munlock in exit_mmap
2ffd8679c8e4 ksm: sysfs and defaults
7701c9c0f54f ksm: add some documentation
8314c4f24a0a ksm: remove VM_MERGEABLE_FLAGS
a913e182ab94 ksm: clean up obsolete references
35451beecbd7 ksm: unmerge is an origin of OOMs
7103ad323b1a ksm: mremap use err from ksm_madvise
2c6854fdadf9 ksm: change default values to better fit into mainline kernel
3da0dd433dc3 KVM: add support for change_pte mmu notifiers
c73602ad31cd ksm: more on default values
a1bbb5ec3904 pagemap: document KPF_KSM and show it in page-types
d178f27fc515 ksm: cond_resched in unstable tree""".splitlines()

MERGED = {"f8af4da3b4c1", "21333b2b66b8", "31dbd01f3143", "1ff829957316", "a1bbb5ec3904"}
OURS = b"\tfor_each_mapping(mm, range) {\n\t\thit |= drop_one(mm, range->start);\n\t}\n"
BASE = (
    b"\tfor_each_mapping(mm, range) {\n\t\tfor (level = 0; level < LEVELS; level++)\n\t\t\thit |= one(mm, range, level);\n\t}\n"
)
THEIRS = BASE.replace(b"one(mm, range, level)", b"visit(mm, range, level, data)")


def full(short: str) -> str:
    """Forty digits that begin with those of `short`."""
    return (short + hashlib.sha256(short.encode()).hexdigest())[:40]


def entry(name: str, mode: int = 0o100644) -> Entry:
    return Entry(mode, full(hashlib.sha256(name.encode()).hexdigest()[:12]))


LEVELS = Cause(
    full("44ad9944f151"), "KVM: MMU: make rmap code aware of mapping levels", "changed lines 786-795 of arch/x86/kvm/mmu.c"
)
WALK = Cause(
    full("852e3c19ac64"), "KVM: MMU: make direct mapping paths aware of mapping levels", "brought the loop in kvm_handle_hva"
)
RENAMED = Cause(full("d555c333aa54"), "KVM: MMU: s/shadow_pte/spte/", "renamed set_shadow_pte to __set_spte")
CONFLICT = Conflict(b"arch/x86/kvm/mmu.c", "content", "kvm_handle_hva", 748, OURS, BASE, THEIRS, (WALK, LEVELS))


def landed(line: str) -> PatchOutcome:
    short, subject = line.split(" ", 1)
    merged = short in MERGED
    ours = entry(short + "ours" if merged else short)
    file = FileOutcome(
        b"mm/ksm.c", b"mm/ksm.c", "3-way" if merged else "take", entry(short), ours, entry(short + "new"), entry(short)
    )
    verdict = Verdict.MERGED if merged else Verdict.EXACT
    return PatchOutcome(full(short), subject, verdict, (file,), commit=full("c" + short[1:]), tree=full("7" + short[1:]))


def conflicted(line: str) -> PatchOutcome:
    short, subject = line.split(" ", 1)
    file = FileOutcome(b"arch/x86/kvm/mmu.c", b"arch/x86/kvm/mmu.c", "conflict", entry("b"), entry("o"), entry("t"), None)
    why = "1 of 3 files conflicts: arch/x86/kvm/mmu.c in kvm_handle_hva"
    return PatchOutcome(full(short), subject, Verdict.CONFLICT, (file,), (CONFLICT,), reason=why)


def ksm(count: int = 31) -> RunResult:
    """The known outcome of KSM onto v2.6.31: all but one land."""
    chosen = SUBJECTS[:count]
    patches = tuple(conflicted(line) if line.startswith("3da0dd433dc3") else landed(line) for line in chosen)
    files = [f"patches/{number:04d}-{p.upstream[:8]}.patch" for number, p in enumerate(patches, 1) if p.verdict.landed]
    artifacts = (
        *((name, "patch") for name in files),
        ("patches/series", "series"),
        ("kernel.spec", "spec"),
        ("kernel-ksm.config", "config"),
    )
    return RunResult(
        tool="backport 0.1.0",
        series="ksm",
        title="KSM: kernel samepage merging",
        onto="v2.6.31",
        onto_commit=full("74fca6a42863"),
        onto_tree=full("7ee5e5a0d8f4"),
        kernel_version="2.6.31",
        tip=full("c178f27fc515"),
        tip_tree=full("7178f27fc515"),
        patches=patches,
        findings=(
            Finding(
                Level.ERROR,
                "absent-symbol",
                "__set_spte",
                full("3da0dd433dc3"),
                b"arch/x86/kvm/mmu.c",
                802,
                "function (3 arguments)",
                "nothing of that name; set_shadow_pte() has the same body",
                RENAMED,
                "write set_shadow_pte(sptep, spte) on this target",
            ),
            Finding(Level.WARNING, "kconfig-default", "KSM", full("f8af4da3b4c1"), b"mm/Kconfig", 214, "default n", "not there"),
        ),
        config=(ConfigValue("KSM", "y"),),
        artifacts=tuple(Artifact(name, kind, hashlib.sha256(name.encode()).hexdigest()) for name, kind in artifacts),
        skipped=(
            Skipped(
                "prove", "the build", "no compiler of that time (gcc 4.4) was named", "backport prove ksm --toolchain gcc-4.4"
            ),
        ),
    )


def with_left_out() -> RunResult:
    """KSM with the two commits that 2.6.31 has no file for, one that is there already, one dropped and one suspect."""
    brought = Cause(
        full("6a46079cf57a"), "HWPOISON: The high level memory error handler in the VM v7", "added mm/memory-failure.c"
    )
    extra = (
        PatchOutcome(full("01e00f880ca7"), "HWPOISON: fix oops on ksm pages", Verdict.NOT_APPLICABLE, causes=(brought,)),
        PatchOutcome(full("aaaa00000001"), "mm: already here", Verdict.ALREADY_PRESENT),
        PatchOutcome(full("aaaa00000002"), "mm: not wanted", Verdict.DROPPED, reason="Fedora 12 has no swap over KSM pages"),
        PatchOutcome(
            full("aaaa00000003"),
            "mm: builds on it",
            Verdict.SUSPECT,
            needs=(full("aaaa00000002"),),
            reason="the guard found ksm_exit() called twice in exit_mmap",
        ),
    )
    known = ksm()
    return replace(known, patches=known.patches + extra)


HOSTILE_SUBJECT = (
    "[SCSI] [bold]red[/bold] \x1b[31mESC\x07 \u202egnp.exe\u202c a\u200bb \ud800 line\nbreak\r"
    " :smile: `code` | <b>html</b> @torvalds #1 漢字漢字"
)


def hostile() -> RunResult:
    """An outcome in which every text from outside is a trap."""
    many = b"".join(b"line %d \xff\x00\x1b[2J\r\n" % number for number in range(10_000))
    bad = Cause(full("dead00000001"), HOSTILE_SUBJECT, "why\x1b]0;title\x07 @all | x")
    path = b"dr\xffivers/\x1b[1m[red]/a\nb|`.c"
    conflict = Conflict(path, "content", "f[/]\x1b[0m", 7, many, b"", b"one\x85\r\n```\n\ttab \xe2\x80\xae\n" * 9, (bad,))
    entries = FileOutcome(path, path, "conflict", entry("x", 0o120000), None, entry("y", 0o160000), None)
    patch = PatchOutcome(
        full("bad000000001"),
        HOSTILE_SUBJECT * 4,
        Verdict.CONFLICT,
        (entries,),
        (conflict,),
        (bad,),
        (full("a"),),
        "r\x1b[5m[/]" * 3,
    )
    return replace(
        ksm(0),
        title=HOSTILE_SUBJECT,
        onto="v2\x1b[31m[/]",
        patches=(patch,),
        findings=(
            Finding(Level.NOTE, "odd\x1b", "s[/]\x1b`|@x", full("bad000000001"), path, 1, "u\x1b", "t\x1b", bad, "h\x1b <i>"),
        ),
        skipped=(Skipped("st\x1b[/]", "w\x1b@you", "why\x1b", "rm\x1b"),),
        proofs=(
            Proof(
                "boot",
                "s\x1b[/]`|@x",
                "x86\x1b",
                Outcome.FAILED,
                "w\x1b|<i>",
                (Check("c\x1b[/]", "failed", "s\x1b"),),
            ),
        ),
        artifacts=(Artifact("a\x1b[/].patch", "patch\x1b", "0" * 64),),
        config=(),
    )


def empty() -> RunResult:
    """A series without patches: nothing was replayed, there is no tip."""
    return replace(ksm(0), tip="", tip_tree="", findings=(), config=(), artifacts=(), skipped=())


def definition(topics: bool = True) -> Definition:
    """What patches/ksm/series.toml says, in short."""
    named = (
        (Topic("linux-2.6-ksm.patch", "add KSM"), Topic("linux-2.6-ksm-kvm.patch", "KSM: let KVM follow [x]")) if topics else ()
    )
    commits = tuple(
        DefinedCommit(full(line[:12]), line[13:], (named[line[13:16] == "KVM"].file if named else ""), number)
        for number, line in enumerate(SUBJECTS, 9)
    )
    drops = (Drop(full("01e00f880ca7"), "HWPOISON: fix oops on ksm pages", "2.6.31 has no memory-failure.c", 70),)
    config = (ConfigValue("KSM", "y"),)
    return Definition(
        Path("patches/ksm/series.toml"),
        "ksm",
        "KSM: kernel samepage merging",
        "https://example.org/linux.git",
        "v2.6.31..v2.6.32",
        "v2.6.31",
        commits,
        drops,
        named,
        config,
    )


def with_rules() -> RunResult:
    """The KSM run with one patch that rules resolved, and two suggestions for the one in conflict, one of them doubted."""
    result = ksm()
    because = Evidence("anchor", b"mm/ksm.c", "scan_box", 120, 4, "the lines stand once in the function", (LEVELS,), ("unique",))
    first = result.patches[0]
    files = (replace(first.files[0], rule="anchor", evidence=(because,)),)
    resolved = replace(first, verdict=Verdict.RESOLVED, files=files)
    diff = b"--- a/arch/x86/kvm/mmu.c\n+++ b/arch/x86/kvm/mmu.c\n@@ -1 +1 @@\n-\thit |= drop_one(mm);\n+\thit |= visit(mm);\n"
    told = Suggestion(("renames",), full("aaaa"), files, diff, 31, 40)
    doubted = Suggestion(("words", "anchor"), full("bbbb"), files, diff, doubts=("visit: it would land in drop_one",))
    patches = tuple(replace(p, suggestions=(told, doubted)) if p.verdict is Verdict.CONFLICT else p for p in result.patches)
    return replace(result, patches=(resolved, *patches[1:]))
