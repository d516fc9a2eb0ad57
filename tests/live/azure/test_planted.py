"""Planted live situations in Azure: odd rules, members that are gone, peers that were not read."""

from __future__ import annotations

from typing import Any

import pytest

from flowbridge.policy.audit.audit import Verdict
from flowbridge.policy.audit.untold import Standing
from tests.live.azure.estates import DMZ, INTERNAL, deployed, read
from tests.live.azure.server import (
    NETWORK,
    SUBSCRIPTION,
    AzureCloud,
    Json,
    Refusal,
    add_card,
    serving,
)
from tests.live.planted import Situation, check, opened_by, parameters, told

GROUPS = f"{NETWORK}/applicationSecurityGroups"
OURS = "flowbridge-azure-edge"

# One property each that no NSG rule is known to have.
ODD: dict[str, Json] = {
    "a protocol that is none": {"protocol": "Frob"},
    "no protocol": {"protocol": None},
    "a protocol beyond 255": {"protocol": "300"},
    "a negative protocol": {"protocol": "-1"},
    "ports of ICMP": {"protocol": "Icmp", "destinationPortRange": "80"},
    "ports of AH": {"protocol": "Ah", "sourcePortRange": "500"},
    "a port beyond 65535": {"destinationPortRange": "70000"},
    "ports that are words": {"destinationPortRange": "ssh"},
    "ports backwards": {"destinationPortRange": "90-80"},
    "a source that is no range": {"sourceAddressPrefix": "10.0.0.0/99"},
    "a source of two addresses": {"sourceAddressPrefix": "10.0.0.1-10.0.0.9"},
    "no source": {"sourceAddressPrefix": None},
    "no destination": {"destinationAddressPrefix": None},
    "no source ports": {"sourcePortRange": None},
    "another direction": {"direction": "Sideways"},
    "another access": {"access": "Perhaps"},
    "a priority out of range": {"priority": 5000},
    "a priority that is a word": {"priority": "first"},
    "a group without an id": {
        "sourceAddressPrefix": None,
        "sourceApplicationSecurityGroups": [{"name": "nameless"}],
    },
}


def ssh(cloud: AzureCloud, nsg: str = DMZ) -> None:
    """The hole beside it, which nothing may hide."""
    cloud.add_rule(nsg, "ssh-hole", priority=4055, destinationPortRange="22")


def odd_rule(cloud: AzureCloud, own: Json, nsg: str, direction: str) -> None:
    cloud.add_rule(nsg, "odd", **{"priority": 4060, "direction": direction, **own})
    properties = cloud.rules(nsg)[-1]["properties"]
    for key in [key for key, value in properties.items() if value is None]:
        del properties[key]


@pytest.mark.parametrize("direction", ["Inbound", "Outbound"])
@pytest.mark.parametrize("name", ODD)
def test_planted_odd_rule_does_not_blind(name: str, direction: str) -> None:
    """It stands in the one NSG, and the hole in the other."""
    cloud = deployed()
    odd_rule(cloud, ODD[name], INTERNAL, direction)
    ssh(cloud)
    with serving(cloud) as url:
        found = read(url).audit
    assert (found.verdict, found.unread) == (Verdict.DRIFT, ())
    assert f"{DMZ}/ssh-hole" in opened_by(found)
    [own] = {each.rule.id for each in found.untold if each.rule}
    assert own == f"{INTERNAL}/odd"
    assert all(each.standing is Standing.FINDING for each in found.untold)
    assert "cannot be told" in told(found)
    [state] = [state for state in found.unmanaged if state.rule.id == own]
    assert state.drift


@pytest.mark.parametrize("protocol", ["Icmpv6", "ICMPV6", "4", "47", "132", "0", "255"])
def test_planted_protocol_without_ports_is_a_protocol(protocol: str) -> None:
    cloud = deployed()
    cloud.add_rule(INTERNAL, "by-number", priority=4060, protocol=protocol)
    with serving(cloud) as url:
        found = read(url).audit
    assert (found.verdict, found.unread, found.untold) == (Verdict.DRIFT, (), ())
    assert opened_by(found) == {f"{INTERNAL}/by-number"}


# Members that are not there, and what stands in their place.


def move(cloud: AzureCloud, card: str, address: str) -> None:
    [config] = cloud.card(card)["properties"]["ipConfigurations"]
    config["properties"]["privateIPAddress"] = address


def leave(cloud: AzureCloud, card: str) -> None:
    """The card is another's now, at another address and in no group of ours."""
    del cloud.resources["networkInterfaces"][card]


def stranger(cloud: AzureCloud, address: str, group: str) -> None:
    add_card(cloud, "stranger", "dmz-outer", address)
    [config] = cloud.card("stranger")["properties"]["ipConfigurations"]
    config["properties"]["applicationSecurityGroups"] = [{"id": f"{GROUPS}/{OURS}-{group}"}]


def rebuilt(cloud: AzureCloud, card: str, address: str, group: str) -> None:
    leave(cloud, card)
    stranger(cloud, address, group)


