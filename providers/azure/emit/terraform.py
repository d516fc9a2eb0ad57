"""NSGs, application security groups and what attaches them, as Terraform JSON.

All rules of an NSG stand inside it: one request replaces the whole set, so there is no moment in
which a part of a change holds (docs/decisions/0003-azure-rules.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface, Network
from flowbridge.policy.point import Direction
from flowbridge.providers.azure.emit.naming import NAME, group_name, nsg_name
from flowbridge.providers.azure.emit.network_security_groups import Nsg
from flowbridge.providers.azure.emit.rule import Rule, Side, shown_ports
from flowbridge.providers.azure.emit.security_rules import PROTOCOLS
from flowbridge.providers.azure.quotas import default_quotas
from flowbridge.providers.azure.resource_ids import ResourceIds
from flowbridge.providers.provider import LoweredRule, TerraformJson
from flowbridge.providers.terraform.content_names import content_hash, terraform_name
from flowbridge.providers.terraform.resource_set import ResourceSet
from flowbridge.providers.terraform.row_text import description

NSG: Final = "azurerm_network_security_group"
GROUP: Final = "azurerm_application_security_group"
MEMBERSHIP: Final = "azurerm_network_interface_application_security_group_association"
CARD_ASSOCIATION: Final = "azurerm_network_interface_security_group_association"
ASSOCIATION: Final = "azurerm_subnet_network_security_group_association"

_DIRECTIONS: Final = {Direction.INGRESS: "Inbound", Direction.EGRESS: "Outbound"}
DENIED: Final = "Whatever no rule above allows, the default rules for VirtualNetwork included"
INSIDE: Final = "The inside, which the rules below for the internet do not mean"

# An inline rule is an attribute in Terraform's eyes: every key has to be there.
_EMPTY_RULE: Final = {
    f"{end}_{what}": None
    for end in ("source", "destination")
    for what in (
        "port_range",
        "port_ranges",
        "address_prefix",
        "address_prefixes",
        "application_security_group_ids",
    )
}


# Addresses of the memberships of each interface's cards, by the interface's key.
Memberships = Mapping[str, Sequence[str]]


def emit_groups(
    interfaces: Iterable[Interface], site: Site, ids: ResourceIds, resources: ResourceSet
) -> Memberships:
    """Add the group of each interface and the memberships of its cards."""
    memberships: dict[str, list[str]] = {}
    for interface in interfaces:
        name = terraform_name(interface.key)
        resources.add(
            GROUP,
            name,
            {
                **_where(site, ids),
                "name": group_name(site.name, interface.workload, interface.name),
                "tags": {
                    **site.provider.default_tags,
                    "flowbridge:site": site.name,
                    "flowbridge:tier": interface.tier,
                    "flowbridge:workload": interface.workload,
                    "flowbridge:interface": interface.name,
                },
            },
        )
        for card in dict.fromkeys(m.attachment for m in interface.members if m.attachment):
            body = {
                "network_interface_id": ids.card(card),
                "application_security_group_id": _id(GROUP, name),
                # A card leaves its group only after the rules have stopped to count on it.
                "lifecycle": {"create_before_destroy": True},
            }
            label = terraform_name(interface.key, card.rsplit("/", 1)[-1], content_hash(card))
            address = resources.add(MEMBERSHIP, label, body)
            memberships.setdefault(interface.key, []).append(address)
    return memberships


def emit_nsg(
    nsg: Nsg, site: Site, ids: ResourceIds, memberships: Memberships, resources: ResourceSet
) -> tuple[LoweredRule, ...]:
    """Add one NSG with its rules and its subnets; the rules as a person reads them."""
    bodies = [_allow(priority, rule) for priority, rule in nsg.rules]
    bodies += [_deny_inside(*denied) for denied in nsg.inside_denies]
    bodies += [_deny(direction, nsg.deny_priority) for direction in Direction]
    for body in bodies:
        if not NAME.fullmatch(body["name"]):
            raise AssertionError(f"Azure does not take the name {body['name']!r}")
    bodies.sort(key=lambda body: (body["direction"], body["priority"]))
    resource: dict[str, Any] = {
        **_where(site, ids),
        "name": nsg_name(site.name, nsg.key.replace("/", "-")),
        "security_rule": bodies,
        "tags": {
            **site.provider.default_tags,
            "flowbridge:site": site.name,
            "flowbridge:tier": nsg.tier,
            **_whose(nsg),
        },
    }
    # Rules that name a group are for its members only: the members come first.
    before = sorted(card for key in nsg.groups for card in memberships.get(key, ()))
    if before:
        resource["depends_on"] = before
    address = resources.add(NSG, terraform_name(nsg.key), resource)
    _on_cards(nsg, ids, resources)
    for subnet in dict.fromkeys(() if nsg.card else site.network.tiers[nsg.tier].subnets):
        body = {
            "subnet_id": ids.subnet(subnet),
            "network_security_group_id": _id(NSG, terraform_name(nsg.key)),
        }
        label = terraform_name(nsg.tier, subnet.rsplit("/", 1)[-1], content_hash(subnet))
        resources.add(ASSOCIATION, label, body)
    lowered = [_lowered(priority, rule, address) for priority, rule in nsg.rules]
    lowered += [_lowered_inside(nsg, address, *denied) for denied in nsg.inside_denies]
    lowered += [_lowered_deny(direction, nsg, address) for direction in Direction]
    return tuple(lowered)


def _whose(nsg: Nsg) -> dict[str, str]:
    """By bare names an NSG is known as that of one interface's cards, by keys as a tier's."""
    if nsg.card is not None:
        return {
            "flowbridge:workload": nsg.card.workload,
            "flowbridge:interface": nsg.card.name,
        }
    return {
        "flowbridge:workload": _listed({card.workload for card in nsg.interfaces}),
        "flowbridge:interface": _listed({card.key for card in nsg.interfaces}),
    }


def _on_cards(nsg: Nsg, ids: ResourceIds, resources: ResourceSet) -> None:
    """Add the associations of one interface's NSG with the cards that are named."""
    members = () if nsg.card is None else nsg.card.members
    for card in dict.fromkeys(m.attachment for m in members if m.attachment):
        body = {
            "network_interface_id": ids.card(card),
            "network_security_group_id": _id(NSG, terraform_name(nsg.key)),
        }
        label = terraform_name(nsg.key, card.rsplit("/", 1)[-1], content_hash(card))
        resources.add(CARD_ASSOCIATION, label, body)


