"""What the user has set once: folders by the XDG rules, and the kernel history that `--kernel` defaults to."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from backport.model.errors import InputError


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CACHE_HOME/backport`; everything in it can be made again."""
    return _xdg(environment, "XDG_CACHE_HOME", ".cache") / "backport"


def config_file(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CONFIG_HOME/backport/config.toml`."""
    return _xdg(environment, "XDG_CONFIG_HOME", ".config") / "backport" / "config.toml"


def _xdg(environment: Mapping[str, str], variable: str, default: str) -> Path:
    """A folder of the XDG Base Directory Specification, which says that a relative value must be ignored."""
    value = environment.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default


def default_kernels(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The histories to use where no --kernel is given: $BACKPORT_KERNEL (`:` separates), else `kernel` of the config file.

    Empty where neither is set; InputError for a config file that cannot be understood.
    """
    value = environment.get("BACKPORT_KERNEL", "")
    if value:
        url = "://" in value or re.match(r"[\w.-]+@[\w.-]+:", value)  # git@host:linux.git is one place, not two
        return (value,) if url else tuple(filter(None, value.split(":")))
    import tomllib  # half of what it costs to import this module, which commands without --kernel import as well

    path = config_file(environment)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError) as error:  # ValueError: not UTF-8, no TOML, a number of 5000 digits
        raise InputError(f"cannot read the configuration: {error}", where=str(path)) from error
    kernel = data.get("kernel", [])
    kernels = [kernel] if isinstance(kernel, str) else kernel
    if not isinstance(kernels, list) or not all(isinstance(item, str) and item for item in kernels):
        raise InputError("kernel must be a path, a URL, or a list of them", where=f"{path}: kernel")
    return tuple(kernels)
