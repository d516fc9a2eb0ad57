"""JUnit XML, for the test pages of CI systems: a suite a file, a case a finding."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree as ET

from flowbridge.results.result import Level, Outcome, Result

# XML 1.0 has no character for these.
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def junit(outcome: Outcome) -> str:
    """A case fails for an error and is skipped for a warning; a file without errors has a case
    that passes, so that its name is on the page."""
    suites = ET.Element("testsuites", name=f"flowbridge {outcome.command}")
    for file in outcome.examined:
        found = outcome.of(file)
        errors = [each for each in found if each.level is Level.ERROR]
        suite = ET.SubElement(suites, "testsuite", name=_clean(file))
        if not errors:
            ET.SubElement(suite, "testcase", name="holds", classname=_clean(file))
        for result in found:
            _case(suite, result)
        for text in outcome.incomplete:
            case = ET.SubElement(suite, "testcase", name="read in full", classname=_clean(file))
            ET.SubElement(case, "error", message=_clean(text))
        cases = suite.findall("testcase")
        suite.set("tests", str(len(cases)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", str(len(suite.findall("testcase/error"))))
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _case(suite: ET.Element, result: Result) -> None:
    place = f"{result.file}:{result.line}" if result.line else result.file
    about = result.subject or result.key
    name = f"{result.rule} {about}".strip()
    case = ET.SubElement(suite, "testcase", name=_clean(name), classname=_clean(result.file))
    kinds = {Level.ERROR: "failure", Level.WARNING: "skipped"}
    if result.level in kinds:
        told = ET.SubElement(case, kinds[result.level], message=_clean(result.text))
        told.text = _clean(f"{place}: {result.text}")


def _clean(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