# The example names Expressway-E's and Expressway-C's cards; those of Unified CM go by address.
MEMBERS: tuple[Situation[AzureCloud], ...] = (
    Situation(
        name="a node of Unified CM is gone",
        plant=lambda cloud: leave(cloud, "cucm-2"),
        verdict=Verdict.INCOMPLETE,
        says="10.0.10.22",
    ),
    Situation(
        name="a node of Unified CM has another address",
        plant=lambda cloud: move(cloud, "cucm-2", "10.0.10.77"),
        verdict=Verdict.INCOMPLETE,
        says="10.0.10.22",
    ),
    Situation(
        name="Expressway-E was built anew elsewhere",
        plant=lambda cloud: rebuilt(cloud, "edge-1-outer", "10.0.1.50", "expressway-e-external"),
        says="stranger",
    ),
    Situation(
        name="Expressway-C was built anew elsewhere",
        plant=lambda cloud: rebuilt(cloud, "core-1-nic", "10.0.10.50", "expressway-c-single"),
        says="stranger",
    ),
    Situation(
        name="a stranger wears the group that the world gets in by",
        plant=lambda cloud: stranger(cloud, "10.0.1.66", "expressway-e-external"),
        says="lets the whole internet in",
    ),
    Situation(
        name="all cards are gone",
        plant=lambda cloud: cloud.resources["networkInterfaces"].clear(),
    ),
)


# Peers that no list which was read has.


def from_groups(cloud: AzureCloud, *groups: str) -> None:
    own: dict[str, Any] = {"priority": 4060, "destinationPortRange": "22"}
    cloud.add_rule(INTERNAL, "from-group", **own)
    properties = cloud.rules(INTERNAL)[-1]["properties"]
    del properties["sourceAddressPrefix"]
    properties["sourceApplicationSecurityGroups"] = [{"id": group} for group in groups]


def other_subscription(name: str = "theirs") -> str:
    return f"{GROUPS}/{name}".replace(SUBSCRIPTION, "11111111-1111-1111-1111-111111111111")


def add_group(cloud: AzureCloud, name: str) -> None:
    cloud.resources["applicationSecurityGroups"][name] = {
        "id": f"{GROUPS}/{name}",
        "name": name,
        "location": "westeurope",
        "properties": {},
    }


def peered(cloud: AzureCloud, name: str = "spoke", *, there: bool = False) -> None:
    """A peering with a network of our subscription; `there`: it can be read."""
    [network] = list(cloud.networks.values())[:1]
    remote = f"{NETWORK}/virtualNetworks/{name}"
    network["properties"]["virtualNetworkPeerings"] = [
        {"name": name, "properties": {"remoteVirtualNetwork": {"id": remote}}}
    ]
    if there:
        subnet = {"id": f"{remote}/subnets/s", "name": "s", "properties": {}}
        cloud.networks[name] = {
            "id": remote,
            "name": name,
            "location": "westeurope",
            "properties": {"subnets": [subnet]},
        }


def peered_and_unread(cloud: AzureCloud) -> None:
    peered(cloud)
    add_group(cloud, "spoke-web")
    from_groups(cloud, f"{GROUPS}/spoke-web")


def tagged(cloud: AzureCloud, tag: str, **own: Any) -> None:
    cloud.add_rule(
        DMZ, "tagged", **{"priority": 4060, "sourceAddressPrefix": tag, "protocol": "Tcp", **own}
    )


def admin(cloud: AzureCloud, **own: Any) -> None:
    group = {"addressPrefix": f"{NETWORK}/networkGroups/g", "addressPrefixType": "NetworkGroup"}
    everyone = {"addressPrefix": "*", "addressPrefixType": "IPPrefix"}
    cloud.admin_rules.append(
        {
            "id": f"{NETWORK}/networkManagers/m/rules/r",
            "kind": "Custom",
            "properties": {
                "protocol": "Tcp",
                "sources": [everyone],
                "destinations": [everyone],
                "sourcePortRanges": ["0-65535"],
                "destinationPortRanges": ["22"],
                "access": "AlwaysAllow",
                "priority": 5,
                "direction": "Inbound",
                **(own or {"sources": [group]}),
            },
        }
    )


PEERS: tuple[Situation[AzureCloud], ...] = (
    Situation(
        name="a group of another subscription",
        plant=lambda cloud: from_groups(cloud, other_subscription()),
        says="cannot be told",
    ),
    Situation(
        name="groups of two subscriptions",
        plant=lambda cloud: from_groups(
            cloud, f"{GROUPS}/{OURS}-cucm-single", other_subscription()
        ),
        says="theirs",
    ),
    Situation(
        name="a group that the list does not have",
        plant=lambda cloud: from_groups(cloud, f"{GROUPS}/gone"),
        says="gone",
    ),
    Situation(
        name="a group, and a peered network that cannot be read",
        plant=peered_and_unread,
        says="spoke-web",
    ),
    Situation(
        name="a service tag", plant=lambda cloud: tagged(cloud, "AzureCloud"), says="AzureCloud"
    ),
    Situation(
        name="a service tag of a region",
        plant=lambda cloud: tagged(cloud, "Storage.WestEurope"),
        says="Storage.WestEurope",
    ),
    Situation(
        name="a service tag that refuses",
        plant=lambda cloud: tagged(cloud, "AzureCloud", access="Deny", priority=100),
        says="AzureCloud",
    ),
    Situation(name="an admin rule of a network group", plant=admin, says="networkGroups/g"),
    Situation(
        name="an admin rule of another protocol",
        plant=lambda cloud: admin(cloud, protocol="Frob"),
        says="Frob",
    ),
    Situation(
        name="an admin rule of another direction",
        plant=lambda cloud: admin(cloud, direction="Sideways"),
    ),
)


