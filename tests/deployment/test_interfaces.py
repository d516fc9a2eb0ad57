"""Members of interfaces, and what each cloud has to know of the network."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from flowbridge.catalog.load import load
from flowbridge.deployment.checks.validation import mistakes
from flowbridge.deployment.clouds.gcp import network_of
from flowbridge.deployment.interfaces import interfaces_of
from flowbridge.deployment.selection.facts import facts_of
from tests.deployment.files import DUAL, SINGLE, Data, problems, setting, site


def interface(data: Data, key: str) -> Any:
    return next(found for found in interfaces_of(site(data)) if found.key == key)


def test_members_carry_their_addresses_and_cards() -> None:
    data = setting(
        DUAL,
        expressway_e__peers=[
            {
                "external": "10.0.1.11",
                "internal": "10.0.2.11",
                "public": "203.0.113.11",
                "external_eni": "eni-0aa",
                "internal_eni": "eni-0ab",
            }
        ],
    )
    (outer,) = interface(data, "expressway-e/external").members
    (inner,) = interface(data, "expressway-e/internal").members
    assert (outer.attachment, inner.attachment) == ("eni-0aa", "eni-0ab")
    assert outer.public == (ip_network("203.0.113.11"),)
    assert inner.public == ()


def test_members_keep_their_names_when_a_peer_is_added() -> None:
    more = setting(DUAL, expressway_c__peers=[{"address": "10.0.10.9"}, {"address": "10.0.10.11"}])
    names = [member.name for member in interface(more, "expressway-c/single").members]
    assert names == ["10.0.10.9", "10.0.10.11"]
    assert [m.name for m in interface(DUAL, "expressway-c/single").members] == ["10.0.10.11"]


def test_the_lists_of_a_system_are_read_side_by_side() -> None:
    data = setting(
        DUAL,
        network__tiers__internal__cidrs=["10.0.10.0/24", "2001:db8::/64"],
        systems__cucm={
            "tier": "internal",
            "addresses": ["10.0.10.22", "10.0.10.21", "2001:db8::22", "2001:db8::21"],
            "public": ["198.51.100.22", "198.51.100.21"],
            "eni": ["eni-022", "eni-021"],
        },
    )
    members = interface(data, "cucm/single").members
    assert [
        (m.name, m.attachment, [str(n.network_address) for n in m.public]) for m in members
    ] == [
        ("10.0.10.21", "eni-021", ["198.51.100.21"]),
        ("10.0.10.22", "eni-022", ["198.51.100.22"]),
    ]
    assert [str(network) for network in members[0].private] == ["10.0.10.21/32", "2001:db8::21/128"]


def test_a_fleet_is_its_range() -> None:
    data = setting(DUAL, systems__cucm={"tier": "internal", "addresses": ["10.0.10.128/25"]})
    assert interface(data, "cucm/single").private == (ip_network("10.0.10.128/25"),)


AZURE = {
    "cloud": "azure",
    "region": "westeurope",
    "network__id": None,
    "network__resource_group": "uc-edge",
    "network__vnet": "uc-vnet",
}
ONE_PATH = "projects/uc-edge-1/global/networks/one"
GCP = {
    "cloud": "gcp",
    "region": "europe-west1",
    "network__id": None,
    "network__project": "uc-edge-1",
    "network__networks": {"external": "outside", "internal": "inside", "single": "inside"},
}
SUBNETS = {
    "network__tiers__dmz__subnets": ["dmz"],
    "network__tiers__internal__subnets": ["internal"],
}
AZURE_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/uc-vnet"


@pytest.mark.parametrize(
    "changes",
    [
        AZURE,
        {**AZURE, "network__vnet": None, "network__id": "uc-vnet"},
        {**AZURE, "network__vnet": None, "network__resource_group": None, "network__id": AZURE_ID},
        GCP,
        {**GCP, "network__networks": None, "network__tiers__dmz__network": "outside"}
        | {"expressway_e__nics": "single", "expressway_e__peers": [{"address": "10.0.1.11"}]}
        | {"network__tiers__internal__network": "projects/uc-edge-1/global/networks/inside"},
    ],
)
def test_networks_that_are_whole(changes: dict[str, Any]) -> None:
    assert problems(setting(DUAL, **SUBNETS, **changes)) == ()


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"network__id": None}, "network", "add id: vpc-"),
        ({"network__id": "uc-vnet"}, "network.id", "vpc-0a1b2c3d4e5f60718"),
        ({"network__tiers__dmz__subnets": ["dmz"]}, "network.tiers.dmz.subnets[0]", "subnet-"),
        ({"expressway_c__peers__0__eni": "nic1"}, "expressway_c.peers[0].eni", "eni-"),
        ({**AZURE, "network__resource_group": None}, "network", "add resource_group"),
        ({**AZURE, "network__vnet": None}, "network", "add vnet"),
        ({**AZURE, "network__resource_group": "ends."}, "network.resource_group", "full stop"),
        ({**AZURE, "network__id": "other"}, "network.vnet", "keep one of them"),
        ({**AZURE, "network__vnet": "no spaces"}, "network.vnet", "its full id"),
        ({**GCP, "network__project": None}, "network", "add project"),
        ({**GCP, "network__project": "Uc"}, "network.project", "6 to 30"),
        ({**GCP, "network__networks": None, "network__id": "one"}, "network", "two VPC networks"),
        (
            {**GCP, "network__networks": {"external": "one", "internal": "one"}},
            "network",
            "two VPC networks",
        ),
        (
            {**GCP, "network__networks": {"external": ONE_PATH, "internal": "one"}},
            "network",
            "two VPC networks",
        ),
        (
            {**GCP, "network__networks": {"external": "outside", "internal": "one"}}
            | {"network__id": ONE_PATH, "options__gcp__rules": "network-policy"},
            "network.networks.internal",
            f"write '{ONE_PATH}'",
        ),
        (
            {**GCP, "network__networks": {"external": "outside", "internal": "inside"}},
            "network",
            "add id: <its name>",
        ),
        (
            {**GCP, "network__networks__outer": "outside"},
            "network.networks.outer",
            "external, internal or single",
        ),
        ({**GCP, "network__networks__external": "Out_side"}, "network.networks.external", "path"),
    ],
)
def test_networks_that_are_not(changes: dict[str, Any], key: str, words: str) -> None:
    subnets = SUBNETS if "cloud" in changes else {}
    found = problems(setting(DUAL, **subnets, **changes))
    assert [p for p in found if p.key == key and words in p.message], list(map(str, found))


def test_an_apps_own_network_needs_no_id() -> None:
    known = site(DUAL)
    without = known.model_copy(update={"network": known.network.model_copy(update={"id": None})})
    assert mistakes(without, load())
    assert not mistakes(without, load(), network_id_elsewhere=True)


def test_the_network_of_each_card_on_google_cloud() -> None:
    known = site(setting(DUAL, **SUBNETS, **GCP))
    assert {face.key: network_of(known, face) for face in interfaces_of(known)} == {
        "cucm/single": "inside",
        "expressway-c/single": "inside",
        "expressway-e/external": "outside",
        "expressway-e/internal": "inside",
    }


@pytest.mark.parametrize(
    ("data", "fact", "value"),
    [
        (DUAL, "topology", "pair"),
        (setting(DUAL, expressway_e=None, services=["single-system"]), "topology", "core-only"),
        (setting(DUAL, expressway_c=None, services=["acme"]), "topology", "edge-only"),
        (
            setting(DUAL, expressway_c=None, expressway_e=None, services=["cucm-phones"]),
            "topology",
            "none",
        ),
        (DUAL, "nics", "dual"),
        (SINGLE, "nics", "single"),
        (SINGLE, "multiplexed_media", "pair"),
        (
            setting(SINGLE, options__multiplexed_media="36000-36001"),
            "multiplexed_media",
            "first-media-ports",
        ),
        (DUAL, "cluster", False),
        (DUAL, "service", frozenset({"traversal-pair", "sip-calls", "mra"})),
        (DUAL, "system", frozenset({"cucm", "imp", "admin-pc", "dns", "ntp"})),
        (setting(DUAL, options__turn__tcp_443=True), "option.turn.tcp_443", True),
        (DUAL, "option.admin.ssh_port", 22),
    ],
)
def test_facts(data: Data, fact: str, value: object) -> None:
    assert facts_of(site(data))[fact] == value


def test_the_catalog_names_no_fact_that_a_deployment_does_not_state() -> None:
    known = set(facts_of(site(DUAL)))
    for table in load().tables:
        conditions = [table.when]
        for row in (*table.rows, *(extra.row for extra in table.added)):
            for version in (row, row.corrected()):
                conditions.append(version.when)
                for cell in (version.source_ports, version.destination_ports):
                    conditions += [alternative.when for alternative in cell.alternatives]
        for condition in conditions:
            assert condition.facts() <= known, (table.id_of(table.rows[0]), condition)
