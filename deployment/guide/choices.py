"""Several open ways to the same end: options that leave a choice open, switches for one task.

The port guide, chapter 2: not all ports of the tables have to be open where there are several
kinds of connection for one task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.catalog.condition import Condition
from flowbridge.catalog.guide_rule import guide
from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.guide.situation import Case, Situation
from flowbridge.deployment.selection.resolution import Selected

RULE: Final = "guide/close-unused-ports"
SEVERAL: Final = ("both", "all")
"""Values that select more than one of an option's alternatives."""

MANY: Final = 4

Opened = Mapping[str, frozenset[PortRange]]
"""Ports that are open because of an option, by the option's fact."""


def several_ways(situation: Situation) -> Iterator[Case]:
    """The options that open more than one way, each with its ports."""
    opened = _opened(situation)
    named = [*_left_open(situation, opened), *_switched_on(situation, opened)]
    if named:
        yield Case({"choices": "; ".join(named)})


def _left_open(situation: Situation, opened: Opened) -> Iterator[str]:
    """`options.mra.uds_port is both (443, 8443)`."""
    for fact, spans in sorted(opened.items()):
        if situation.facts[fact] in SEVERAL and len(spans) > 1:
            yield f"{_option(fact)} is {situation.facts[fact]} ({_shown(spans)})"


def _switched_on(situation: Situation, opened: Opened) -> Iterator[str]:
    """`options.ldap.plain (389) and options.ldap.encrypted (636)`."""
    for group in guide().root[RULE].alternatives:
        on = [fact for fact in group if situation.facts[fact] is True and fact in opened]
        if len(on) > 1:
            yield " and ".join(f"{_option(fact)} ({_shown(opened[fact])})" for fact in on)


def _opened(situation: Situation) -> Opened:
    found: dict[str, frozenset[PortRange]] = {}
    for selected in situation.carried:
        for fact in _facts_in(selected, situation):
            found[fact] = found.get(fact, frozenset()) | _spans(selected, fact, situation)
    return found


def _facts_in(selected: Selected, situation: Situation) -> frozenset[str]:
    """The options that have to be as they are for the row's ports to be open."""
    parts = [part.when for part in selected.row.destination_ports.alternatives]
    met = [part for part in parts if not part.unmet(situation.facts)]
    conditions = [selected.row.when, *met]
    return frozenset(
        fact
        for condition in conditions
        for fact, wanted in condition.root.items()
        if fact.startswith("option.") and _chosen(wanted)
    )


def _chosen(wanted: Any) -> bool:
    """Whether a condition asks for one way; one met by every value of an option does not."""
    if isinstance(wanted, Condition):
        return False
    return not isinstance(wanted, list) or len(wanted) <= len(SEVERAL)


def _spans(selected: Selected, fact: str, situation: Situation) -> frozenset[PortRange]:
    """The open ports of the row that hang on this option."""
    cell = selected.row.destination_ports.alternatives
    met = [part for part in cell if not part.when.unmet(situation.facts)]
    mine = [part for part in met if fact in part.when.root]
    if mine:
        return frozenset(span for part in mine for span in part.ports)
    return frozenset(span for flow in selected.flows for span in flow.destination_ports)


def _option(fact: str) -> str:
    return f"options.{fact.removeprefix('option.')}"


def _shown(spans: frozenset[PortRange]) -> str:
    if len(spans) > MANY:
        return "several ranges"
    return ", ".join(map(str, sorted(spans, key=lambda span: (span.first, span.last))))
