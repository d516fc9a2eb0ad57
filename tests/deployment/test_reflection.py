"""NAT reflection: by release and topology, with the addresses that firewalls really see."""

from __future__ import annotations

import pytest

from flowbridge.deployment.finding import Severity
from flowbridge.deployment.selection.facts import facts_of
from flowbridge.deployment.selection.resolution import Outcome
from tests.deployment.files import (
    DUAL,
    SINGLE,
    Data,
    complaints,
    flows,
    problems,
    resolved,
    row,
    setting,
    site,
)

NAT = {"network__tiers__internal__nat": ["198.51.100.7"]}
CMS = {"systems__cms": {"tier": "internal", "addresses": ["10.0.10.31"]}}
ADMIN = {"options__admin__https_port": 7443}
PROXY: Data = setting(DUAL, services=["traversal-pair", "cms-web-proxy"], **CMS, **ADMIN)
PEERS = [
    {"external": f"10.0.1.{n}", "internal": f"10.0.2.{n}", "public": f"203.0.113.{n}"}
    for n in (11, 12)
]


@pytest.mark.parametrize(
    ("release", "peers", "needed"),
    [
        ("X12.5.2", 1, True),
        ("X12.5.3", 1, False),
        ("X15.0", 1, False),
        ("X12.5.3", 2, True),
        ("X12.5.4", 2, True),
        ("X12.5.5", 2, False),
    ],
)
def test_relays_need_reflection_by_release_and_cluster(
    release: str, peers: int, needed: bool
) -> None:
    data = setting(PROXY, release=release, expressway_e__peers=PEERS[:peers])
    assert facts_of(site(data))["reflection"] is needed
    outcome = row(resolved(data), "expressway/24/11").outcome
    assert outcome is (Outcome.CARRIED if needed else Outcome.OTHER)


@pytest.mark.parametrize(("mode", "needed"), [("always", True), ("never", False)])
def test_the_option_overrules_the_release(mode: str, needed: bool) -> None:
    for release in ("X12.5.2", "X15.0"):
        data = setting(PROXY, release=release, options__nat_reflection=mode)
        assert facts_of(site(data))["reflection"] is needed


def test_nothing_is_reflected_without_a_public_address() -> None:
    data = setting(PROXY, release="X12.5.2", expressway_e__peers__0__public=None)
    assert facts_of(site(data))["reflection"] is False


def test_reflected_relays_see_every_peers_public_address_both_ways() -> None:
    data = setting(PROXY, release="X12.5.2", expressway_e__peers=PEERS)
    for flow in flows(resolved(data), "expressway/24/11"):
        assert (flow.source.key, flow.destination.key) == ("expressway-e/external",) * 2
        for end in (flow.source, flow.destination):
            assert end.translated
            assert list(map(str, end.addresses)) == ["203.0.113.11/32", "203.0.113.12/32"]


def test_from_x12_5_5_cluster_peers_meet_at_the_private_address_of_the_outer_card() -> None:
    data = setting(PROXY, expressway_e__peers=PEERS)
    for flow in flows(resolved(data), "expressway/24/12"):
        assert (flow.source.key, flow.destination.key) == ("expressway-e/external",) * 2
        assert not flow.source.translated
        assert list(map(str, flow.destination.addresses)) == ["10.0.1.11/32", "10.0.1.12/32"]
    assert row(resolved(PROXY), "expressway/24/12").outcome is Outcome.LOCAL


def test_core_reaches_a_single_nic_edge_by_its_public_address_from_the_nat_gateways() -> None:
    resolution = resolved(setting(SINGLE, **NAT))
    for row_id in ("expressway/11/1", "expressway/11/9", "expressway/17/1", "expressway/17/2"):
        (flow,) = flows(resolution, row_id)
        assert list(map(str, flow.source.addresses)) == ["198.51.100.7/32"]
        assert list(map(str, flow.destination.addresses)) == ["203.0.113.11/32"]
        assert flow.source.translated
        assert flow.destination.translated


def test_a_nat_gateway_takes_other_source_ports() -> None:
    """Behind it the 25000-29999 of the row are gone; a host's own public address keeps them."""
    (behind,) = flows(resolved(setting(SINGLE, **NAT)), "expressway/11/1")
    assert list(map(str, behind.source_ports)) == ["25000-29999"]
    assert list(map(str, behind.arriving_ports)) == ["1024-65535"]
    own = setting(SINGLE, expressway_c__peers=[{"address": "10.0.10.11", "public": "198.51.100.9"}])
    (direct,) = flows(resolved(own), "expressway/11/1")
    assert list(map(str, direct.arriving_ports)) == ["25000-29999"]
    assert list(map(str, direct.source.addresses)) == ["198.51.100.9/32"]


BOTH_VERSIONS: Data = setting(
    SINGLE,
    network__tiers__dmz__cidrs=["10.0.1.0/24", "2001:db8:1::/64"],
    network__tiers__internal__cidrs=["10.0.10.0/24", "2001:db8:10::/64"],
    expressway_e__peers=[{"address": ["10.0.1.11", "2001:db8:1::11"], "public": "203.0.113.11"}],
    expressway_c__peers=[{"address": ["10.0.10.11", "2001:db8:10::11"]}],
)


