"""Which zone of a firewall an address is behind: the longest prefix decides, as in a router."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flowbridge.deployment.addresses import EVERYWHERE, PRIVATE, UNUSABLE
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Network
from flowbridge.deployment.zones import INTERNET, networks_behind
from flowbridge.policy.packets.line import Intervals, intervals, without

Zones = Mapping[str, Intervals]
"""The addresses behind each zone, disjoint."""


def zones_of(site: Site, firewall: FirewallOnTheWay) -> Zones:
    """Needs a validated site."""
    by_prefix: list[tuple[int, str, Network]] = []
    outward = ""
    for name, zone in firewall.zones.items():
        if INTERNET in zone.behind:
            outward = name
        by_prefix += [(n.prefixlen, name, n) for n in networks_behind(site, zone.behind)]
    found: dict[str, list[tuple[int, int]]] = {name: [] for name in firewall.zones}
    taken: Intervals = ()
    for _, name, network in sorted(by_prefix, key=lambda each: (-each[0], each[1], str(each[2]))):
        span = intervals([network])
        found[name] += without(span, taken)
        taken = together((taken, span))
    if outward:
        private = PRIVATE if site.network.private is None else site.network.private
        left = without(intervals(EVERYWHERE), intervals((*private, *UNUSABLE)))
        found[outward] += without(left, taken)
    return {name: together([spans]) for name, spans in found.items()}


def together(several: Iterable[Iterable[tuple[int, int]]]) -> Intervals:
    """The union of intervals, sorted and not touching."""
    out: list[tuple[int, int]] = []
    for first, last in sorted(span for spans in several for span in spans):
        # An IPv4 and an IPv6 interval never touch: the line has a gap between the two.
        if out and first <= out[-1][1] + 1:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return tuple(out)


def within(some: Intervals, others: Intervals) -> Intervals:
    """The points that both have."""
    return without(some, without(some, others))
