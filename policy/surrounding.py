"""Hosts beside the cards: whoever else stands in a subnet whose filter is ours meets it too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flowbridge.deployment.interface import Interface, Member, Network
from flowbridge.policy.filter import Enforcement, Filter
from flowbridge.policy.point import Direction, Point


@dataclass(frozen=True, slots=True)
class Surrounding:
    """`anyone` is any host of one subnet that is no card of the deployment, `filters` what the
    subnet's own filter decides for it. What else that host is behind (its own groups) is not
    known here."""

    anyone: Interface
    filters: Mapping[Direction, tuple[Filter, ...]]


def anyone_in(tier: str, subnet: str, cidrs: tuple[Network, ...]) -> Interface:
    """The interface that stands for every host of `subnet`; its key, `tier dmz/subnet-0aa`, is
    no interface's of a workload."""
    return Interface(
        workload=f"tier {tier}", name=subnet, tier=tier, members=(Member(str(cidrs[0]), cidrs),)
    )


def with_surroundings(enforcement: Enforcement, around: Iterable[Surrounding]) -> Enforcement:
    """`enforcement`, and the filters of `around` at points of their own."""
    beside = {
        Point(each.anyone.key, direction): filters
        for each in around
        for direction, filters in each.filters.items()
    }
    return {**enforcement, **beside} if beside else enforcement
