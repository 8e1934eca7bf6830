"""What a package is made from: one frozen value, so that equal plans give equal bytes."""

from __future__ import annotations

from dataclasses import dataclass

from backport.model.definition import ConfigValue
from backport.model.errors import InputError
from backport.package import escape
from backport.package.config import fragment
from backport.package.source import Source
from backport.package.version import KernelVersion

MANIFEST = "series.json"
_SHORTEST_PATCH = 13  # bytes; below that rpmbuild says "is smaller than 13 bytes" when it parses the spec


@dataclass(frozen=True, slots=True)
class PatchFile:
    """A patch file of the package, in the order of application: its name and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Packager:
    """Who signs the changelog."""

    name: str
    mail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole package, decided but not yet written.

    `changelog` has one text an entry: the titles of the topics, or the subjects of the commits where there are none.
    `date` is in seconds since 1970 (UTC) and dates everything; `buildid` is "ksm" or ".ksm"; `dist` is ".fc12", or empty:
    it is in the name of the SRPM, never in the spec, where the builder's own dist counts.
    `base_config` is a whole .config to start from; without one the build starts from defconfig. `manifest` is series.json, which
    says what is in the package and why; empty for a spec without one.
    """

    series: str
    title: str
    kernel: KernelVersion
    source: Source
    patches: tuple[PatchFile, ...]
    changelog: tuple[str, ...]
    config: tuple[ConfigValue, ...]
    packager: Packager
    date: int
    buildid: str
    dist: str = ""
    base_config: bytes | None = None
    manifest: bytes = b""

    @property
    def fragment_name(self) -> str:
        """The config fragment's file name, Source1."""
        return escape.file_name(f"config-{self.series}")

    @property
    def base_config_name(self) -> str:
        """The file name of the .config to start from, Source2."""
        return escape.file_name(f"kernel-{self.kernel.version}-base.config")

    @property
    def evr(self) -> str:
        """Version and release without dist, as in the changelog header: 2.6.31-1.ksm."""
        return f"{self.kernel.version}-{self.kernel.release}{escape.buildid(self.buildid)}"

    @property
    def nvr(self) -> str:
        """Name, version and release as rpm will report them: kernel-2.6.31-1.ksm.fc12."""
        return f"kernel-{self.evr}{self.dist_word}"

    @property
    def dist_word(self) -> str:
        """The dist with its dot, checked, or nothing."""
        return escape.buildid(self.dist) if self.dist else ""

    def sources(self) -> dict[str, bytes]:
        """Every file of the SRPM but spec and tarball, by name; InputError where two would have the same name."""
        files = {self.fragment_name: fragment(self.config)}
        if self.base_config is not None:
            files[self.base_config_name] = self.base_config
        if self.manifest:
            files[MANIFEST] = self.manifest
        taken = {*files, self.source.name, "kernel.spec"}
        for patch in self.patches:
            name = escape.patch_name(patch.name)
            if len(patch.data) < _SHORTEST_PATCH:
                raise InputError("the patch file is empty, and rpm refuses it", where=name, then="leave it out of the package")
            if name in taken:
                raise InputError(f"two files of the package would be called {name}", then="rename one of the patch files")
            taken.add(name)
            files[name] = patch.data
        return files
