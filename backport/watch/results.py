"""Walks one thing that is new down the stair for every target, and puts the result in its place in one step."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from backport import pipeline
from backport.carry import Earlier, carry
from backport.ingest import catalog
from backport.ingest.definition import load
from backport.model.definition import Definition
from backport.model.errors import BackportError
from backport.model.progress import Progress
from backport.model.result import RunResult
from backport.package import atomic
from backport.report import document, junit, sarif
from backport.report.markdown import code, prose, render
from backport.watch.config import Follow, Watch
from backport.watch.state import Event, State

WORK = ".new-"
PATCHES = "patches"


def sweep(results: Path) -> None:
    """Remove what a round that was killed has left: the lock is ours, so nobody works there."""
    for left in results.glob(f"{WORK}*"):
        shutil.rmtree(left, ignore_errors=True)


def handle(
    watch: Watch,
    follow: Follow,
    label: str,
    events: Sequence[Event],
    define: Callable[[Path], Definition],
    state: State,
    progress: Progress,
) -> None:
    """Run what `define` writes below a folder onto each target, and record the events that it is about, all in one step.

    An error of ours makes them events that failed: it would be the same in the next round.
    """
    first = state.next_number
    name = f"{first:05d}-{follow.name}-{re.sub(r'[^A-Za-z0-9.-]', '-', label)}"
    events = [replace(event, number=first + place, folder=name) for place, event in enumerate(events)]
    results: list[RunResult] = []
    with tempfile.TemporaryDirectory(prefix=WORK, dir=watch.results) as folder:
        work = Path(folder) / name
        work.mkdir()
        try:
            if watch.targets:
                definition, note = _carried(watch, follow, define(work / PATCHES), state)
                results = [_run(watch, definition, target, work, progress) for target in watch.targets]
                events = [replace(event, said="; ".join(filter(None, [event.said, note]))) for event in events]
            person = any(result.needs_person for result in results)
            events = [replace(event, status="person") if person else event for event in events]
        except BackportError as error:
            why = str(error).replace(f"{folder}/", "")  # a name that is another each time
            events = [replace(event, status="failed", said=f"{event.said}: {why}") for event in events]
        _write(work, follow, events, results)
        final = watch.results / name
        shutil.rmtree(final, ignore_errors=True)  # of a round that was killed before it was written down
        work.rename(final)
    state.record(*events)


def _run(watch: Watch, definition: Definition, target: str, work: Path, progress: Progress) -> RunResult:
    return pipeline.run(pipeline.Options(definition, watch.kernels, target, work / _slug(target), srpm=False), progress)


def _slug(target: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "-", target)


def _carried(watch: Watch, follow: Follow, new: Definition, state: State) -> tuple[Definition, str]:
    """The definition with what holds of the last result of this follow, and a note on that. What cannot be compared is said.

    What people decided lies in that result's own folder of definitions, or in `patches/` beside watch.toml.
    """
    own = watch.source.parent / PATCHES
    last = next((e.folder for e in reversed(state.events()) if e.follow == follow.name and _defined(watch, e.folder)), "")
    known = _defined(watch, last) if last else own / follow.name / "series.toml"
    if not known or not known.is_file():
        return new, ""
    try:
        definition = catalog.decided(load(known), [own])
        reports = [watch.results / last / _slug(target) / pipeline.REPORT for target in watch.targets]
        results = tuple(document.load(path.read_bytes(), str(path)) for path in reports if last and path.is_file())
        made, left = carry(Earlier(definition, last or f"{PATCHES}/{follow.name}", results), new, watch.kernels)
    except BackportError as error:
        return new, f"nothing carried over from {last or own}: {error}"
    behind = left.resolutions + left.accepted
    note = f"{len(made.carried)} of them as in {last or own}" if made.carried else ""
    return made, note + (f", {behind} decisions left behind" if behind else "")


def _defined(watch: Watch, folder: str) -> Path | None:
    """The definition in a result."""
    found = sorted((watch.results / folder / PATCHES).glob("*/series.toml")) if folder else []
    return found[0] if found else None


def _write(work: Path, follow: Follow, events: Sequence[Event], results: Sequence[RunResult]) -> None:
    atomic.put(work / "events.json", (json.dumps([as_json(event) for event in events], indent=2) + "\n").encode())
    failure = next((event.said for event in events if event.status == "failed"), "")
    atomic.put(work / "junit.xml", junit.render(follow.name, results, failure))
    atomic.put(work / "summary.md", "\n".join([_head(follow, events), *map(render, results)]).encode())
    if results:
        findings = [found for result in results for found in result.findings]
        atomic.put(work / "findings.sarif", sarif.render(findings, results[0].tool.partition(" ")[2]))


def _head(follow: Follow, events: Sequence[Event]) -> str:
    lines = [f"- {event.kind}: {code(event.title)}, {prose(event.said)} ({event.status})" for event in events]
    return "\n".join([f"# {prose(follow.name)}", "", *lines, ""])


def as_json(event: Event) -> dict[str, object]:
    """What --on-change gets on its standard input and what events.json lists; event.schema.json describes it."""
    return {
        "schema": "backport-watch/1", "key": event.key, "kind": event.kind, "follow": event.follow, "title": event.title,
        "date": event.date, "status": event.status, "folder": event.folder, "said": event.said, "number": event.number,
    }  # fmt: skip