def _listed(names: Iterable[str]) -> str:
    """The names in order, as many as the value of a tag holds."""
    text = ", ".join(sorted(names))
    limit = default_quotas().tag_value_length.value
    return text if len(text) <= limit else f"{text[: limit - 4].rpartition(', ')[0]} ..."


def outputs(interfaces: Iterable[Interface], nsgs: Iterable[Nsg]) -> TerraformJson:
    """Ids that others need: NSGs by tier, application security groups by interface."""
    return {
        "application_security_group_ids": {
            "description": "Application security group of each workload interface",
            "value": {i.key: _id(GROUP, terraform_name(i.key)) for i in interfaces},
        },
        "network_security_group_ids": {
            "description": "Network security group of each tier",
            "value": {nsg.key: _id(NSG, terraform_name(nsg.key)) for nsg in nsgs},
        },
    }


def _id(kind: str, name: str) -> str:
    return f"${{{kind}.{name}.id}}"


def _where(site: Site, ids: ResourceIds) -> dict[str, str]:
    return {"location": site.region, "resource_group_name": ids.resource_group}


def _allow(priority: int, rule: Rule) -> dict[str, Any]:
    return {
        **_EMPTY_RULE,
        "name": rule.name,
        "description": _description(rule),
        "priority": priority,
        "direction": _DIRECTIONS[rule.direction],
        "access": "Allow",
        "protocol": PROTOCOLS[rule.protocol],
        **_ports("source", rule.source_ports),
        **_ports("destination", rule.destination_ports),
        **_addresses("source", rule.source),
        **_addresses("destination", rule.destination),
    }


