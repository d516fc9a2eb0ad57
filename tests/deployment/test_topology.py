"""Which interface, which address and which port a row means, by topology."""

from __future__ import annotations

import pytest

from flowbridge.deployment.finding import Severity
from flowbridge.deployment.selection.resolution import Outcome
from tests.deployment.files import (
    DUAL,
    SINGLE,
    Data,
    complaints,
    flows,
    line,
    problems,
    resolved,
    row,
    setting,
)

NAT = {"network__tiers__internal__nat": ["198.51.100.7"]}
CLUSTER = setting(
    DUAL,
    expressway_e__peers=[
        {"external": f"10.0.1.{n}", "internal": f"10.0.2.{n}", "public": f"203.0.113.{n}"}
        for n in (11, 12, 13)
    ],
    expressway_c__peers=[{"address": "10.0.10.11"}, {"address": "10.0.10.12"}],
    services=["traversal-pair", "sip-calls", "cluster"],
)


def lines(resolution_of: dict[str, object], row_id: str) -> list[str]:
    return [line(flow) for flow in flows(resolved(resolution_of), row_id)]


def test_dual_nic_meets_the_inside_on_its_inner_card() -> None:
    for row_id in ("expressway/6/1", "expressway/11/1", "expressway/11/9", "expressway/17/1"):
        assert {f.destination.key for f in flows(resolved(DUAL), row_id)} == {
            "expressway-e/internal"
        }
    assert lines(DUAL, "expressway/11/1") == [
        "expressway-c/single 10.0.10.11 -> expressway-e/internal 10.0.2.11 tcp 7001"
    ]


def test_dual_nic_meets_the_internet_on_its_outer_card() -> None:
    for row_id in ("expressway/11/7", "expressway/11/14", "expressway/16/1"):
        assert {f.destination.key for f in flows(resolved(DUAL), row_id)} == {
            "expressway-e/external"
        }
    assert lines(DUAL, "expressway/11/7") == [
        "remote-sip-endpoint 0.0.0.0 -> expressway-e/external 203.0.113.11 tcp 5061"
    ]


def test_a_standalone_edge_asks_the_servers_that_there_are() -> None:
    """Table 4 is for any single Expressway; an edge in a DMZ often has external servers only."""
    data = setting(
        DUAL,
        expressway_c=None,
        services=["single-system"],
        systems={
            "dns-external": {"addresses": ["192.0.2.53"]},
            "ntp-external": {"addresses": ["192.0.2.123"]},
        },
    )
    assert lines(data, "expressway/4/+6") == [
        "expressway-e/external 203.0.113.11 -> dns-external 192.0.2.53 udp 53",
        "expressway-e/external 203.0.113.11 -> dns-external 192.0.2.53 tcp 53",
    ]
    assert lines(data, "expressway/4/+7") == [
        "expressway-e/external 203.0.113.11 -> ntp-external 192.0.2.123 udp 123",
    ]
    assert row(resolved(data), "expressway/4/+4").outcome is Outcome.ABSENT


def test_external_servers_are_met_on_the_outer_card() -> None:
    data = setting(DUAL, **{"systems__dns-external": {"addresses": ["192.0.2.53"]}})
    assert lines(data, "expressway/6/5") == [
        "expressway-e/external 203.0.113.11 -> dns-external 192.0.2.53 udp 53",
        "expressway-e/external 203.0.113.11 -> dns-external 192.0.2.53 tcp 53",
    ]


def test_a_cloud_service_is_met_on_the_outer_card() -> None:
    """Row 19/2 prints Expressway-E without a side; its other end is on the internet."""
    data = setting(DUAL, **{"systems__webex-identity": {"addresses": ["192.0.2.80"]}})
    (flow,) = flows(resolved(data), "expressway/19/2")
    assert flow.source.key == "expressway-e/external"
    assert flow.destination.host_names == ("idbroker.webex.com",)


def test_the_outer_card_by_its_private_address() -> None:
    """Row 20/3 prints `プライベート IP (外部 NIC)`: private, and yet the outer card."""
    data = setting(
        DUAL,
        services=["traversal-pair", "jabber-guest"],
        **{"systems__jabber-guest": {"addresses": ["10.9.1.4"]}},
    )
    assert {f.destination.key for f in flows(resolved(data), "expressway/20/3")} == {
        "expressway-e/external"
    }
    assert {f.destination.key for f in flows(resolved(data), "expressway/20/9")} == {
        "expressway-e/internal"
    }


