"""Conditions: every fact a row names is one that deployments state, with a value it can have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from flowbridge.catalog.condition import Condition, Facts
from flowbridge.catalog.load import Entry, load
from flowbridge.catalog.validate import FACT_VALUES
from flowbridge.deployment.file.options import Options


def conditions(entry: Entry) -> Iterator[Condition]:
    for row in (entry.row, entry.row.corrected()):
        yield entry.table.when
        yield row.when
        for cell in (row.source_ports, row.destination_ports):
            yield from (part.when for part in cell.alternatives)


def pairs(condition: Condition) -> Iterator[tuple[str, str]]:
    """Every fact with every value it is compared with, at any depth."""
    for fact, wanted in condition.root.items():
        for part in wanted if isinstance(wanted, list) else [wanted]:
            if isinstance(part, Condition):
                yield from pairs(part)
            else:
                yield fact, part


def option_values(path: str) -> set[str] | None:
    """The values an option can have, as texts; None where they cannot be listed."""
    model: type[BaseModel] = Options
    *sections, name = path.split(".")
    if sections == ["switches"]:
        return set(load().switches[name].choices)
    for section in sections:
        annotation = model.model_fields[section].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        model = annotation
    assert name in model.model_fields, f"there is no option {path}"
    return values(model.model_fields[name].annotation)


def values(annotation: object) -> set[str] | None:
    if annotation is bool:
        return {"true", "false"}
    if get_origin(annotation) is Literal:
        return {str(value) for value in get_args(annotation)}
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if len(parts) == 1:  # optional, or annotated
        return values(parts[0])
    return None


def test_every_option_of_a_condition_exists_and_can_have_the_value() -> None:
    wrong = []
    for entry in load().entries():
        for condition in conditions(entry):
            for fact, value in pairs(condition):
                if fact.startswith("option."):
                    possible = option_values(fact.removeprefix("option."))
                    if possible is not None and value not in possible:
                        wrong.append(f"{entry.id}: {fact} is never {value!r}")
    assert not wrong


def test_an_unknown_option_or_value_would_be_seen() -> None:
    with pytest.raises(AssertionError, match=r"there is no option turn\.tcp_444"):
        option_values("turn.tcp_444")
    assert option_values("cucm.gateway_platform") == {"asr-isr-g3", "isr-g2", "other"}


FACTS: Facts = {
    "size": "large",
    "release": "X12.5",
    "option.oauth": True,
    "service": frozenset({"mra"}),
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({}, True),
        ({"size": "large"}, True),
        ({"size": ["small", "medium"]}, False),
        ({"size": "large", "release": "<X12.5"}, False),
        ({"release": ">=X12.5", "option.oauth": True}, True),
        ({"option.oauth": False}, False),
        ({"service": ["tms", "mra"]}, True),
        ({"service": "tms"}, False),
        ({"not": {"size": "large"}}, False),
        ({"not": {"size": "large", "option.oauth": False}}, True),
        ({"not": {"not": {"size": "large"}}}, True),
        ({"not": {"any": [{"size": "large"}, {"release": "X15.0"}]}}, False),
        ({"any": [{"size": "small"}, {"option.oauth": True}]}, True),
        ({"any": [{"size": "small"}, {"option.oauth": False}]}, False),
    ],
)
def test_a_condition_holds_for_facts(condition: dict[str, object], holds: bool) -> None:
    assert Condition.model_validate(condition).holds(FACTS) is holds


def test_what_is_in_the_way_is_named() -> None:
    condition = Condition.model_validate({"size": ["small", "medium"], "release": ">=X15.0"})
    assert [str(part) for part in condition.unmet(FACTS)] == [
        "size is large, not small or medium",
        "release is X12.5, not >=X15.0",
    ]


def test_what_an_exclusion_excludes_is_named() -> None:
    condition = Condition.model_validate({"not": {"size": "large"}})
    assert [str(part) for part in condition.unmet(FACTS)] == ["size is large, not other than large"]


def test_a_fact_nobody_states_is_a_mistake_of_the_catalog() -> None:
    with pytest.raises(KeyError):
        Condition.model_validate({"colour": "red"}).holds(FACTS)


def test_the_facts_of_a_condition_are_found_at_any_depth() -> None:
    condition = Condition.model_validate({"any": [{"a": "1", "not": {"b": "2"}}, {"c": "3"}]})
    assert condition.facts() == {"a", "b", "c"}


def test_facts_with_fixed_values_are_those_of_the_catalog_page() -> None:
    used = {fact for e in load().entries() for c in conditions(e) for fact in c.facts()}
    others = {fact for fact in used if not fact.startswith("option.")}
    assert others <= set(FACT_VALUES) | {"release", "service", "system"}