def test_ipv6_passes_no_nat_gateway_and_keeps_its_source_ports() -> None:
    data = setting(BOTH_VERSIONS, **NAT)
    arriving = {
        tuple(map(str, flow.source.addresses)): list(map(str, flow.arriving_ports))
        for flow in flows(resolved(data), "expressway/11/1")
    }
    assert arriving == {
        ("198.51.100.7/32",): ["1024-65535"],
        ("2001:db8:10::11/128",): ["25000-29999"],
    }


def test_a_hosts_own_public_address_comes_before_the_nat_gateways() -> None:
    data = setting(
        SINGLE,
        **NAT,
        expressway_c__peers=[{"address": "10.0.10.11", "public": "198.51.100.9"}],
    )
    (flow,) = flows(resolved(data), "expressway/11/1")
    assert list(map(str, flow.source.addresses)) == ["198.51.100.9/32"]


def test_hosts_with_and_without_a_public_address_are_both_admitted() -> None:
    """The second peer has none and leaves by the gateway; without one, the file is asked for it."""
    peers = [{"address": "10.0.10.11", "public": "198.51.100.9"}, {"address": "10.0.10.12"}]
    (flow,) = flows(resolved(setting(SINGLE, **NAT, expressway_c__peers=peers)), "expressway/11/1")
    assert list(map(str, flow.source.addresses)) == ["198.51.100.7/32", "198.51.100.9/32"]
    assert list(map(str, flow.arriving_ports)) == ["1024-65535"]
    without = resolved(setting(SINGLE, expressway_c__peers=peers))
    warnings = {found.key for found in without.findings if found.severity is Severity.WARNING}
    assert KEY in warnings
    (flow,) = flows(without, "expressway/11/1")
    assert list(map(str, flow.source.addresses)) == ["198.51.100.9/32"]


KEY = "expressway_c.peers[].public or network.tiers.internal.nat"


def test_an_unknown_nat_address_is_asked_for_and_private_ones_serve_until_then() -> None:
    """A host without a way out cannot reach a public address: its packets go by private ones."""
    resolution = resolved(SINGLE)
    warnings = [found for found in resolution.findings if found.severity is Severity.WARNING]
    assert KEY in {found.key for found in warnings}
    assert row(resolution, "expressway/11/1").outcome is Outcome.CARRIED
    (flow,) = flows(resolution, "expressway/11/1")
    assert list(map(str, flow.source.addresses)) == ["10.0.10.11/32"]
    assert list(map(str, flow.destination.addresses)) == ["10.0.1.11/32"]
    assert not flow.destination.translated


def test_an_unknown_nat_address_is_asked_for_beside_known_ipv6() -> None:
    resolution = resolved(BOTH_VERSIONS)
    warnings = [found for found in resolution.findings if found.severity is Severity.WARNING]
    assert KEY in {found.key for found in warnings}
    (flow,) = flows(resolution, "expressway/11/1")
    assert list(map(str, flow.source.addresses)) == ["10.0.10.11/32", "2001:db8:10::11/128"]
    assert list(map(str, flow.destination.addresses)) == ["10.0.1.11/32", "2001:db8:1::11/128"]
    assert not flow.source.translated
    demanded = resolved(setting(BOTH_VERSIONS, options__nat_reflection="always"))
    refusals = [found for found in demanded.findings if found.severity is Severity.REFUSAL]
    assert {found.key for found in refusals} == {KEY}


def test_reflection_that_is_demanded_needs_its_address() -> None:
    resolution = resolved(setting(SINGLE, options__nat_reflection="always"))
    refusals = [found for found in resolution.findings if found.severity is Severity.REFUSAL]
    assert {found.key for found in refusals} == {KEY}
    assert row(resolution, "expressway/11/1").outcome is Outcome.ABSENT


def test_management_and_the_way_back_stay_private() -> None:
    resolution = resolved(setting(SINGLE, **NAT))
    (admin,) = flows(resolution, "expressway/6/1")
    assert list(map(str, admin.destination.addresses)) == ["10.0.1.11/32"]
    # Row 24/3 is printed without a side: management is from inside all the same.
    printed = resolved(
        setting(
            SINGLE,
            **NAT,
            **CMS,
            services=["traversal-pair", "cms-web-proxy"],
            options__errata="printed",
        )
    )
    (web,) = flows(printed, "expressway/24/3")
    assert list(map(str, web.destination.addresses)) == ["10.0.1.11/32"]
    (dns, _) = flows(resolution, "expressway/6/4")
    assert list(map(str, dns.source.addresses)) == ["10.0.1.11/32"]