def _deny(direction: Direction, priority: int) -> dict[str, Any]:
    return {
        **_EMPTY_RULE,
        "name": _deny_name(direction),
        "description": DENIED,
        "priority": priority,
        "direction": _DIRECTIONS[direction],
        "access": "Deny",
        "protocol": "*",
        "source_port_range": "*",
        "destination_port_range": "*",
        "source_address_prefix": "*",
        "destination_address_prefix": "*",
    }


def _deny_inside(
    direction: Direction, priority: int, inside: tuple[Network, ...]
) -> dict[str, Any]:
    """What `internet` leaves out, denied before the rules that allow the internet."""
    remote = "source" if direction is Direction.INGRESS else "destination"
    return _deny(direction, priority) | {
        "name": _inside_name(direction, inside),
        "description": INSIDE,
        f"{remote}_address_prefix": None,
        **_addresses(remote, Side("inside", inside)),
    }


def _inside_name(direction: Direction, inside: tuple[Network, ...]) -> str:
    family = "" if inside[0].version == 4 else "-v6"
    return f"deny-inside{family}-{_DIRECTIONS[direction].lower()}"


def _deny_name(direction: Direction) -> str:
    return f"deny-all-{_DIRECTIONS[direction].lower()}"


def _ports(end: str, ports: tuple[PortRange, ...]) -> Mapping[str, Any]:
    texts = ["*" if span == ANY_PORT else str(span) for span in ports] or ["*"]
    if len(texts) == 1:
        return {f"{end}_port_range": texts[0]}
    return {f"{end}_port_ranges": texts}


def _addresses(end: str, side: Side) -> Mapping[str, Any]:
    if side.group is not None:
        group = _id(GROUP, terraform_name(side.group))
        return {f"{end}_application_security_group_ids": [group]}
    texts = [side.tag] if side.tag else [str(network) for network in side.networks]
    if len(texts) == 1:
        return {f"{end}_address_prefix": texts[0]}
    return {f"{end}_address_prefixes": texts}


def _description(rule: Rule) -> str:
    arrow = "from" if rule.direction is Direction.INGRESS else "to"
    limit = default_quotas().description_length.value
    return description(rule.rows, f"{arrow} {', '.join(rule.parties)}", limit)


def _lowered(priority: int, rule: Rule, nsg: str) -> LoweredRule:
    return LoweredRule(
        address=f"{nsg}.security_rule[{rule.name}]",
        stage="nsg",
        scope=rule.interface,
        direction=rule.direction.value,
        action="allow",
        priority=priority,
        peer=str(rule.remote),
        protocol=rule.protocol.label,
        source_ports=shown_ports(rule.source_ports),
        destination_ports=shown_ports(rule.destination_ports),
        rows=rule.rows,
        description=_description(rule),
    )


def _lowered_inside(
    nsg: Nsg, address: str, direction: Direction, priority: int, inside: tuple[Network, ...]
) -> LoweredRule:
    return _lowered_deny(direction, nsg, address)._replace(
        address=f"{address}.security_rule[{_inside_name(direction, inside)}]",
        priority=priority,
        peer=", ".join(map(str, inside)),
        description=INSIDE,
    )


def _lowered_deny(direction: Direction, nsg: Nsg, address: str) -> LoweredRule:
    return LoweredRule(
        address=f"{address}.security_rule[{_deny_name(direction)}]",
        stage="nsg",
        scope=nsg.key,
        direction=direction.value,
        action="deny",
        priority=nsg.deny_priority,
        peer="any",
        protocol="any",
        source_ports="any",
        destination_ports="any",
        rows=(),
        description=DENIED,
    )
