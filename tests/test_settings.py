"""Where things are kept by the XDG rules, and which kernels are used when none is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from backport.model.errors import InputError
from backport.settings import cache_folder, config_file, default_kernels


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/x", "/x/backport"),
        ("", "~/.cache/backport"),
        ("relative/x", "~/.cache/backport"),
        (None, "~/.cache/backport"),
        ("~/x", "~/.cache/backport"),
    ],
)
def test_cache_folder_follows_xdg_which_ignores_a_relative_value(value: str | None, expected: str) -> None:
    environment = {} if value is None else {"XDG_CACHE_HOME": value}
    assert cache_folder(environment) == Path(expected).expanduser()


def test_config_file_follows_xdg() -> None:
    assert config_file({"XDG_CONFIG_HOME": "/x"}) == Path("/x/backport/config.toml")
    assert config_file({}) == Path("~/.config/backport/config.toml").expanduser()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/a", ("/a",)),
        ("/a:/b", ("/a", "/b")),
        (":/a::/b:", ("/a", "/b")),
        (":", ()),
        ("https://h:8080/x.git", ("https://h:8080/x.git",)),
        ("git@host.example:linux.git", ("git@host.example:linux.git",)),
        ("/with space/x", ("/with space/x",)),
    ],
)
def test_backport_kernel(value: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    assert default_kernels({"BACKPORT_KERNEL": value, "XDG_CONFIG_HOME": str(tmp_path)}) == expected


def configured(tmp_path: Path, content: bytes) -> dict[str, str]:
    (tmp_path / "backport").mkdir()
    (tmp_path / "backport" / "config.toml").write_bytes(content)
    return {"XDG_CONFIG_HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'kernel = "/a"', ("/a",)),
        (b'kernel = ["/a", "https://x/y.git"]', ("/a", "https://x/y.git")),
        (b'kernel = "/a:/b"', ("/a:/b",)),
        (b"kernel = []", ()),
        (b"other = 1\n[table]\nkernel = 5", ()),
        (b"", ()),
    ],
)
def test_config_file_names_kernels(tmp_path: Path, content: bytes, expected: tuple[str, ...]) -> None:
    assert default_kernels(configured(tmp_path, content)) == expected


def test_the_environment_hides_the_config_file_even_a_broken_one(tmp_path: Path) -> None:
    assert default_kernels(configured(tmp_path, b"broken") | {"BACKPORT_KERNEL": "/a"}) == ("/a",)


@pytest.mark.parametrize(
    "content",
    [
        b"kernel = ",
        b"kernel = 5",
        b'kernel = ""',
        b'kernel = ["/a", 5]',
        b'kernel = ["/a", ""]',
        b"kernel = {}",
        b'kernel = "\xff"',
        b"\0",
        b"x = " + b"[" * 10000,
        b"x = " + b"1" * 5000,
    ],
    ids=["syntax", "number", "empty", "mixed list", "empty in list", "table", "latin-1", "NUL", "brackets", "huge number"],
)
def test_a_broken_config_file_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        default_kernels(configured(tmp_path, content))
    assert str(tmp_path / "backport" / "config.toml") in caught.value.where


def test_no_config_file_and_one_that_is_a_folder(tmp_path: Path) -> None:
    assert default_kernels({"XDG_CONFIG_HOME": str(tmp_path)}) == ()
    (tmp_path / "backport" / "config.toml").mkdir(parents=True)
    with pytest.raises(InputError):
        default_kernels({"XDG_CONFIG_HOME": str(tmp_path)})
