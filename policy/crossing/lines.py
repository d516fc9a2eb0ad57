"""The flows that cross a firewall, as lines: each end by the address that the firewall sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.deployment.flow import Flow
from flowbridge.policy.crossing.crossing import Crossing, crossings_of
from flowbridge.policy.crossing.zones import Zones, within
from flowbridge.policy.packets.line import Intervals, intervals
from flowbridge.policy.questions.flow_list import FlowLine, Side, in_line, own_addresses


def lines_at(
    flows: Iterable[Flow], firewall: FirewallOnTheWay, zones: Zones
) -> tuple[FlowLine, ...]:
    """A line for each flow that crosses `firewall`, in the order of `flow_lines`."""
    return in_line(line for flow in flows for line in _lines(flow, firewall, zones))


def _lines(flow: Flow, firewall: FirewallOnTheWay, zones: Zones) -> Iterator[FlowLine]:
    for crossing in crossings_of([flow], firewall, zones).found:
        yield _seen(flow, crossing)


def _seen(flow: Flow, crossing: Crossing) -> FlowLine:
    """By its own address where the firewall is before the NAT of an end, else as it is met."""
    line = FlowLine.of(flow, Side.BETWEEN)
    own_source, own_destination = own_addresses(flow.source), own_addresses(flow.destination)
    if flow.source.translated and _all_in(crossing.sources, intervals(own_source)):
        line = replace(line, source_addresses=own_source)
    if flow.destination.translated and _all_in(crossing.destinations, intervals(own_destination)):
        line = replace(line, destination_addresses=own_destination)
    return line


def _all_in(some: Intervals, others: Intervals) -> bool:
    return bool(some) and within(some, others) == some