@pytest.mark.parametrize("data", [DUAL, setting(SINGLE, options__nat_reflection="never")])
def test_private_addresses_where_nothing_is_reflected(data: Data) -> None:
    (flow,) = flows(resolved(data), "expressway/11/1")
    assert list(map(str, flow.source.addresses)) == ["10.0.10.11/32"]
    assert not flow.source.translated
    assert not flow.destination.translated


def test_meeting_server_to_the_public_relays() -> None:
    """Row 24/13 prints the public address at either number of cards; without a known NAT address
    it is left out with a warning, since media then fall back to 3478 (footnote 13)."""
    without = resolved(PROXY)
    assert row(without, "expressway/24/13").outcome is Outcome.ABSENT
    assert [(found.severity, found.id) for found in complaints(without)] == [
        (Severity.WARNING, "deployment/missing-value")
    ]
    (flow,) = flows(resolved(setting(PROXY, **NAT)), "expressway/24/13")
    assert flow.destination.key == "expressway-e/external"
    assert list(map(str, flow.source.addresses)) == ["198.51.100.7/32"]
    assert list(map(str, flow.destination.addresses)) == ["203.0.113.11/32"]
    never = resolved(setting(PROXY, options__nat_reflection="never"))
    assert row(never, "expressway/24/13").outcome is Outcome.OFF


def test_on_premises_hosts_arrive_from_the_address_they_give() -> None:
    data = setting(
        SINGLE,
        expressway_c=None,
        **{
            "systems__expressway-c": {
                "addresses": ["10.8.0.11"],
                "public": ["192.0.2.11"],
            }
        },
    )
    (flow,) = flows(resolved(data), "expressway/11/1")
    assert list(map(str, flow.source.addresses)) == ["192.0.2.11/32"]
    assert list(map(str, flow.destination.addresses)) == ["203.0.113.11/32"]


def elsewhere(**edge: object) -> Data:
    """Expressway-C and Meeting Server here, Expressway-E in another deployment."""
    return setting(
        PROXY,
        **NAT,
        expressway_e=None,
        **{"systems__expressway-e": {"addresses": ["10.2.2.11"], **edge}},
    )


def test_the_public_address_of_an_edge_elsewhere_is_used_where_a_row_prints_it() -> None:
    """Row 24/13 prints the public address, row 24/10 the private one."""
    resolution = resolved(elsewhere(public=["203.0.113.21"]))
    (relays,) = flows(resolution, "expressway/24/13")
    assert list(map(str, relays.destination.addresses)) == ["203.0.113.21/32"]
    assert list(map(str, relays.source.addresses)) == ["198.51.100.7/32"]
    (requests,) = flows(resolution, "expressway/24/10")
    assert list(map(str, requests.destination.addresses)) == ["10.2.2.11/32"]


def test_an_edge_elsewhere_is_not_reflected_where_that_is_never_done() -> None:
    data = setting(elsewhere(public=["203.0.113.21"]), options__nat_reflection="never")
    never = row(resolved(data), "expressway/24/13")
    assert never.outcome is Outcome.OFF
    assert "options.nat_reflection is never" in never.reason


OFFICE: Data = setting(
    DUAL,
    services=["traversal-pair", "cms-web-proxy"],
    **ADMIN,
    expressway_c=None,
    **{
        "systems__expressway-c": {"addresses": ["10.40.0.11"], "public": ["198.51.100.40"]},
        "systems__cms": {"addresses": ["10.40.0.51"], "public": ["198.51.100.40"]},
    },
)


def test_systems_elsewhere_may_be_behind_one_public_address() -> None:
    """An office has one address outside: its Expressway-C and its Meeting Server share it."""
    assert not problems(OFFICE)
    (relays,) = flows(resolved(OFFICE), "expressway/24/13")
    assert list(map(str, relays.source.addresses)) == ["198.51.100.40/32"]


@pytest.mark.parametrize(
    "changes",
    [
        {"systems__cms__public": ["203.0.113.11"]},  # Expressway-E's own
        {
            "systems__cms": {
                "tier": "internal",
                "addresses": ["10.0.10.31"],
                "public": ["198.51.100.40"],
            }
        },
    ],
)
def test_a_public_address_of_a_host_here_is_its_own(changes: dict[str, object]) -> None:
    (problem,) = problems(setting(OFFICE, **changes))
    assert problem.key.endswith("public")
    assert "every card has its own" in problem.message


def test_an_edge_elsewhere_with_one_card_is_reached_by_its_public_address() -> None:
    """By Expressway-C always, by others where the row does not print the private address."""
    resolution = resolved(elsewhere(public=["203.0.113.21"], nics="single"))
    for row_id, address in (
        ("expressway/24/4", "203.0.113.21/32"),
        ("expressway/24/5", "203.0.113.21/32"),
        ("expressway/24/10", "10.2.2.11/32"),
    ):
        (flow,) = flows(resolution, row_id)
        assert list(map(str, flow.destination.addresses)) == [address]
    (two_cards,) = flows(resolved(elsewhere(public=["203.0.113.21"])), "expressway/24/5")
    assert list(map(str, two_cards.destination.addresses)) == ["10.2.2.11/32"]
