"""Small deployments and policies for the tests of a cloud's semantics, written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_network

from flowbridge.deployment.file.site import Site, site_of_data
from flowbridge.deployment.interface import Interface, Member
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Filter
from flowbridge.policy.point import Direction, Point
from tests.policy.one_packet import packet, verdict

TCP, UDP, ICMP, ESP, ICMPV6 = 6, 17, 1, 50, 58


def site(cloud: str, tiers: Mapping[str, Mapping[str, object]], **network: object) -> Site:
    """A site of `cloud` with `tiers`; the rest is the least that the model takes."""
    return site_of_data(
        {
            "name": "lab",
            "cloud": cloud,
            "region": "here",
            "network": {"id": "net", **network, "tiers": tiers},
            "services": ["sip-calls"],
        }
    )


def interface(
    key: str, tier: str, *addresses: str, cards: Iterable[str | None] = (), public: str = ""
) -> Interface:
    """`interface("edge/external", "dmz", "10.0.1.11", "10.0.1.12")`: one member an address.

    Several addresses of one member are joined by `+`.
    """
    workload, name = key.split("/")
    attachments = [*cards] or [None] * len(addresses)
    members = tuple(
        Member(
            f"peer-{i}",
            tuple(map(ip_network, address.split("+"))),
            tuple(map(ip_network, public.split())),
            attachment,
        )
        for i, (address, attachment) in enumerate(zip(addresses, attachments, strict=True), 1)
    )
    return Interface(workload=workload, name=name, tier=tier, members=members)


def policy(*interfaces: Interface) -> Policy:
    """A policy without flows: what is enforced does not depend on what is asked."""
    return Policy(tuple(interfaces), {})


def passes(
    filters: Iterable[Filter], peer: str, protocol: int, port: int = 0, source: int = 40000
) -> bool:
    """Whether every one of `filters` lets the one packet through."""
    single = packet(peer, protocol, source, port)
    return all(verdict(stage, single)[0] for stage in filters)


def at(key: str, direction: str) -> Point:
    return Point(key, Direction(direction))