def test_single_nic_meets_everybody_on_its_one_card() -> None:
    resolution = resolved(setting(SINGLE, **NAT))
    ends = {
        end.key
        for flow in resolution.flows
        for end in (flow.source, flow.destination)
        if end.party == "expressway-e"
    }
    assert ends == {"expressway-e/single"}


def test_inner_tier() -> None:
    data = setting(
        DUAL,
        network__tiers__inside={"cidrs": ["10.0.3.0/24"]},
        expressway_e__internal_tier="inside",
        expressway_e__peers__0__internal="10.0.3.11",
    )
    tiers = {interface.key: interface.tier for interface in resolved(data).interfaces}
    assert (tiers["expressway-e/external"], tiers["expressway-e/internal"]) == ("dmz", "inside")


def test_cluster_rows_are_between_peers_of_one_workload() -> None:
    """A row of cluster traffic is for either Expressway, each within itself and on inner cards."""
    assert {
        (f.source.key, f.destination.key) for f in flows(resolved(CLUSTER), "expressway/9/2")
    } == {
        ("expressway-c/single", "expressway-c/single"),
        ("expressway-e/internal", "expressway-e/internal"),
    }


def test_every_peer_is_an_end() -> None:
    (flow,) = flows(resolved(CLUSTER), "expressway/11/7")
    assert [str(network) for network in flow.destination.addresses] == [
        "203.0.113.11/32",
        "203.0.113.12/32",
        "203.0.113.13/32",
    ]


def test_one_peer_is_no_cluster() -> None:
    resolution = resolved(setting(DUAL, services=["traversal-pair", "cluster"]))
    assert row(resolution, "expressway/9/2").outcome is Outcome.ABSENT
    assert "two or more peers" in row(resolution, "expressway/9/2").reason
    assert [found.id for found in complaints(resolution)] == ["deployment/empty-service"]


def test_the_release_decides_the_cluster_tables() -> None:
    old = resolved(setting(CLUSTER, release="X8.7"))
    new = resolved(CLUSTER)
    assert row(old, "expressway/8/1").outcome is Outcome.CARRIED
    assert row(old, "expressway/9/1").outcome is Outcome.OTHER
    assert row(new, "expressway/8/1").outcome is Outcome.OTHER
    assert row(new, "expressway/9/1").outcome is Outcome.CARRIED
    assert {flow.protocol.label for flow in flows(old, "expressway/8/1")} == {"ah"}


def test_systems_with_a_tier_are_workloads_and_others_are_not() -> None:
    resolution = resolved(DUAL)
    (to_cucm,) = flows(resolution, "expressway/18/3")
    (to_imp,) = flows(resolution, "expressway/18/11")
    assert to_cucm.destination.interface is not None
    assert to_cucm.destination.interface.tier == "internal"
    assert to_imp.destination.interface is None


def test_an_expressway_elsewhere_is_a_system() -> None:
    data = setting(
        DUAL, expressway_c=None, **{"systems__expressway-c": {"addresses": ["10.8.0.11"]}}
    )
    assert lines(data, "expressway/11/1") == [
        "expressway-c 10.8.0.11 -> expressway-e/internal 10.0.2.11 tcp 7001"
    ]
    assert row(resolved(data), "expressway/18/3").outcome is Outcome.CARRIED
    assert row(resolved(data), "expressway/18/11").outcome is Outcome.ELSEWHERE


def test_an_absent_party_names_the_key_to_add() -> None:
    selected = row(resolved(DUAL), "expressway/18/15")
    assert selected.outcome is Outcome.ABSENT
    assert selected.reason.endswith("add systems.unity.addresses")
    webex = row(resolved(DUAL), "expressway/19/1")
    assert "stand for fos-a.wbx2.com in systems.webex-onboarding.addresses" in webex.reason


def test_a_switch_names_itself() -> None:
    selected = row(resolved(DUAL), "expressway/11/5")
    assert selected.outcome is Outcome.OFF
    assert selected.reason.startswith("options.sip_udp is false")
    opened = row(resolved(setting(DUAL, options__sip_udp=True)), "expressway/11/5")
    assert opened.outcome is Outcome.CARRIED


def test_sip_tcp_is_on_by_default_before_x8_9_2() -> None:
    for release, outcome in (("X8.9.1", Outcome.CARRIED), ("X8.9.2", Outcome.OFF)):
        assert row(resolved(setting(DUAL, release=release)), "expressway/11/6").outcome is outcome


