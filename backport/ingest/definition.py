"""Reads and writes `series.toml`, and tells the line and key of whatever is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backport.ingest import accepted, carried, resolutions, toml_file
from backport.ingest.toml_file import Place, rows, string
from backport.model.attestation import Policy
from backport.model.definition import ConfigValue, DefinedCommit, Definition, Drop, Fold, Topic

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PATCH_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,57}\.patch")
_ID = re.compile(r"[0-9a-f]{12,40}")
_MAIL = re.compile(r"mails/[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*: [^\n\r\0]{1,400}")
_SYMBOL = re.compile(r"[A-Za-z0-9_]+")
_CONFIG_VALUE = re.compile(r'[ymn]|-?[0-9]+|0[xX][0-9a-fA-F]+|"[^"\\\n]*"')
_KEYS = {
    "": {"name", "title", "upstream", "target", "config", "topic", "commit", "fold", "drop", "attestation"},
    "upstream": {"repository", "range"},
    "target": {"onto"},
    "attestation": {"policy"},
    "topic": {"file", "title"},
    "commit": {"id", "subject", "topic", "mail", "strip", "trailers"},
    "fold": {"id", "subject", "into"},
    "drop": {"id", "subject", "reason"},
}


def load(path: Path) -> Definition:
    """The definition in a file. InputError names file, line and key for whatever is missing, unknown, misspelt or twice.

    Findings that `accepted.toml` beside it accepts come with it, and so do the `resolutions/` that were recorded there, and what
    `carried.toml` says of an earlier revision.
    """
    data, place = toml_file.read(path)
    return _definition(data, place)


def _definition(data: Mapping[str, Any], place: Place) -> Definition:
    _refuse_unknown(data, place)
    commits = tuple(_commit(place, row, i) for i, row in enumerate(rows(place, data, "commit")))
    topics = tuple(_topic(place, row, i) for i, row in enumerate(rows(place, data, "topic")))
    drops = tuple(_drop(place, row, i) for i, row in enumerate(rows(place, data, "drop")))
    folds = tuple(_fold(place, row, i) for i, row in enumerate(rows(place, data, "fold")))
    if not commits:
        raise place.error("the series has no [[commit]]", then="`backport series new` writes one from a history")
    _check_ids(place, commits, drops)
    _check_folds(place, commits, drops, folds)
    _check_topics(place, commits, topics)
    upstream, target = _table(place, data, "upstream"), _table(place, data, "target")
    return Definition(
        source=place.source,
        name=string(place, data, "", 0, "name", NAME.fullmatch, "letters, digits and ._- only"),
        title=string(place, data, "", 0, "title"),
        repository=string(place, upstream, "upstream", 0, "repository"),
        range=string(place, upstream, "upstream", 0, "range"),
        onto=string(place, target, "target", 0, "onto"),
        commits=commits,
        drops=drops,
        topics=topics,
        config=_config(place, _table(place, data, "config", optional=True)),
        accepted=accepted.load(place.source.with_name(accepted.FILE)),
        folds=folds,
        recordings=resolutions.load(place.source.with_name(resolutions.FOLDER)),
        carried=carried.load(place.source.with_name(carried.FILE)),
        attestation=_policy(place, _table(place, data, "attestation", optional=True)),
    )


def _refuse_unknown(data: Mapping[str, Any], place: Place) -> None:
    for table, known in _KEYS.items():
        rows = data.get(table, {}) if table else data
        for number, row in enumerate(rows if isinstance(rows, list) else [rows]):
            for key in sorted(set(row) - known) if isinstance(row, dict) else ():
                at = (key, 0, "") if not table and isinstance(row[key], dict | list) else (table, number, key)
                raise place.error(f"unknown key {key!r}", *at, then=f"known keys: {', '.join(sorted(known))}")


def _table(place: Place, data: Mapping[str, Any], table: str, *, optional: bool = False) -> Mapping[str, Any]:
    found = data.get(table, {} if optional else None)
    if not isinstance(found, dict):
        raise place.error(f"the table [{table}] is missing", table)
    return found


def _commit(place: Place, row: Mapping[str, Any], number: int) -> DefinedCommit:
    topic = string(place, row, "commit", number, "topic") if "topic" in row else ""
    mail = string(place, row, "commit", number, "mail", _MAIL.fullmatch, "a file in mails/") if "mail" in row else ""
    strip = row.get("strip", 1)
    if type(strip) is not int or not 0 <= strip <= 9:
        raise place.error("strip must be a number from 0 to 9", "commit", number, "strip")
    return DefinedCommit(
        string(place, row, "commit", number, "id", _ID.fullmatch, "12 to 40 hexadecimal digits"),
        string(place, row, "commit", number, "subject"),
        topic,
        place.line("commit", number, "id"),
        mail,
        strip,
        _trailers(place, row, number),
    )


def _trailers(place: Place, row: Mapping[str, Any], number: int) -> tuple[str, ...]:
    lines = row.get("trailers", [])
    if not isinstance(lines, list) or not all(isinstance(line, str) and _TRAILER.fullmatch(line) for line in lines):
        raise place.error("trailers must be a list of lines such as 'Reviewed-by: Name <address>'", "commit", number, "trailers")
    return tuple(lines)


def _topic(place: Place, row: Mapping[str, Any], number: int) -> Topic:
    rule = "a patch file name: letters, digits and ._- , ending in .patch, at most 64"
    return Topic(
        string(place, row, "topic", number, "file", _PATCH_FILE.fullmatch, rule),
        string(place, row, "topic", number, "title"),
    )


def _drop(place: Place, row: Mapping[str, Any], number: int) -> Drop:
    return Drop(
        string(place, row, "drop", number, "id", _ID.fullmatch, "12 to 40 hexadecimal digits"),
        string(place, row, "drop", number, "subject"),
        string(place, row, "drop", number, "reason"),
        place.line("drop", number, "id"),
    )


def _fold(place: Place, row: Mapping[str, Any], number: int) -> Fold:
    return Fold(
        string(place, row, "fold", number, "id", _ID.fullmatch, "12 to 40 hexadecimal digits"),
        string(place, row, "fold", number, "subject"),
        string(place, row, "fold", number, "into", _ID.fullmatch, "12 to 40 hexadecimal digits"),
        place.line("fold", number, "id"),
    )


def _config(place: Place, table: Mapping[str, Any]) -> tuple[ConfigValue, ...]:
    for symbol in table:
        if not _SYMBOL.fullmatch(symbol) or symbol.startswith("CONFIG_"):
            raise place.error(f"{symbol!r} is no Kconfig symbol (written without CONFIG_)", "config", 0, symbol)
    rule = 'y, m, n, a number, or a string in its own quotes ("\\"text\\"")'
    return tuple(ConfigValue(s, string(place, table, "config", 0, s, _CONFIG_VALUE.fullmatch, rule)) for s in table)


def _policy(place: Place, table: Mapping[str, Any]) -> Policy:
    words = [policy.value for policy in Policy]
    return Policy(string(place, table, "attestation", 0, "policy", words.__contains__, ", ".join(words))) if table else Policy.OFF


def _check_ids(place: Place, commits: Sequence[DefinedCommit], drops: Sequence[Drop]) -> None:
    seen: dict[str, str] = {}
    rows = [("commit", i, c.commit) for i, c in enumerate(commits)] + [("drop", i, d.commit) for i, d in enumerate(drops)]
    for table, number, oid in rows:
        if oid[:12] in seen:
            raise place.error(f"{oid[:12]} is already in the series ({seen[oid[:12]]})", table, number, "id")
        seen[oid[:12]] = f"[[{table}]] number {number + 1}"


def _check_folds(place: Place, commits: Sequence[DefinedCommit], drops: Sequence[Drop], folds: Sequence[Fold]) -> None:
    """A fix goes into an earlier commit of the series that keeps its own place, and only into one."""
    order = {commit.commit[:12]: number for number, commit in enumerate(commits)}
    gone = {fold.commit[:12] for fold in folds}
    dropped = {drop.commit[:12] for drop in drops}
    for number, fold in enumerate(folds):
        mine, into = fold.commit[:12], fold.into[:12]
        if into not in order or into in gone:
            raise place.error(f"{into} is no [[commit]] that keeps its place", "fold", number, "into")
        if mine in dropped or [f.commit[:12] for f in folds].index(mine) != number:
            raise place.error(f"{mine} is dropped or folded elsewhere", "fold", number, "id")
        if mine in order and commits[order[mine]].subject != fold.subject:
            raise place.error(f"{mine} is {commits[order[mine]].subject!r}, not {fold.subject!r}", "fold", number, "subject")
        if order.get(mine, len(order)) <= order[into]:
            raise place.error(f"{mine} does not come after {into}, into which it is folded", "fold", number, "into")


def _check_topics(place: Place, commits: Sequence[DefinedCommit], topics: Sequence[Topic]) -> None:
    """Each topic must be one run of commits: a file that held two runs could not be applied in the order of the series."""
    files = [topic.file for topic in topics]
    for number, name in enumerate(files):
        if name in files[:number]:
            raise place.error(f"two topics write {name}", "topic", number, "file")
    last = ""
    ended: set[str] = set()
    for number, commit in enumerate(commits):
        if topics and commit.topic not in files:
            raise place.error(f"the topic {commit.topic!r} is not among the [[topic]] files", "commit", number, "topic")
        if not topics and commit.topic:
            raise place.error("there is no [[topic]] of that name", "commit", number, "topic")
        if commit.topic in ended:
            then = "list the commits of a topic one after the other"
            raise place.error(f"the topic {commit.topic!r} was left and is taken up again", "commit", number, "topic", then=then)
        if commit.topic != last:
            ended.add(last)
            last = commit.topic
    for number, name in enumerate(files):
        if name not in {c.topic for c in commits}:
            raise place.error(f"no commit belongs to {name}", "topic", number, "file")


def dump(definition: Definition) -> bytes:
    """The bytes of a series.toml that `load` reads back as the same definition."""
    import tomlkit

    document = tomlkit.document()
    document.update({"name": definition.name, "title": definition.title})
    document["upstream"] = {"repository": definition.repository, "range": definition.range}
    document["target"] = {"onto": definition.onto}
    if definition.attestation is not Policy.OFF:
        document["attestation"] = {"policy": definition.attestation.value}
    if definition.config:
        document["config"] = {value.symbol: value.value for value in definition.config}
    tables: dict[str, list[Any]] = {
        "topic": [{"file": topic.file, "title": topic.title} for topic in definition.topics],
        "commit": [_row(commit) for commit in definition.commits],
        "fold": [{"id": fold.commit, "subject": fold.subject, "into": fold.into} for fold in definition.folds],
        "drop": [{"id": drop.commit, "subject": drop.subject, "reason": drop.reason} for drop in definition.drops],
    }
    for name, items in tables.items():
        if items:
            document[name] = tomlkit.aot()
            for row in items:
                document[name].append(tomlkit.item(row))
    return re.sub(r"(?<!\n)\n(?=\[)", "\n\n", tomlkit.dumps(document)).encode()


def _row(commit: DefinedCommit) -> dict[str, str | int | list[str]]:
    row: dict[str, str | int | list[str]] = {"id": commit.commit, "subject": commit.subject}
    if commit.topic:
        row["topic"] = commit.topic
    if commit.mail:
        row["mail"] = commit.mail
    if commit.strip != 1:
        row["strip"] = commit.strip
    if commit.trailers:
        row["trailers"] = list(commit.trailers)
    return row
