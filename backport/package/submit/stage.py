"""Submits an SRPM to Koji and follows its task: target first, then upload, build, and (if asked) the end of it with its logs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backport.model.errors import InputError
from backport.model.progress import Progress
from backport.package import atomic, escape
from backport.package.submit import commands, record
from backport.package.submit.commands import Wish
from backport.package.submit.hub import Hub, LostConnectionError
from backport.package.submit.record import Record

_ENDED = ("CLOSED", "CANCELED", "FAILED")
_LOGS = ("build.log", "mock_output.log", "root.log")
_LARGEST = 8 << 20  # bytes of a log that are fetched, its last ones; Fedora's kernel build.log has 5 MB
_PIECE = 1 << 20
_LOST = 10  # polls in a row without an answer before we leave the task to itself


@dataclass(frozen=True, slots=True)
class Submitted:
    """A task: its number, page, state when last seen (a word of Koji's), why it failed, and the logs fetched."""

    task: int
    url: str
    state: str
    reason: str = ""
    logs: tuple[Path, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the build ended, and not well."""
        return self.state in ("FAILED", "CANCELED")


def submit(wish: Wish, progress: Progress, *, wait: bool, resume: bool, config: Path | None = None) -> Submitted:
    """Submit the SRPM, or with `resume` go on with a submission that was interrupted; follow it where `wait` is set.

    The hub accepts any target and any source string and fails an hour later, so the target is asked for first. The number of the
    task is on disk before anything else is done with it.
    """
    commands.check(wish.srpm)
    hub = Hub(wish.profile, config)
    try:
        user = _login(hub, progress)
        task = _task(hub, wish, progress, resume=resume)
        progress.stage("build", 0)
        progress.step(f"task {task} of {user}: {hub.url(task)}")
        if not wait:
            progress.done(f"task {task} submitted: {hub.url(task)}")
            return Submitted(task, hub.url(task), hub.state(_info(hub, task)["state"]))
        return _follow(hub, wish, task, progress)
    finally:
        hub.close()


def _login(hub: Hub, progress: Progress) -> str:
    progress.stage("login", 0)
    user = hub.login()
    progress.done(f"{user} at {hub.server}")
    return user


def _task(hub: Hub, wish: Wish, progress: Progress, *, resume: bool) -> int:
    """The task of this submission: the one on record, the one that the hub has of this very upload, or a new one."""
    digest = atomic.sha256(wish.srpm)
    known = record.load(wish.srpm) if resume else None
    if resume and known is None:
        raise InputError("there is nothing to resume", where=str(record.path_of(wish.srpm)), then="submit without --resume")
    if known is not None and known.sha256 != digest:
        raise InputError("the SRPM is not the one that was submitted", where=str(wish.srpm), then="submit without --resume")
    if known is not None and known.task:
        return known.task
    _check_target(hub, wish)
    entry = known or Record(digest, wish.profile, wish.target, wish.scratch, f"cli-build/backport-{digest[:16]}")
    source = f"{entry.upload}/{wish.srpm.name}"
    task = _already_there(hub, source) if known is not None else 0
    if not task:
        record.save(wish.srpm, entry)
        _upload(hub, wish, entry.upload, progress)
        task = int(hub.call("build", source, wish.target, {"scratch": True} if wish.scratch else {}))
    record.save(wish.srpm, replace(entry, task=task))
    return task


def _check_target(hub: Hub, wish: Wish) -> None:
    found = hub.call("getBuildTarget", wish.target)
    if not found:
        raise InputError(f"the hub has no build target {wish.target!r}", where=hub.server, then="see `koji list-targets`")
    tag = hub.call("getTag", found["dest_tag"])
    if tag and tag.get("locked") and not wish.scratch:
        raise InputError(
            f"the tag of the target, {found.get('dest_tag_name')}, is locked", where=hub.server, then="use --scratch"
        )


def _already_there(hub: Hub, source: str) -> int:
    """The newest task of ours that builds this upload: the hub had taken the call, and only its answer was lost."""
    user = hub.call("getLoggedInUser")
    tasks = hub.call("listTasks", {"owner": user["id"], "method": "build", "decode": True}, {"limit": 50, "order": "-id"})
    return next((int(t["id"]) for t in tasks if (t.get("request") or [None])[0] == source), 0)


def _upload(hub: Hub, wish: Wish, folder: str, progress: Progress) -> None:
    size = wish.srpm.stat().st_size
    progress.stage("upload", max(1, -(-size // _PIECE)))
    hub.upload(
        wish.srpm, folder, lambda done, total: progress.step(f"{done / 1e6:.1f} of {total / 1e6:.1f} MB") if done else None
    )
    progress.done(f"{wish.srpm.name}, {size / 1e6:.1f} MB")


def _follow(hub: Hub, wish: Wish, task: int, progress: Progress) -> Submitted:
    """Ask until the task has ended. A hub that stops answering for a while is asked again; the task goes on without us."""
    last, lost = "", 0
    while True:
        try:
            info = _info(hub, task)
            lost = 0
        except LostConnectionError:
            lost += 1
            if lost == _LOST:
                raise
            time.sleep(hub.config["poll_interval"])
            continue
        state = hub.state(info["state"])
        if state != last:
            progress.step(f"task {task} {state}")
            last = state
        if state in _ENDED:
            return _ended(hub, wish, task, state, progress)
        time.sleep(hub.config["poll_interval"])


def _ended(hub: Hub, wish: Wish, task: int, state: str, progress: Progress) -> Submitted:
    if state == "CLOSED":
        progress.done(f"task {task} built it: {hub.url(task)}")
        return Submitted(task, hub.url(task), state)
    reason = hub.result(task) if state == "FAILED" else "canceled"
    logs = _logs(hub, task, wish.srpm.parent / f"koji-{task}", progress)
    return Submitted(task, hub.url(task), state, reason, tuple(logs))


def _logs(hub: Hub, task: int, folder: Path, progress: Progress) -> list[Path]:
    """The logs of every part of the task that failed, in a folder beside the SRPM."""
    parts = [t for found in hub.call("getTaskDescendents", task).values() for t in found]
    failed = [t for t in parts if hub.state(t["state"]) == "FAILED"] or [{"id": task, "arch": ""}]
    fetched = []
    for part in {t["id"]: t for t in failed}.values():
        output: Mapping[str, Any] = hub.call("listTaskOutput", part["id"], stat=True)
        for name in [n for n in _LOGS if n in output]:
            size = int(output[name].get("st_size", 0))
            folder.mkdir(exist_ok=True)
            place = folder / escape.file_name(f"{int(part['id'])}-{part.get('arch') or 'noarch'}-{name}")
            atomic.put(place, _tail(hub, part["id"], name, size))
            progress.step(f"{place.name}, {size / 1e3:.0f} kB")
            fetched.append(place)
    return fetched


def _tail(hub: Hub, task: int, name: str, size: int) -> bytes:
    pieces, place = [], max(0, size - _LARGEST)
    while place < size:
        piece = hub.call("downloadTaskOutput", task, name, offset=place, size=min(_PIECE, size - place))
        if not piece:
            break
        pieces.append(piece)
        place += len(piece)
    return b"".join(pieces)


def _info(hub: Hub, task: int) -> Mapping[str, Any]:
    info = hub.call("getTaskInfo", task)
    if not info:
        raise InputError(f"the hub has no task {task}", where=hub.server, then="submit without --resume")
    return dict(info)
