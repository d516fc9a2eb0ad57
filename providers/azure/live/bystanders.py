"""What else stands in the subnets of the deployment: cards of others, load balancers, gateways,
private endpoints, bastions. A subnet names whatever has an address in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Network
from flowbridge.policy.audit.bystanders import Bystander
from flowbridge.policy.compiled import Policy
from flowbridge.providers.azure.live.answers import Answers, Part, properties, subnets_of
from flowbridge.providers.azure.live.placement import place, prefixes_of
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.bystander_kinds import kind_of
from flowbridge.providers.live.contract import Access

_TABLE: Final = Path(__file__).with_name("bystanders.yaml")
_NO_POLICIES: Final = "network policies for private endpoints are off in its subnet"


def bystanders(
    answers: Answers,
    policy: Policy,
    site: Site,
    planned: Mapping[str, Any],  # noqa: ARG001
    access: Access,
) -> tuple[Bystander, ...]:
    """See `providers.live.contract.LiveReader.bystanders`."""
    if not answers.has(Part.NETWORKS, Part.CARDS):
        return ()
    there = subnets_of(answers)
    named = (s for tier in site.network.tiers.values() for s in tier.subnets)
    covered = dict.fromkeys(answers.place.subnet_id(name).lower() for name in named)
    ours = {
        card.card.lower()
        for found in place(answers, policy, access.placed).cards.values()
        for _, card in found
    }
    network = tuple(_network(answers))
    return tuple(
        each
        for subnet in covered
        if subnet in there
        for each in _in_subnet(answers, there[subnet], ours, network)
    )


def _in_subnet(
    answers: Answers, subnet: Row, ours: set[str], network: tuple[Network, ...]
) -> Iterator[Bystander]:
    cards = {str(row["id"]).lower(): row for row in answers.rows(Part.CARDS)}
    own = properties(subnet)
    seen: set[str] = set()
    for one in _ids(subnet):
        kind, thing = _thing(one)
        if thing.lower() in seen or thing.lower() in ours:
            continue
        seen.add(thing.lower())
        card = properties(cards.get(thing.lower(), {}))
        spared = ""
        if card.get("privateEndpoint"):
            kind = "private endpoint"
            off = own.get("privateEndpointNetworkPolicies", "Disabled")
            spared = _NO_POLICIES if off in ("Disabled", "RouteTableEnabled") else ""
        told = kind_of(_TABLE, {"type": kind}, network)
        yield Bystander(
            kind=told.called if told else "network interface",
            id=thing.rsplit("/", 1)[-1],
            text=_group(thing),
            subnet=f"subnet {subnet.get('name')}",
            addresses=tuple(_addresses(card)),
            stands_in=prefixes_of(subnet),
            own={},
            needs=told.needs if told else (),
            source=told.source if told else "",
            spared=spared or (told.spared if told else ""),
        )


def _ids(subnet: Row) -> Iterator[str]:
    own = properties(subnet)
    for key in ("ipConfigurations", "applicationGatewayIPConfigurations", "privateEndpoints"):
        yield from (str(each["id"]) for each in own.get(key) or () if each.get("id"))
    for key in ("serviceAssociationLinks", "delegations"):
        yield from (str(each["id"]) for each in own.get(key) or () if each.get("id"))
    if found := (own.get("natGateway") or {}).get("id"):
        yield str(found)


def _thing(text: str) -> tuple[str, str]:
    """The type and the id of what an id of one of its parts is of."""
    before, slash, rest = text.partition("/providers/")
    parts = rest.split("/")
    if not slash or len(parts) < 3:
        return "", text
    if "virtualMachineScaleSets" in parts and "networkInterfaces" in parts:
        end = parts.index("networkInterfaces") + 2
        return "networkInterfaces", f"{before}/providers/{'/'.join(parts[:end])}"
    if parts[1] == "virtualNetworks":  # a link or delegation of the subnet itself
        return parts[-2], text
    kind = "private endpoint" if parts[1] == "privateEndpoints" else parts[1]
    return kind, f"{before}/providers/{'/'.join(parts[:3])}"


def _group(thing: str) -> str:
    parts = thing.split("/")
    at = [n for n, part in enumerate(parts) if part.lower() == "resourcegroups"]
    return f"resource group {parts[at[0] + 1]}" if at else ""


def _addresses(card: Row) -> Iterator[Network]:
    for entry in card.get("ipConfigurations") or ():
        if text := properties(entry).get("privateIPAddress"):
            yield ip_network(text)


def _network(answers: Answers) -> Iterator[Network]:
    for row in answers.rows(Part.NETWORKS):
        space = properties(row).get("addressSpace") or {}
        yield from (ip_network(text) for text in space.get("addressPrefixes") or ())