@pytest.mark.parametrize("situation", parameters((*MEMBERS, *PEERS)))
def test_planted_harm_is_no_clean_word(situation: Situation[AzureCloud]) -> None:
    cloud = deployed()
    situation.plant(cloud)
    with serving(cloud) as url:
        check(read(url).audit, situation)


def through_a_peering_that_was_read(cloud: AzureCloud) -> None:
    peered(cloud, there=True)


def a_group_of_nobody(cloud: AzureCloud) -> None:
    add_group(cloud, "empty")
    from_groups(cloud, f"{GROUPS}/empty")


def a_rule_that_is_odd_in_an_nsg_of_others(cloud: AzureCloud) -> None:
    cloud.resources["networkSecurityGroups"]["web"] = {
        "id": f"{NETWORK}/networkSecurityGroups/web",
        "name": "web",
        "location": "westeurope",
        "properties": {"securityRules": []},
    }
    odd_rule(cloud, ODD["a protocol that is none"], "web", "Inbound")


HARMLESS: tuple[Situation[AzureCloud], ...] = (
    Situation(name="a peered network", plant=through_a_peering_that_was_read),
    Situation(name="a group that nobody is in", plant=a_group_of_nobody),
    Situation(name="an odd rule in an NSG of others", plant=a_rule_that_is_odd_in_an_nsg_of_others),
    Situation(
        name="a range of ports of all protocols",
        plant=lambda cloud: cloud.add_rule(
            INTERNAL,
            "whole",
            priority=4060,
            protocol="Icmp",
            access="Deny",
            destinationPortRange="0-65535",
        ),
    ),
)


@pytest.mark.parametrize("situation", parameters(HARMLESS))
def test_planted_no_harm_is_clean(situation: Situation[AzureCloud]) -> None:
    cloud = deployed()
    situation.plant(cloud)
    with serving(cloud) as url:
        found = read(url).audit
    assert (found.verdict, found.unread) == (Verdict.CLEAN, ()), told(found)


def test_planted_scale_set_of_a_peered_network_is_read() -> None:
    """Its cards are in no list of the subscription."""
    cloud = deployed()
    peered(cloud, there=True)
    add_group(cloud, "spoke-web")
    from_groups(cloud, f"{GROUPS}/spoke-web")
    sets = NETWORK.replace("Microsoft.Network", "Microsoft.Compute/virtualMachineScaleSets/web")
    card = f"{sets}/virtualMachines/0/networkInterfaces/nic"
    whole = cloud.answer

    def with_a_scale_set(method: str, path: str, query: Any, at: str) -> Json:
        if "virtualMachineScaleSets" in path:
            config = {
                "privateIPAddress": "10.77.0.4",
                "applicationSecurityGroups": [{"id": f"{GROUPS}/spoke-web"}],
                "subnet": {"id": f"{NETWORK}/virtualNetworks/spoke/subnets/s"},
            }
            configs = [{"id": f"{card}/ipConfigurations/one", "properties": config}]
            return {
                "value": [{"id": card, "name": "nic", "properties": {"ipConfigurations": configs}}]
            }
        if path.endswith("/spoke"):
            body = whole(method, path, query, at)
            inside = body["properties"]["subnets"][0]["properties"]
            inside["ipConfigurations"].append({"id": f"{card}/ipConfigurations/one"})
            return body
        return whole(method, path, query, at)

    cloud.answer = with_a_scale_set  # type: ignore[method-assign]
    with serving(cloud) as url:
        found = read(url).audit
    assert (found.verdict, found.untold) == (Verdict.DRIFT, ())
    assert "10.77.0.4" in " ".join(str(each.packets.example()) for each in found.opened)


def test_planted_refusal_of_a_peered_network_leaves_the_rest_judged() -> None:
    cloud = deployed()
    peered(cloud)
    whole = cloud.answer

    def refusing(method: str, path: str, query: Any, at: str) -> Json:
        if path.endswith("/spoke"):
            raise Refusal(403, "AuthorizationFailed", "not here")
        return whole(method, path, query, at)

    cloud.answer = refusing  # type: ignore[method-assign]
    with serving(cloud) as url:
        found = read(url).audit
    assert (found.verdict, found.unread) == (Verdict.CLEAN, ())
    assert "the peered network spoke could not be read" in told(found)
