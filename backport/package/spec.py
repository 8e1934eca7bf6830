"""Renders kernel.spec from a plan, through `specs/kernel.spec.j2`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2

from backport.package import escape
from backport.package.escape import SpecText
from backport.package.plan import MANIFEST, Plan
from backport.package.version import KernelVersion

NAME = "kernel.spec"
_TEMPLATE = "kernel.spec.j2"
_TOOLS = ("bash", "binutils", "diffutils", "findutils", "gawk", "gcc", "gzip", "make", "patch", "perl", "sed", "tar")
_ALWAYS = (*_TOOLS, "/sbin/depmod")
_SINCE = (
    ((3, 9), ("bc",)),
    ((4, 3), ("openssl", "openssl-devel")),
    ((4, 14), ("elfutils-libelf-devel",)),
    ((4, 16), ("bison", "flex")),
)


def render(plan: Plan) -> bytes:
    """The spec of this plan, UTF-8. Nothing that comes from outside can run in it, nor end or begin a line of its own.

    The name must stay kernel.spec: Fedora's own tools look for it.
    """
    text = _template().render(
        version=escape.version_word(plan.kernel.version),
        release=escape.version_word(plan.kernel.release),
        stable=escape.macros(plan.kernel.stable),
        buildid=escape.buildid(plan.buildid),
        title=escape.prose(plan.title or plan.series),
        source=escape.file_name(plan.source.name),
        folder=escape.file_name(plan.source.folder),
        fragment=escape.file_name(plan.fragment_name),
        base_config=escape.file_name(plan.base_config_name) if plan.base_config is not None else None,
        manifest=escape.file_name(MANIFEST) if plan.manifest else None,
        patches=[escape.patch_name(patch.name) for patch in plan.patches],
        build_requires=[escape.macros(name) for name in build_requires(plan.kernel)],
        changelog_header=escape.changelog_header(plan.date, plan.packager.name, plan.packager.mail, plan.evr),
        changelog=[escape.changelog_entry(entry) for entry in plan.changelog],
    )
    return text.encode()


def build_requires(kernel: KernelVersion) -> tuple[str, ...]:
    """What a build of that kernel needs installed; later kernels need more."""
    more = (name for since, names in _SINCE if kernel.at_least(*since) for name in names)
    return (*_ALWAYS, *more)


def template_folder() -> Path:
    """Where the templates are: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "data" / "specs"
    return inside if inside.is_dir() else package.parent / "specs"


@cache
def _template() -> jinja2.Template:
    """The template, with `[= value =]` and `[% for %]`: next to a spec's own `%{` the usual braces cannot be read."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - not HTML; `_only_spec_text` is the guard
        finalize=_only_spec_text,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        variable_start_string="[=",
        variable_end_string="=]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
    )
    return environment.get_template(_TEMPLATE)


def _only_spec_text(value: object) -> object:
    """Let numbers and escaped text through; anything else that a template prints is a bug, not a spec."""
    if isinstance(value, (SpecText, int, jinja2.Undefined)):
        return value
    raise TypeError(f"the template prints text that was not escaped: {value!r}")
