"""The catalog is consistent, and each kind of inconsistency would be seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flowbridge.catalog.guide_rule import Guide, guide
from flowbridge.catalog.load import load
from flowbridge.catalog.row import Row
from flowbridge.catalog.validate import faults_of, guide_problems, problems


def test_the_catalog_is_consistent() -> None:
    assert [str(problem) for problem in problems(load())] == []


def changed(document: str, number: int, change: Callable[[dict[str, Any]], None]) -> list[str]:
    """What is said of a table after `change` to its first row."""
    table = load().table(document, number)
    row = table.rows[0].model_dump(mode="json")
    change(row)
    rows = (Row.model_validate(row), *table.rows[1:])
    return [text for _, text in faults_of(load(), table.model_copy(update={"rows": rows}))]


def put(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda row: row.update(values)


def first_port(**values: Any) -> Callable[[dict[str, Any]], None]:
    return lambda row: row["destination_ports"]["alternatives"][0].update(values)


ERRATUM = {
    "what": "x",
    "why": "x",
    "evidence": [{"document": "cucm", "edition": "ja", "table": 1, "row": 1, "quote": "x"}],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (put(row=2), "rows count from 1 without gaps"),
        (put(line=9000), "the lines of the rows rise"),
        (put(when={"option.sip_tls": "true", "colour": "red"}), "states the fact 'colour'"),
        (put(when={"size": "huge"}), "'huge' is none of"),
        (put(when={"release": "X15"}), "is not a release range"),
        (put(when={"service": "mrra"}), "'mrra' is none of"),
        (put(when={"system": "nobody"}), "'nobody' is none of"),
        (put(when={"any": "x"}), "`any` takes a list of conditions"),
        (put(when={"not": [{"size": "large"}]}), "`not` takes one"),
        (put(footnotes=["‡"]), "the table has no note ‡"),
        (put(source={"printed": "x", "parties": [{"party": "nobody"}]}), "no party 'nobody'"),
        (put(source={"printed": "x"}), "has no parties, so no deployment can use it"),
        (first_port(parameter="nothing"), "there is no parameter 'nothing'"),
        (first_port(ports=[]), "5061 is printed and not read"),
        (first_port(ports=["5061", "5062"]), "5062 is not printed"),
        (first_port(bracketed=True), "`bracketed` marks the ports in square brackets"),
        (put(enabled_by_default=False), "false where all ports are in square brackets"),
        (put(protocol={"printed": "TLS", "l4": ["udp"]}), "'TLS' is tcp"),
        (put(protocol={"printed": None, "l4": ["tcp"]}), "no protocol is printed"),
        (put(disposition="local"), "a note has to say why"),
        (put(errata=[{**ERRATUM, "id": "expressway/1/1/x"}]), "the id starts with expressway/"),
        (put(errata=[{**ERRATUM, "id": "expressway/11/1/x", "correction": {"l4": []}}]), "no cell"),
    ],
)  # fmt: skip
def test_an_inconsistency_is_seen(change: Callable[[dict[str, Any]], None], words: str) -> None:
    """Put into row 7 of table 11, SIP over TLS to 5061, in a table with row 8 behind it."""
    table = load().table("expressway", 11)
    first, second = (
        table.rows[index].model_copy(update={"row": number, "errata": ()})
        for index, number in ((6, 1), (7, 2))
    )
    row = first.model_dump(mode="json")
    change(row)
    rows = (Row.model_validate(row), second)
    small = table.model_copy(update={"notes": (), "added": (), "rows": rows})
    found = [text for _, text in faults_of(load(), small)]
    assert any(words in text for text in found), found


def test_a_bracketed_port_needs_its_switch() -> None:
    table = load().table("expressway", 11)
    row = table.rows[4].model_copy(update={"when": table.when})
    found = [text for _, text in faults_of(load(), table.model_copy(update={"rows": (row,)}))]
    assert "name the option that switches the bracketed port on" in found


def test_a_correction_that_fits_no_row_is_seen() -> None:
    erratum = {**ERRATUM, "id": "cucm/9/1/x", "correction": {"destination_ports": {"port": 1}}}
    found = changed("cucm", 9, put(errata=[erratum]))
    assert any("a correction does not fit the row" in text for text in found)


def test_an_erratum_twice_is_seen() -> None:
    erratum = {**ERRATUM, "id": "cucm/9/1/x"}
    found = changed("cucm", 9, put(errata=[erratum, erratum]))
    assert "cucm/9/1/x stands twice" in found


def test_a_guide_rule_that_nothing_can_break_is_seen() -> None:
    name, rule = "guide/no-alg", guide().root["guide/no-alg"]
    wrong = rule.model_dump(mode="json") | {"when": {"service": "mrra"}}
    (problem,) = guide_problems(load(), Guide.model_validate({name: wrong}))
    assert problem.key == "guide/no-alg.when.service"
    assert "'mrra' is none of" in problem.message
