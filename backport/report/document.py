"""report.json: the outcome of a run as a document, for a CI job now and for `backport log` later.

Schema `backport-report/1`, described by report.schema.json beside this file. The bytes are deterministic: keys in the order
of the model, two spaces, UTF-8 as it is, a newline at the end. How bytes become JSON is said in `codec`. `summary` is
counted from the rest, for a reader who wants the totals only; a report whose summary disagrees is refused as damaged.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from importlib import resources
from typing import Any

from backport.model import codec
from backport.model.errors import InputError
from backport.model.result import RunResult
from backport.report import seal
from backport.report.summary import summary

FILE = "report.json"
VERSION = 1
SCHEMA = f"backport-report/{VERSION}"
AGAIN = "run `backport run` again to write the report anew"


def dump(result: RunResult) -> bytes:
    """The document of a run. Equal results give equal bytes, and `load` gives the result back, equal to this one."""
    body = codec.encode(result)
    document = {"schema": SCHEMA, "tool": body.pop("tool"), "summary": summary(result), **body}
    document[seal.KEY] = seal.seal(document)
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    # Half a surrogate pair (a message in a broken declared encoding) has no UTF-8; backslashreplace writes JSON's own \\udXXX.
    return text.encode("utf-8", "backslashreplace")


def load(data: bytes, where: str) -> RunResult:
    """The result that `dump` wrote. Anything else is an InputError that says what is wrong, at `where`, and the way out."""
    result, changed = inspect(data, where)
    if changed:
        raise InputError(f"the report is damaged: {changed[0]} was changed since it was written", where=where, then=AGAIN)
    return result


def inspect(data: bytes, where: str) -> tuple[RunResult, list[str]]:
    """The result in a document, and the places at which that is not as it was sealed. InputError where it is no report at all."""
    document = _parse(data, where)
    _check_schema(document, where)
    names = tuple(field.name for field in fields(RunResult))
    try:
        found = dict(codec.expect_keys(document, ("schema", "summary", *names, seal.KEY), ""))
        told = found.pop("summary")
        del found["schema"], found[seal.KEY]
        result: RunResult = codec.decode(RunResult, found, "")
    except (codec.MismatchError, RecursionError) as error:
        raise InputError(f"the report is damaged: {error}", where=where, then=AGAIN) from None
    if json.dumps(told, sort_keys=True) != json.dumps(summary(result), sort_keys=True):
        raise InputError("the report is damaged: its summary does not agree with the rest", where=where, then=AGAIN)
    return result, seal.broken(document)


def schema() -> bytes:
    """The JSON Schema (draft 2020-12) of the document, as shipped."""
    return resources.files("backport.report").joinpath("report.schema.json").read_bytes()


def _parse(data: bytes, where: str) -> dict[str, Any]:
    try:
        document = json.loads(data.decode("utf-8"))
    except json.JSONDecodeError as error:
        place = f"{where}:{error.lineno}:{error.colno}"
        raise InputError(f"the report is cut off or no JSON ({error.msg})", where=place, then=AGAIN) from None
    except UnicodeDecodeError as error:
        raise InputError(f"the report is not UTF-8 (byte {error.start})", where=where, then=AGAIN) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"the report cannot be read as JSON ({error})", where=where, then=AGAIN) from None
    if not isinstance(document, dict):
        raise InputError("this is JSON, but no backport report", where=where, then=f"name a {FILE} that `backport run` wrote")
    return document


def _check_schema(document: dict[str, Any], where: str) -> None:
    named = document.get("schema")
    match = re.fullmatch(r"backport-report/([1-9][0-9]{0,8})", named) if isinstance(named, str) else None
    if match is None:
        raise InputError("this is JSON, but no backport report", where=where, then=f"name a {FILE} that `backport run` wrote")
    if int(match[1]) > VERSION:
        raise InputError(
            f"the report was written by a newer backport: it is {named}, and this one reads {SCHEMA}",
            where=where,
            then="upgrade backport, or " + AGAIN,
        )
