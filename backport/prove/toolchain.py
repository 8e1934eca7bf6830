"""A profile made usable: a folder with a compiler that knows old kernels' habits, and the words that make is given.

    bin/cc      calls the compiler with the profile's flags, and leaves beside each object what was said about it
    bin/perl    runs a script with the profile's substitutions
    include/    headers that are found where the kernel has none
    before/     headers that stand before the kernel's own
    rules.mk    make variables that outrank the kernel's own (through MAKEFILES)

The folder is named after a digest of all that, so that objects of one toolchain are never taken for those of another.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from backport.model.errors import InputError, MissingToolError
from backport.prove.process import collect
from backport.prove.profile import Profile, version

CROSS = {
    "arm": "arm-linux-gnueabi-",
    "arm64": "aarch64-linux-gnu-",
    "powerpc": "powerpc64-linux-gnu-",
    "s390": "s390x-linux-gnu-",
    "sparc": "sparc64-linux-gnu-",
    "mips": "mips-linux-gnu-",
    "alpha": "alpha-linux-gnu-",
    "sh": "sh4-linux-gnu-",
    "m68k": "m68k-linux-gnu-",
}
NATIVE = ("x86_64", "i386", "x86")
SAID = ".said"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What make is called with. `digest` names everything that decides what an object becomes; `compiler` is its version."""

    profile: Profile
    compiler: str
    folder: Path
    digest: str
    ccache: bool
    cross: str = ""

    def arguments(self, arch: str) -> list[str]:
        """The words for make, after the profile."""
        words = [f"ARCH={arch}", f"CC={self.folder / 'bin' / 'cc'}"]
        if self.cross:
            words.append(f"CROSS_COMPILE={self.cross}")
        if self.profile.host:
            words.append(f"HOSTCFLAGS={' '.join(self.profile.host)}")
        if self.profile.perl:
            words.append(f"PERL={self.folder / 'bin' / 'perl'}")
        return words

    def environment(self, cache: Path, inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment for make: nothing that kbuild would read from the caller's, messages in English, our own ccache."""
        kept = {name: inherited[name] for name in ("PATH", "HOME", "TMPDIR") if name in inherited}
        made = {**kept, "LC_ALL": "C", "TZ": "UTC", "KBUILD_BUILD_USER": "backport", "KBUILD_BUILD_HOST": "localhost"}
        if self.profile.makefile:
            made["MAKEFILES"] = str(self.folder / "rules.mk")
        if self.ccache:
            # Nobody else writes to the kept tree, so a header that is seconds old is no reason to distrust it.
            made["CCACHE_DIR"] = str(cache / "ccache")
            made["CCACHE_SLOPPINESS"] = "include_file_mtime,include_file_ctime,time_macros"
        return made

    def macro(self, arch: str) -> str:
        """The same words for a shell, as a spec's %{kernel_make_args} wants them."""
        return shlex.join(self.arguments(arch)[1:])


def compiler_version(cc: str) -> str:
    """What `cc -dumpfullversion` says; MissingToolError where there is no such compiler."""
    code, said = collect([cc, "-dumpfullversion"])
    if code != 0:  # gcc before 7 knows only this one
        code, said = collect([cc, "-dumpversion"])
    found = said.decode("utf-8", "replace").strip()
    if code != 0 or not re.fullmatch(r"[0-9][0-9.]*", found):
        raise InputError(f"{cc} does not say which version it is", where="--cc", then="give a gcc")
    return found


def prepare(
    profile: Profile, cc: str, compiler: str, cross: str, cache: Path, *, arch: str = "", ccache: bool = True
) -> Toolchain:
    """The profile's folder below `cache`, made where it is not there yet."""
    path = shutil.which(cc)
    if path is None:
        raise MissingToolError(f"the compiler {cc} is not installed", then="backport doctor")
    fast = shutil.which("ccache") if ccache else None
    files = _files(profile, [*([fast] if fast else []), path], version(compiler)[0], arch)
    digest = hashlib.sha256(repr((files, compiler, cross, profile.flags(arch), profile.host)).encode()).hexdigest()[:12]
    folder = cache / "toolchains" / f"{profile.name}-{digest}"
    if not folder.is_dir():
        _write(folder, files)
    return Toolchain(profile, compiler, folder, digest, fast is not None, cross)


def cross_prefix(arch: str) -> str:
    """The prefix of the cross compiler for a kernel architecture, '' for this machine's own."""
    return "" if arch in NATIVE else CROSS.get(arch, f"{arch}-linux-gnu-")


def _files(profile: Profile, compiler: Sequence[str], major: int, arch: str) -> dict[str, str]:
    wrapped = {f"before/{name}": text for name, text in profile.before(arch).items()}
    files = {"bin/cc": _compiler(profile, compiler, arch, before=bool(wrapped)), **wrapped}
    if profile.perl:
        files["bin/perl"] = _perl(profile)
    if profile.makefile:
        files["rules.mk"] = profile.makefile
    for name, text in profile.headers:
        files[f"include/{name.format(major=major)}"] = text
    return files


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """All files in one step: written beside, and renamed; whoever comes second finds them there."""
    work = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    for name, text in files.items():
        path = work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755 if name.startswith("bin/") else 0o644)
    try:
        work.rename(folder)
    except OSError:  # another run was first
        shutil.rmtree(work, ignore_errors=True)