def test_an_internet_party_can_be_narrowed() -> None:
    data = setting(DUAL, **{"systems__offpremises-endpoint": {"addresses": ["198.51.100.0/24"]}})
    (flow,) = flows(resolved(data), "expressway/16/1")
    assert list(map(str, flow.source.addresses)) == ["198.51.100.0/24"]
    assert flow.destination.key == "expressway-e/external"


def test_errata_printed_uses_the_rows_as_they_stand() -> None:
    """Row 5/1 is printed without a destination, and the Assent RTCP row 11/+1 not at all."""
    printed = resolved(setting(DUAL, options__errata="printed"))
    assert row(printed, "expressway/5/1").outcome is Outcome.UNPRINTED
    assert "expressway/11/+1" not in {selected.id for selected in printed.selected}
    assert flows(resolved(DUAL), "expressway/5/1")
    assert flows(resolved(DUAL), "expressway/11/+1")


def test_ports_without_a_number_have_to_be_supplied() -> None:
    """Row 7/4: the port of the user's own proxy."""
    data = setting(
        DUAL,
        services=["smart-licensing"],
        options__smart_licensing__transport="proxy",
        **{"systems__smart-proxy": {"addresses": ["10.30.0.9"]}},
    )
    missing = resolved(data)
    assert row(missing, "expressway/7/4").outcome is Outcome.ABSENT
    assert [f.key for f in missing.findings if f.severity is Severity.REFUSAL] == [
        "options.ports.smart-proxy"
    ]
    given = setting(data, options__ports={"smart-proxy": [3128, "8080-8081"]})
    (flow, _) = flows(resolved(given), "expressway/7/4")
    assert list(map(str, flow.destination_ports)) == ["3128", "8080-8081"]
    assert not complaints(resolved(given))


def test_a_port_is_asked_for_only_where_its_row_would_use_it() -> None:
    data = setting(DUAL, services=["smart-licensing"], options__smart_licensing__transport="proxy")
    assert not [f for f in resolved(data).findings if f.severity is Severity.REFUSAL]


@pytest.mark.parametrize("single", [True, False])
def test_ipv6_is_taken_wherever_addresses_are(single: bool) -> None:
    """Both families go where both ends have them; one end's IPv4 alone leaves IPv4 alone."""
    tiers = {
        "dmz": {"cidrs": ["10.0.1.0/24", "10.0.2.0/24", "2001:db8:1::/48"]},
        "internal": {"cidrs": ["10.0.10.0/24", "2001:db8:2::/48"], "nat": ["198.51.100.7"]},
    }
    peer = (
        {"address": ["10.0.1.11", "2001:db8:1::11"]}
        if single
        else {
            "external": ["10.0.1.11", "2001:db8:1::11"],
            "internal": ["10.0.2.11", "2001:db8:1::1:11"],
        }
    )
    data = setting(
        SINGLE if single else DUAL,
        network__tiers=tiers,
        expressway_e__peers=[{**peer, "public": "203.0.113.11"}],
        expressway_c__peers=[{"address": ["10.0.10.11", "2001:db8:2::11"]}],
    )
    resolution = resolved(data)
    (outside,) = flows(resolution, "expressway/11/7")
    assert list(map(str, outside.source.addresses)) == ["0.0.0.0/0", "::/0"]
    assert list(map(str, outside.destination.addresses)) == [
        "203.0.113.11/32",
        "2001:db8:1::11/128",
    ]
    inside = flows(resolution, "expressway/11/1")
    for ends in ([flow.source for flow in inside], [flow.destination for flow in inside]):
        assert {network.version for end in ends for network in end.addresses} == {4, 6}
    (to_imp,) = flows(resolution, "expressway/18/11")
    assert list(map(str, to_imp.source.addresses)) == ["10.0.10.11/32"]


def test_ends_without_a_common_family_make_no_flow() -> None:
    data = setting(DUAL, systems__imp__addresses=["2001:db8:9::31"])
    resolution = resolved(data)
    assert row(resolution, "expressway/18/11").outcome is Outcome.ELSEWHERE
    (found,) = complaints(resolution)
    assert (found.id, found.key) == ("deployment/missing-value", "systems.imp.addresses")
    assert found.message.startswith("expressway-c (IPv4) and imp (IPv6) have no IP version")
    assert found.source == "row expressway/18/11, expressway/18/12, expressway/18/13"


