"""Every documented row becomes flows in some deployment, at the ports that its document prints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import pytest

from flowbridge.catalog.load import Entry, load
from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.selection.resolution import Outcome, Resolution
from tests.catalog.comparison import BY_HAND, EPHEMERAL, numbers
from tests.deployment.files import resolved
from tests.deployment.sites import NAMED_PORTS, VARIANTS

NEVER_CARRIED = {
    # ICE passthrough from one endpoint on the internet to another: no firewall of ours is between.
    "expressway/15/1": Outcome.ELSEWHERE,
    # Phantom ports inside Unified CM: "does not occur between systems".
    "cucm/3/2": Outcome.REPLY,
    "cucm/7/19": Outcome.LOCAL,
    # "Traffic is on local host only", says the port chapter of IM and Presence of each.
    **dict.fromkeys(
        (
            "imp/1/5",
            "imp/2/2",
            "imp/6/1",
            "imp/7/1",
            "imp/7/2",
            "imp/7/3",
            "imp/10/3",
            "imp/13/1",
        ),
        Outcome.LOCAL,
    ),
    # "Blocked; internal use only", says the guide of Unity Connection; 1/31 are client ports.
    **dict.fromkeys((f"unity/1/{n}" for n in (5, 9, 10, 12, 16, 22, 30, 31)), Outcome.LOCAL),
    # Devices and Video Mesh nodes that nobody runs here meet Webex past every firewall of ours.
    **dict.fromkeys((f"webex/1/{n}" for n in range(2, 8)), Outcome.ELSEWHERE),
}
"""Rows that can be in no deployment's rules, by what they are instead."""

# Ends of carried ranges that a row's cell does not print, and why they are right.
UNPRINTED = {
    "cucm/2/4": {53},  # prints the ephemeral port of whoever asks the DNS server (erratum)
    "cucm/2/5": {53},  # likewise
    "cucm/2/7": {67},  # prints 68, the DHCP client's own port (erratum)
    "cucm/2/14": {547},  # prints 546, the DHCPv6 client's own port (erratum)
}
CONFIGURED = {"admin-https": {443, 8443, 8444}, "admin-ssh": {22, 5022}}
"""What deployments here set for a parameter that a row prints a default for."""


@cache
def variant(name: str) -> Resolution:
    return resolved(VARIANTS[name])


def outcomes() -> dict[str, set[Outcome]]:
    found: dict[str, set[Outcome]] = {}
    for name in VARIANTS:
        for selected in variant(name).selected:
            found.setdefault(selected.id, set()).add(selected.outcome)
    return found


def documented() -> list[Entry]:
    """The 371 printed rows of the port tables, those of errata, and those of the e-mail text."""
    return [entry for entry in load().entries() if entry.table.service is not None]


def test_the_tables_are_whole() -> None:
    printed = [entry for entry in documented() if entry.added is None]
    counts = {
        document: sum(entry.table.document == document for entry in printed)
        for document in ("expressway", "cucm")
    }
    assert counts == {"expressway": 232, "cucm": 139}


@pytest.mark.slow
def test_every_row_is_carried_by_some_deployment() -> None:
    reached = outcomes()
    unreached = [
        entry.id
        for entry in documented()
        if Outcome.CARRIED not in reached.get(entry.id, set()) and entry.id not in NEVER_CARRIED
    ]
    assert not unreached
    for row_id, outcome in NEVER_CARRIED.items():
        assert outcome in reached[row_id]
        assert Outcome.CARRIED not in reached[row_id]


def flows_of(row_id: str) -> Iterable[tuple[str, Flow]]:
    for name in VARIANTS:
        for selected in variant(name).selected:
            if selected.id == row_id:
                yield from ((name, flow) for flow in selected.flows)


def ends(spans: Iterable[PortRange]) -> set[int]:
    return {number for span in spans for number in (span.first, span.last)}


def supplied(entry: Entry) -> set[int]:
    """The ends of the ports that deployments here give for a name or a default of the row."""
    found: set[int] = set()
    for part in entry.row.corrected().destination_ports.alternatives:
        if part.parameter in NAMED_PORTS:
            found |= ends([PortRange.parse(NAMED_PORTS[part.parameter])])
        found |= CONFIGURED.get(part.parameter or "", set())
    return found


def printed_ends(entry: Entry) -> set[int]:
    """The ends of the printed ranges of a row, and of the cell that an erratum puts in its place,
    by the reading of the tests."""
    place = f"{entry.id}/destination_ports"
    if place in BY_HAND:
        return BY_HAND[place]
    cells = (entry.row.destination_ports, entry.row.corrected().destination_ports)
    texts = [cell.printed or "" for cell in cells]
    found = {number for text in texts for number in numbers(text)}
    if any(re.search("エフェメラル|Eph", text) for text in texts):
        found |= set.union(*EPHEMERAL)
    return found


def judged() -> list[Entry]:
    """Printed rows with ports to compare."""
    return [
        entry
        for entry in documented()
        if entry.id not in NEVER_CARRIED
        and entry.added is None
        and not entry.row.sources  # ours: nothing is printed
        and any(protocol.has_ports for protocol in entry.row.corrected().protocol.l4)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("service", load().services)
def test_what_is_opened_is_printed(service: str) -> None:
    for entry in judged():
        if entry.table.service == service:
            opened = {end for _, flow in flows_of(entry.id) for end in ends(flow.destination_ports)}
            known = printed_ends(entry) | supplied(entry) | UNPRINTED.get(entry.id, set())
            assert opened <= known, entry.id


@pytest.mark.slow
@pytest.mark.parametrize("service", load().services)
def test_what_is_printed_is_opened_by_some_deployment(service: str) -> None:
    for entry in judged():
        if entry.table.service != service:
            continue
        opened = [span for _, flow in flows_of(entry.id) for span in flow.destination_ports]
        cell = entry.row.corrected().destination_ports
        if any(part.example for part in cell.alternatives) or entry.id in UNPRINTED:
            continue  # an example is never opened by itself
        wanted = BY_HAND.get(f"{entry.id}/destination_ports", numbers(cell.printed or ""))
        missing = {number for number in wanted if not any(number in span for span in opened)}
        assert not missing, entry.id
