"""The same deployment on three clouds lets the same packets through, up to what each one reports.

What the documents ask for does not depend on the cloud; what a cloud itself needs is rows of a
document of its own, `platform`, and is asked for there only. What is enforced, as read back from
the document, is what is asked for and the excess that the cloud reported, and not a packet besides.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.deployment.interface import Interface
from flowbridge.policy.filter import passes
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.stacks.pipeline import Built
from tests.providers.one_deployment import CLOUDS, Deployment

pytestmark = pytest.mark.slow

SERVICES = (
    "sip-calls",
    "h323-calls",
    "mra",
    "tms",
    "serviceability",
    "email-notification",
    "cms-sip-edge",
    "single-system",
)


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    """Any topology and size of a pair, with a few services."""
    nics = draw(st.sampled_from(["dual", "single"]))
    edge_peers, core_peers = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    services = draw(st.sets(st.sampled_from(SERVICES), max_size=2))
    clustered = {"cluster"} if edge_peers > 1 else set()
    return Deployment(
        nics=nics,
        edge_peers=edge_peers,
        core_peers=core_peers,
        ipv6=draw(st.booleans()),
        cards=draw(st.booleans()),
        networks=draw(st.sampled_from([1, 2, 11])),
        size=draw(st.sampled_from(["small", "medium", "large"])),
        services=("traversal-pair", *sorted(services | clustered)),
        options={
            "nat_reflection": draw(st.sampled_from(["auto", "always", "never"])),
            "gcp": {"rules": draw(st.sampled_from(["vpc-rules", "network-policy"]))},
        },
    )


def built(deployment: Deployment) -> dict[str, Built]:
    """The deployment on every cloud; one that is not possible at all is not tried."""
    with TemporaryDirectory() as folder:
        try:
            return {cloud: deployment.built(cloud, Path(folder)) for cloud in CLOUDS}
        except BadFileError:
            reject()


def points(interfaces: tuple[Interface, ...]) -> list[Point]:
    return [Point(card.key, direction) for card in interfaces for direction in Direction]


def documented(one: Built, point: Point) -> PacketSet:
    """What Cisco's documents ask for at `point`, without what only this cloud needs."""
    return PacketSet.union(
        demand.packets
        for demand in one.policy.demands.get(point, ())
        if not all(row.startswith("platform/") for row in demand.flow.rows)
    )


def enforced(one: Built) -> dict[Point, PacketSet]:
    """What the document lets through at each point."""
    document = json.loads(json.dumps(one.document))
    found = one.provider.enforcement(document, one.policy, one.resolution.site)
    return {point: passes(found[point]) for point in points(one.policy.interfaces)}


def reported(one: Built, point: Point) -> PacketSet:
    """The excess that the cloud's emitter names at `point`."""
    return PacketSet.union(
        excess.packets for excess in one.lowered.excess if excess.where == str(point)
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deployments())
def test_clouds_differ_by_what_they_report_and_nothing_else(deployment: Deployment) -> None:
    on = built(deployment)
    intended: dict[Point, PacketSet] = {}
    for cloud, one in on.items():
        through = enforced(one)
        for point in points(one.policy.interfaces):
            same = documented(one, point)
            assert intended.setdefault(point, same) == same, f"{cloud} {point}: asked for"
            asked = one.policy.intended(point)
            excess = reported(one, point)
            assert not excess & asked, f"{cloud} {point}: reported although asked for"
            left, lost = through[point] - excess - asked, asked - through[point]
            assert not left, f"{cloud} {point}: let through and not reported: {left.example()}"
            assert not lost, f"{cloud} {point}: asked for and refused: {lost.example()}"
