"""Reads `watch.toml`: where to look, what to follow, what to do with it.

`backport watch --example watch.toml` prints one with every key explained. A series is followed where every key that is given
holds; of several values one is enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backport.ingest import toml_file
from backport.ingest.definition import NAME
from backport.ingest.mail.message import split
from backport.ingest.mail.subject import title_key
from backport.ingest.toml_file import Place
from backport.model.mail import Revision

_TOP = {"results", "mail", "kernel", "branch", "targets", "follow"}
_FOLLOW = {"name", "titles", "authors", "paths", "list", "series"}


@dataclass(frozen=True, slots=True)
class Follow:
    """One thing to follow, under a name that results are filed by.

    `series` names a definition whose commits are followed in mainline from the beginning, '' where only mail is.
    """

    name: str
    titles: tuple[str, ...]
    authors: tuple[str, ...]
    paths: tuple[str, ...]
    lists: tuple[str, ...] = ()
    series: str = ""

    def takes(self, revision: Revision) -> bool:
        """Whether a posted series is meant, the list apart: for that its first mail must be read."""
        if not (self.titles or self.authors or self.paths or self.lists):
            return False
        titles = [title_key(each.title) for each in revision.members]
        people = {post.address for post in revision.members}
        touched = {path for post in revision.posts for path in post.paths}
        return (
            (not self.titles or any(title_key(words) in title for words in self.titles for title in titles))
            and (not self.authors or any(author.lower() in people for author in self.authors))
            and (not self.paths or any(path.startswith(wanted) for wanted in self.paths for path in touched))
        )

    def reads(self, raw: bytes) -> bool:
        """Whether a mail went to one of the lists: `linux-mm`, `linux-mm@kvack.org` or the List-Id `linux-mm.kvack.org`."""
        head, _ = split(raw)
        unfolded = re.sub(rb"\r?\n[ \t]+", b" ", head).decode("utf-8", "replace")
        fields = re.findall(r"^(?:to|cc|list-id|list-post):(.*)$", unfolded, re.M | re.I)
        found = {word.lower() for field in fields for word in re.findall(r"[^\s<>,;:\"()]+[@.][^\s<>,;:\"()]+", field)}
        names = found | {re.split("[@.]", word)[0] for word in found}
        return any(name.lower() in names for name in self.lists)


@dataclass(frozen=True, slots=True)
class Watch:
    """A whole watch.toml. `results` is absolute."""

    source: Path
    results: Path
    mail: tuple[str, ...]
    kernels: tuple[str, ...]
    branch: str
    targets: tuple[str, ...]
    follows: tuple[Follow, ...]


def load(path: Path) -> Watch:
    """The job that a file describes. InputError names file, line and key for whatever is missing, unknown or misspelt."""
    data, place = toml_file.read(path)
    for key in sorted(set(data) - _TOP):
        raise place.error(f"unknown key {key!r}", key="" if isinstance(data[key], dict | list) else key, then=_known(_TOP))
    follows = tuple(_follow(place, row, number) for number, row in enumerate(toml_file.rows(place, data, "follow")))
    if not follows:
        raise place.error("there is nothing to follow", then="write a [[follow]] with a name and titles, authors or paths")
    names = [follow.name for follow in follows]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise place.error(f"two [[follow]] are called {name}", "follow", number, "name")
    mail = _words(place, data, "", 0, "mail")
    if not mail and not all(follow.series for follow in follows):
        raise place.error("there is no mail to read", key="mail", then='write mail = ["/path/to/archive"]')
    results = toml_file.string(place, data, "", 0, "results") if "results" in data else "results"
    branch = toml_file.string(place, data, "", 0, "branch") if "branch" in data else "HEAD"
    kernels, targets = _words(place, data, "", 0, "kernel"), _words(place, data, "", 0, "targets")
    if targets and not kernels:
        raise place.error("targets need a history", key="targets", then='write kernel = ["/path/to/linux"]')
    return Watch(path, (path.parent / results).absolute(), mail, kernels, branch, targets, follows)


def _follow(place: Place, row: Mapping[str, Any], number: int) -> Follow:
    for key in sorted(set(row) - _FOLLOW):
        raise place.error(f"unknown key {key!r}", "follow", number, key, then=_known(_FOLLOW))
    name = toml_file.string(place, row, "follow", number, "name", NAME.fullmatch, "letters, digits and ._- only")
    titles, authors, paths, lists = (_words(place, row, "follow", number, key) for key in ("titles", "authors", "paths", "list"))
    series = toml_file.string(place, row, "follow", number, "series") if "series" in row else ""
    if not (titles or authors or paths or lists or series):
        then = "give titles, authors, paths, a list or a series"
        raise place.error(f"{name} follows everything", "follow", number, "name", then=then)
    return Follow(name, titles, authors, paths, lists, series)


def _words(place: Place, row: Mapping[str, Any], table: str, number: int, key: str) -> tuple[str, ...]:
    value = row.get(key, [])
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word and word.isprintable() for word in words):
        raise place.error(f"{key} must be a text or a list of texts", table, number, key)
    return tuple(words)


def _known(keys: set[str]) -> str:
    return f"known keys: {', '.join(sorted(keys))}"
