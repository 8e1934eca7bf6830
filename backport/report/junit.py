"""JUnit XML, which every CI shows: a test suite a target, a test case a patch."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from backport.model.result import RunResult
from backport.report import safe
from backport.report.summary import reason


def render(name: str, results: Sequence[RunResult], failure: str = "") -> bytes:
    """The runs of a series as JUnit XML; with a `failure` and no run, one case that failed. Deterministic: no times."""
    root = Xml.Element("testsuites", name=clean(name))
    for result in results:
        bad = [patch for patch in result.patches if patch.verdict.needs_person]
        blocking = [found for found in result.findings if found.blocks]
        count, failed = str(len(result.patches) + 1), str(len(bad) + bool(blocking))
        suite = Xml.SubElement(root, "testsuite", name=clean(f"{name} onto {result.onto}"), tests=count, failures=failed)
        for patch in result.patches:
            label = clean(f"{patch.upstream[:12]} {patch.subject}")
            case = Xml.SubElement(suite, "testcase", classname=clean(f"{name}.{result.onto}"), name=label)
            if patch.verdict.needs_person:
                told = Xml.SubElement(case, "failure", type=patch.verdict.value, message=clean(reason(patch)))
                told.text = clean("; ".join(f"{c.path.decode('utf-8', 'replace')}:{c.line}" for c in patch.conflicts))
            elif not patch.verdict.landed:
                Xml.SubElement(case, "skipped", message=clean(f"{patch.verdict.value}: {reason(patch)}"))
            for one in (one for one in result.carried if one.commit == patch.upstream):
                Xml.SubElement(case, "system-out").text = clean(one.told)
        case = Xml.SubElement(suite, "testcase", classname=clean(f"{name}.{result.onto}"), name="findings")
        if blocking:
            told = Xml.SubElement(case, "failure", type="drift", message=f"{len(blocking)} errors")
            told.text = clean("; ".join(f"{found.kind} {found.symbol}" for found in blocking))
    if failure:
        suite = Xml.SubElement(root, "testsuite", name=clean(name), tests="1", failures="1")
        case = Xml.SubElement(suite, "testcase", classname=clean(name), name="made into commits")
        Xml.SubElement(case, "failure", type="refused", message=clean(failure))
    Xml.indent(root)
    document: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def clean(text: str) -> str:
    """Text on one line without what XML cannot hold (control characters, half surrogates)."""
    return safe.line(text)
