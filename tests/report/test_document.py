"""report.json: lossless, deterministic, described by its schema, and strict about what it reads."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import jsonschema
import pytest

from backport.model.errors import InputError
from backport.model.verdict import Verdict
from backport.report.document import SCHEMA, dump, load, schema

from . import examples

VALIDATOR = jsonschema.Draft202012Validator(json.loads(schema()))
EXAMPLES = [examples.ksm, examples.with_left_out, examples.with_rules, examples.hostile, examples.empty]


def parsed() -> dict:
    return json.loads(dump(examples.with_left_out()))


@pytest.mark.parametrize("make", EXAMPLES)
def test_round_trip_is_equal_and_bytes_are_stable(make):
    data = dump(make())
    assert load(data, "report.json") == make()
    assert dump(load(data, "report.json")) == data == dump(make())


@pytest.mark.parametrize("make", EXAMPLES)
def test_bytes_are_utf8_indented_and_end_with_one_newline(make):
    text = dump(make()).decode("utf-8")
    assert text.endswith("}\n")
    assert text.startswith('{\n  "schema": "backport-report/1",\n  "tool": ')


@pytest.mark.parametrize("make", EXAMPLES)
def test_schema_accepts_what_is_dumped(make):
    VALIDATOR.validate(json.loads(dump(make())))


def test_schema_is_a_valid_draft_2020_12_schema():
    jsonschema.Draft202012Validator.check_schema(json.loads(schema()))


def test_bytes_that_are_no_utf8_are_base64_and_others_text():
    document = json.loads(dump(examples.hostile()))
    conflict = document["patches"][0]["conflicts"][0]
    assert set(conflict["ours"]) == {"base64"}
    assert conflict["base"] == ""
    assert document["patches"][0]["files"][0]["base"]["mode"] == "120000"
    assert parsed()["patches"][0]["files"][0]["path"] == "mm/ksm.c"


def test_a_name_outside_ascii_stays_readable():
    result = replace(examples.empty(), title="héllo 漢字")
    assert "héllo 漢字".encode() in dump(result)


def test_summary_counts():
    told = parsed()["summary"]
    assert (told["patches"], told["landed"], told["needs_person"]) == (35, 30, True)
    assert list(told["verdicts"]) == [str(verdict) for verdict in Verdict]
    assert told["verdicts"]["conflict"] == told["verdicts"]["suspect"] == 1
    assert told["findings"] == {"error": 1, "warning": 1, "note": 0}


def every_key(node, place=()):
    if isinstance(node, dict):
        for key in node:
            yield (*place, key)
            yield from every_key(node[key], (*place, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from every_key(item, (*place, index))


def without(document, place):
    document = copy.deepcopy(document)
    node = document
    for step in place[:-1]:
        node = node[step]
    del node[place[-1]]
    return document


def test_a_report_with_any_key_missing_is_refused_by_schema_and_by_load():
    document = json.loads(dump(replace(examples.with_left_out(), patches=examples.with_left_out().patches[26:])))
    kinds = {tuple("*" if isinstance(step, int) else step for step in place): place for place in every_key(document)}
    assert len(kinds) > 60
    for place in kinds.values():
        damaged = without(document, place)
        assert not VALIDATOR.is_valid(damaged), place
        with pytest.raises(InputError):
            load(json.dumps(damaged).encode(), "report.json")


@pytest.mark.parametrize("change", ["extra", "wrong type", "wrong word", "bool for number", "bad base64", "bad mode", "summary"])
def test_damage_is_refused_with_place_and_way_out(change):
    document = parsed()
    patch, place = document["patches"][3], ""
    match change:
        case "extra":
            patch["more"], place = 1, "patches[3].more"
        case "wrong type":
            patch["subject"], place = ["x"], "patches[3].subject is a list where text"
        case "wrong word":
            patch["verdict"], place = "fine", "patches[3].verdict is 'fine'"
        case "bool for number":
            document["findings"][0]["line"], place = True, "findings[0].line is true or false"
        case "bad base64":
            patch["files"][0]["path"], place = {"base64": "*"}, "patches[3].files[0].path.base64"
        case "bad mode":
            patch["files"][0]["base"]["mode"], place = "rw", "patches[3].files[0].base.mode"
        case "summary":
            document["summary"]["landed"], place = 31, "summary"
    with pytest.raises(InputError) as caught:
        load(json.dumps(document).encode(), "out/report.json")
    assert place in caught.value.what
    assert caught.value.where == "out/report.json"
    assert "backport run" in caught.value.then


def test_reordered_keys_are_the_same_report():
    assert load(json.dumps(parsed(), sort_keys=True).encode(), "x") == examples.with_left_out()


@pytest.mark.parametrize("cut", [0, 1, 30, 500, 5000, -3])
def test_a_truncated_report_is_refused(cut):
    with pytest.raises(InputError, match="cut off") as caught:
        load(dump(examples.ksm())[:cut], "out/report.json")
    assert caught.value.where.startswith("out/report.json:")
    assert caught.value.then


@pytest.mark.parametrize(
    "data",
    [b"[]", b"null", b"3", b"{}", b'{"schema": 1}', b'{"schema": "other/1"}', b'{"schema": "backport-report/0"}', b"\xff\xfe{}",
     b"[" * 100_000, b'{"schema": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_foreign_data_is_refused(data):
    with pytest.raises(InputError) as caught:
        load(data, "x.json")
    assert caught.value.what
    assert caught.value.then


def test_a_newer_schema_asks_for_an_upgrade():
    document = {**parsed(), "schema": "backport-report/2"}
    with pytest.raises(InputError, match="newer") as caught:
        load(json.dumps(document).encode(), "x.json")
    assert SCHEMA in caught.value.what
    assert "upgrade" in caught.value.then


def test_a_deeply_nested_value_is_refused():
    data = dump(examples.empty()).replace(b'"patches": []', b'"patches": ' + b"[" * 900 + b"]" * 900)
    with pytest.raises(InputError):
        load(data, "x.json")
