"""Which objects a path stands for, and whether a configuration builds them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from backport.prove.bench import Make
from backport.prove.process import collect
from backport.prove.profile import family

_NOT_KERNEL = ("Documentation", "scripts", "tools", "samples", "usr", "include")
_QUERY = r"""
all:;
include .config
srctree := {source}
SRCARCH := {srcarch}
ARCH := {arch}
BITS := $(if $(CONFIG_64BIT),64,32)
define listed
$(patsubst %,$(1)/%,$(obj-y) $(obj-m) $(lib-y) $(lib-m) $(extra-y) \
$(foreach o,$(obj-y) $(obj-m),$($(o:.o=-y)) $($(o:.o=-objs)) $($(o:.o=-m))))
endef
define read
obj-y :=
obj-m :=
lib-y :=
lib-m :=
extra-y :=
src := $(srctree)/$(1)
obj := $(1)
include $(firstword $(wildcard $(srctree)/$(1)/Kbuild) $(wildcard $(srctree)/$(1)/Makefile))
$$(info $$(call listed,$(1)))
endef
$(foreach dir,{folders},$(if $(wildcard $(srctree)/$(dir)/Kbuild $(srctree)/$(dir)/Makefile),$(eval $(call read,$(dir)))))
"""


def object_of(path: bytes, arch: str) -> str:
    """The object that kbuild makes of a source file for an architecture, '' where it makes none of it."""
    name = path.decode("utf-8", "surrogateescape")
    parts = PurePosixPath(name).parts
    if not name.endswith((".c", ".S")) or len(parts) < 2 or parts[0] in _NOT_KERNEL:
        return ""
    if parts[0] == "arch" and parts[1] != family(arch):
        return ""
    if any(c.isspace() or c in "$%:#'\"\\;|&" for c in name):  # no kernel has such a file, and make would read more than a name
        return ""
    return name.rpartition(".")[0] + ".o"


def configured(make: Make, objects: Collection[str]) -> set[str] | None:
    """Those of `objects` that the configuration builds, by the lists in the Makefiles; None where kbuild cannot be asked.

    Top folders (mm, kernel, fs, ...) and arch/NAME are taken to be descended into.
    """
    folders = sorted({str(folder) for name in objects for folder in PurePosixPath(name).parents if str(folder) != "."})
    query = make.out / ".backport.query.mk"
    words = {"source": make.bench.source, "srcarch": family(make.arch), "arch": make.arch, "folders": " ".join(folders)}
    query.write_text(_QUERY.format(**words))
    environment = make.toolchain.environment(make.bench.cache)
    environment.pop("MAKEFILES", None)
    code, said = collect(["make", "-C", str(make.out), "-s", "-f", str(query)], environment=environment)
    if code != 0:
        return None
    listed = set(said.decode("utf-8", "replace").split())
    return {name for name in objects if name in listed and _descended(name, listed, set(folders))}


def _descended(name: str, listed: Iterable[str], asked: Collection[str]) -> bool:
    known = set(listed)
    for folder in PurePosixPath(name).parents:
        top = len(folder.parts) < 2 or (folder.parts[0] == "arch" and len(folder.parts) == 2)
        if not top and f"{folder}/" not in known and str(folder.parent) in asked:
            return False
    return True