def test_a_system_at_the_address_of_a_card_here_is_pointed_out() -> None:
    data = setting(DUAL, systems__imp__addresses=["10.20.0.31", "10.0.10.11"])
    (found,) = complaints(resolved(data))
    assert (found.id, found.key) == ("deployment/shared-address", "systems.imp.addresses")
    assert "10.0.10.11 is expressway-c/single here" in found.message
    # A range around cards is nothing out of the ordinary, nor are two systems on one host.
    for addresses in (["10.0.0.0/8"], ["10.0.10.2"]):
        assert not complaints(resolved(setting(DUAL, systems__imp__addresses=addresses)))


def test_a_host_that_plays_two_parts_has_the_flows_of_both() -> None:
    data = setting(DUAL, systems__imp__addresses=["10.20.0.31", "10.0.10.21"])
    resolution = resolved(data)
    assert not complaints(resolution)
    assert "deployment/several-parts" in {found.id for found in resolution.findings}
    flows = row(resolution, "expressway/18/12").flows
    assert {flow.destination.key for flow in flows} == {"cucm/single", "imp"}
    elsewhere = next(flow for flow in flows if flow.destination.key == "imp")
    assert [str(address) for address in elsewhere.destination.addresses] == ["10.20.0.31/32"]


def test_unified_cm_plays_the_media_streaming_where_no_other_is_listed() -> None:
    def ends(**changes: object) -> set[str]:
        flows = row(resolved(setting(DUAL, **changes)), "ours/2/2").flows
        return {flow.source.key for flow in flows}

    assert ends() == {"cucm/single"}
    assert ends(**{"systems__ip-vms": {"addresses": ["10.0.10.99"]}}) == {"ip-vms"}


def test_expressways_without_a_common_family_are_named() -> None:
    data = setting(
        DUAL,
        network__tiers__internal__cidrs=["10.0.10.0/24", "2001:db8:2::/48"],
        expressway_c__peers=[{"address": "2001:db8:2::11"}],
    )
    told = {(found.key, found.message.split(" have ")[0]) for found in complaints(resolved(data))}
    assert ("expressway_c.peers", "expressway-c (IPv6) and expressway-e (IPv4)") in told
    assert ("systems.dns.addresses", "expressway-c (IPv6) and dns (IPv4)") in told


CORE_HALF: Data = setting(
    DUAL,
    services=["traversal-pair", "jabber-guest"],
    expressway_e=None,
    **{
        "systems__expressway-e": {"addresses": ["10.2.2.11"]},
        "systems__jabber-guest": {"tier": "internal", "addresses": ["10.0.10.41"]},
    },
)


@pytest.mark.parametrize(
    ("cards", "rows"),
    [
        ("dual", ["expressway/20/10", "expressway/20/7", "expressway/20/9"]),
        (
            "single",
            [f"expressway/21/{n}" for n in (11, 13, 6, 7, 8)],
        ),
    ],
)
def test_the_cards_of_an_edge_elsewhere_decide_the_rows_of_jabber_guest(
    cards: str, rows: list[str]
) -> None:
    data = setting(CORE_HALF, **{"systems__expressway-e__nics": cards})
    carried = [
        selected.id
        for selected in resolved(data).selected
        if selected.outcome is Outcome.CARRIED and selected.table.service == "jabber-guest"
    ]
    assert sorted(carried) == rows


def test_cards_that_nobody_names_are_asked_for_once() -> None:
    (found,) = [one for one in resolved(CORE_HALF).findings if "is not given" in one.message]
    assert found.id == "deployment/empty-service"
    assert found.message == (
        "the service jabber-guest opens nothing here: "
        "systems.expressway-e.nics is not given; the row is for dual; "
        "systems.expressway-e.nics is not given; the row is for single"
    )


def test_only_expressway_e_has_cards() -> None:
    (problem,) = problems(setting(DUAL, systems__cucm__nics="single"))
    assert problem.key == "systems.cucm.nics"


def test_a_trunk_listens_on_a_port_of_its_own() -> None:
    data = setting(DUAL, services=["traversal-pair", "sip-calls", "mra", "sip-trunk"])
    assert not complaints(resolved(data))
    ports = [flow.destination_ports for flow in row(resolved(data), "ours/10/1").flows]
    assert [str(span) for spans in ports for span in spans] == ["6061"]
    (found,) = complaints(resolved(setting(data, **{"options__ports__sip-trunk": 5061})))
    assert (found.id, found.key) == ("deployment/sip-trunk-port", "options.ports.sip-trunk")
