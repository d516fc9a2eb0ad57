"""Protocols that exist in one IP version only are asked for in that version only."""

from __future__ import annotations

from flowbridge.deployment.selection.resolution import Outcome
from tests.deployment.files import DUAL, flows, resolved, row, setting

DUAL_STACK = setting(
    DUAL,
    network__tiers__internal__cidrs=["10.0.10.0/24", "2001:db8:2::/48"],
    systems__cucm__addresses=["10.0.10.21", "2001:db8:2::21"],
    systems__endpoint={"addresses": ["10.30.0.0/16", "2001:db8:30::/48"]},
    services=["cucm-common"],
)


def test_icmp_is_asked_of_ipv4_addresses_alone() -> None:
    (echo,) = flows(resolved(DUAL_STACK), "cucm/2/1")
    for end in (echo.source, echo.destination):
        assert {network.version for network in end.addresses} == {4}


def test_icmp_between_ipv6_addresses_alone_is_asked_of_nobody() -> None:
    data = setting(
        DUAL_STACK,
        systems__cucm__addresses=["2001:db8:2::21"],
        systems__endpoint__addresses=["2001:db8:30::/48"],
    )
    resolution = resolved(data)
    echo = row(resolution, "cucm/2/1")
    assert echo.outcome is Outcome.OTHER
    assert echo.reason == "icmp is of IPv4, and the ends of this row have IPv6 in common"
    for selected in resolution.selected:
        assert (selected.outcome is Outcome.CARRIED) == bool(selected.flows), selected.id


def test_what_runs_over_both_versions_keeps_both() -> None:
    versions = {
        network.version
        for flow in resolved(DUAL_STACK).flows
        if flow.protocol.has_ports and flow.source.key == "endpoint"
        for network in (*flow.source.addresses, *flow.destination.addresses)
    }
    assert versions == {4, 6}


def test_a_public_ipv6_address_takes_nothing_from_ipv4() -> None:
    """A manager with a public address meets Expressway-C by its own, private in IPv4."""
    data = setting(
        DUAL_STACK,
        expressway_c__peers=[{"address": ["10.0.10.11", "2001:db8:2::11"]}],
        systems__snmp_manager={"addresses": ["203.0.113.250"]},
        services=["serviceability"],
    )
    data["systems"]["snmp-manager"] = data["systems"].pop("snmp_manager")
    queries = flows(resolved(data), "expressway/29/1")
    (query,) = (flow for flow in queries if flow.destination.party == "expressway-c")
    assert [str(network) for network in query.source.addresses] == ["203.0.113.250/32"]
    assert [str(network) for network in query.destination.addresses] == ["10.0.10.11/32"]
