"""What a cloud itself needs: rows of no service, by cloud and by switch."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from flowbridge.deployment.flow import Flow
from flowbridge.deployment.selection.resolution import Outcome, Resolution
from tests.deployment.files import DUAL, Data, resolved, setting

ROUTER = {"addresses": ["10.0.255.1"]}
PROBED = setting(
    DUAL,
    services=["traversal-pair", "jabber-guest"],
    systems={
        **DUAL["systems"],
        "jabber-guest": {"addresses": ["10.0.10.31"]},
        "load-balancer": {"addresses": ["10.0.3.0/28"]},
    },
    options__jabber_guest__translator="load-balancer",
)


def platform(resolution: Resolution) -> dict[str, tuple[Flow, ...]]:
    """The flows of each row of ours."""
    return {
        selected.id: selected.flows
        for selected in resolution.selected
        if selected.id.startswith("platform/")
    }


def on(cloud: str, data: Data, **changes: Any) -> Data:
    """`data` on another cloud, named as that cloud names things."""
    out = setting(copy.deepcopy(data), cloud=cloud, **changes)
    names: dict[str, dict[str, Any]] = {
        "aws": {"id": "vpc-0a1b2c3d4e5f60718"},
        "azure": {"resource_group": "uc", "vnet": "uc"},
        "gcp": {"project": "uc-edge-prod", "id": "inner", "networks": {"external": "outer"}},
    }
    out["network"] = {**names[cloud], "tiers": out["network"]["tiers"]}
    return out


def test_nothing_is_opened_or_said_unless_asked_for() -> None:
    assert platform(resolved(DUAL)) == {}


def test_path_mtu_opens_the_outer_card_to_the_internet_and_no_more() -> None:
    flows = platform(resolved(setting(DUAL, options__platform__path_mtu=True)))
    opened = {row: listed for row, listed in flows.items() if listed}
    assert set(opened) == {"platform/1/1", "platform/1/2"}
    (inward,), (outward,) = opened.values()
    assert inward.destination.key == outward.source.key == "expressway-e/external"
    assert inward.source.interface is outward.destination.interface is None


def test_routers_inside_reach_every_workload_by_its_inner_card() -> None:
    systems = {**DUAL["systems"], "path-router": ROUTER}
    data = setting(DUAL, options__platform__path_mtu=True, systems=systems)
    flows = platform(resolved(data))["platform/1/3"]
    assert {flow.destination.key for flow in flows} == {
        "expressway-e/internal",
        "expressway-c/single",
        "cucm/single",
    }


@pytest.mark.parametrize(
    ("cloud", "rows"), [("aws", {1, 2, 5, 6}), ("gcp", {5, 6}), ("azure", set())]
)
def test_each_cloud_has_what_it_needs(cloud: str, rows: set[int]) -> None:
    both = {"external": ["10.0.1.11", "2001:db8:1::11"], "internal": "10.0.2.11"}
    peers = [{**both, "public": "203.0.113.11"}]
    tiers = {
        "dmz": {"cidrs": ["10.0.1.0/24", "10.0.2.0/24", "2001:db8:1::/64"]},
        "internal": {"cidrs": ["10.0.10.0/24"]},
    }
    data = setting(
        DUAL,
        options__platform__path_mtu=True,
        expressway_e__peers=peers,
        network__tiers=tiers,
    )
    flows = platform(resolved(on(cloud, data)))
    assert {row for row, listed in flows.items() if listed} == {f"platform/1/{n}" for n in rows}


@pytest.mark.parametrize(
    ("cloud", "row", "sources"),
    [
        ("aws", 1, {"10.0.3.0/28"}),
        ("azure", 2, {"168.63.129.16/32"}),
        ("gcp", 3, {"35.191.0.0/16", "130.211.0.0/22"}),
    ],
)
def test_probes_reach_the_translated_ports_of_the_outer_card(
    cloud: str, row: int, sources: set[str]
) -> None:
    found = platform(resolved(on(cloud, PROBED)))
    assert set(found) == {f"platform/2/{row}"}
    (flow,) = found[f"platform/2/{row}"]
    assert set(map(str, flow.source.addresses)) == sources
    assert flow.destination.key == "expressway-e/external"
    assert [str(span) for span in flow.destination_ports] == ["9443", "9980"]


def test_without_a_translator_there_are_no_probes() -> None:
    data = setting(PROBED, options__jabber_guest__translator="none")
    assert platform(resolved(data)) == {}


def test_a_proxy_stands_for_the_guests_on_google_cloud_only() -> None:
    for cloud, outcome in (
        ("aws", Outcome.CARRIED),
        ("azure", Outcome.CARRIED),
        ("gcp", Outcome.OTHER),
    ):
        outcomes = {s.id: s.outcome for s in resolved(on(cloud, PROBED)).selected}
        assert outcomes["expressway/20/4"] is outcome
        assert outcomes["expressway/20/5"] is Outcome.CARRIED  # media goes to Expressway-E itself