def _compiler(profile: Profile, compiler: Sequence[str], arch: str, *, before: bool) -> str:
    """The compiler's wrapper. For `-c ... -o mm/ksm.o` it leaves what was said, and the status, in `mm/.ksm.o.said`.

    The profile's flags come first, so that a makefile which knows better (-fPIC for the vdso) has the last word.
    """
    cases = "".join(_case(given, instead) for given, instead in profile.changed(arch))
    flags = " ".join([*(shlex.quote(flag) for flag in profile.flags(arch)), *(['-I "$here/before"'] if before else [])])
    return f"""#!/bin/sh
here=${{0%/bin/cc}}
left=$# last= object= compile=
while [ "$left" -gt 0 ]; do
  word=$1; shift; left=$((left - 1))
  case $last in -o) object=$word ;; esac
  case $word in -c) compile=yes ;; esac
  last=$word
  case "$word ${{1-}}" in
{cases}  *) set -- "$@" "$word" ;;
  esac
done
case $compile,$object in
  yes,/*|yes,.*|,*) exec {shlex.join(compiler)} {flags} -idirafter "$here/include" "$@" ;;
  yes,*.o) ;;
  *) exec {shlex.join(compiler)} {flags} -idirafter "$here/include" "$@" ;;
esac
name=${{object##*/}} folder=./
case $object in */*) folder=${{object%/*}}/ ;; esac
said=$folder.${{name#.tmp_}}{SAID}
{shlex.join(compiler)} {flags} -idirafter "$here/include" "$@" 2>"$said.new"
status=$?
cat "$said.new" >&2
echo "status $status" >>"$said.new"
mv -f "$said.new" "$said"
exit $status
"""


def _case(given: Sequence[str], instead: Sequence[str]) -> str:
    """One argument, or two in a row, that become others."""
    words = " ".join(shlex.quote(word) for word in instead)
    if len(given) == 1:
        return f"  {shlex.quote(given[0])}' '*) set -- \"$@\" {words} ;;\n"
    return f'  {shlex.quote(" ".join(given[:2]))}) shift; left=$((left - 1)); set -- "$@" {words} ;;\n'


def _perl(profile: Profile) -> str:
    """perl, for one script file: it reads the script, substitutes, and evaluates it in its place, with its name and arguments."""
    rules = "".join(f"    s{{{find}}}{{{_perl_put(put)}}}g;\n" for find, put in profile.perl)
    return f"""#!/usr/bin/perl
# perl SCRIPT ARGUMENTS, the script with a few words changed; anything else goes to perl as it is.
if (!@ARGV || $ARGV[0] =~ /^-/ || !-f $ARGV[0]) {{ exec "/usr/bin/perl", @ARGV or die "perl: $!\\n"; }}
my $script = shift @ARGV;
my $text = do {{ local (@ARGV, $/) = ($script); <> }};
for ($text) {{
{rules}}}
$0 = $script;
eval "#line 1 \\"$script\\"\\n$text";
die $@ if $@;
"""


def _perl_put(put: str) -> str:
    return re.sub(r"\\(\d)", r"$\1", put.replace("@", "\\@"))
