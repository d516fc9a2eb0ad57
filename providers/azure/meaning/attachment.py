"""Where NSGs and application security groups apply: associations first, tags where there are none.

An NSG on a subnet is found by its association with a subnet of the tier, or, where the
deployment names no subnets, by the tag `flowbridge:tier`. An NSG on cards and an application
security group are found by their association with the cards that the deployment names, or, for
cards that it does not name, by the tags `flowbridge:workload` and `flowbridge:interface`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.deployment.addresses import within
from flowbridge.deployment.file.site import AzureSite, Site, Tier
from flowbridge.deployment.interface import Interface, Member
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.surrounding import anyone_in
from flowbridge.providers.terraform.blocks import Block, refer, resources
from flowbridge.providers.terraform.tags import is_for_interface, is_for_tier

# By member name; several where the member may sit in several subnets; None: no NSG.
Attached = Mapping[str, tuple[str | None, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`groups` are the application security groups, `addresses` the private addresses in each."""

    site: Site
    policy: Policy
    nsgs: Mapping[str, Block]
    groups: Mapping[str, Block]
    of_subnet: Mapping[str, str]
    of_card: Mapping[str, str]
    memberships: Mapping[str, frozenset[str]]  # interface key and member name -> groups
    addresses: Mapping[str, tuple[Network, ...]]

    @classmethod
    def read(
        cls, terraform: Mapping[str, Any], nsgs: Mapping[str, Block], policy: Policy, site: Site
    ) -> Placement:
        """ValueError names an association that cannot be understood."""
        groups = resources(terraform, "azurerm_application_security_group")
        cards = _pairs(
            terraform,
            "azurerm_network_interface_application_security_group_association",
            "network_interface_id",
            "application_security_group_id",
            groups,
        )
        memberships: dict[str, frozenset[str]] = {}
        addresses: dict[str, tuple[Network, ...]] = dict.fromkeys(groups, ())
        for interface in policy.interfaces:
            tagged = [g for g, block in groups.items() if is_for_interface(block, interface, site)]
            for member in interface.members:
                card = member.attachment
                here = frozenset(
                    [g for place, g in cards if _is_card(place, card, site)] if card else tagged
                )
                memberships[_key(interface, member)] = here
                for group in sorted(here):
                    addresses[group] = (*addresses.get(group, ()), *member.private)
        return cls(
            site=site,
            policy=policy,
            nsgs=nsgs,
            groups=groups,
            of_subnet=_one_each(
                terraform,
                "azurerm_subnet_network_security_group_association",
                "subnet_id",
                nsgs,
            ),
            of_card=_one_each(
                terraform,
                "azurerm_network_interface_security_group_association",
                "network_interface_id",
                nsgs,
            ),
            memberships=memberships,
            addresses=addresses,
        )

    def groups_of(self, interface: Interface, member: Member) -> frozenset[str]:
        return self.memberships.get(_key(interface, member), frozenset())

    def on_subnet(self, interface: Interface) -> Attached | None:
        """The subnet's NSG for each member; None where the file manages none for the tier."""
        tier = self.site.network.tiers[interface.tier]
        tagged = [
            nsg
            for nsg, block in self.nsgs.items()
            if is_for_tier(block, interface.tier, self.site) and not self._is_for_cards(nsg)
        ]
        subnets = tier.subnets
        attached = {subnet: self._at_subnet(subnet) for subnet in subnets}
        if not tagged and not any(attached.values()):
            return None
        if not subnets and len(tagged) > 1:
            raise ValueError(
                f"{' and '.join(tagged)} are both tagged for tier {interface.tier}, and the "
                "deployment names no subnets that would tell which one applies"
            )
        # One subnet id per CIDR, in order; where the counts differ, any member may be anywhere.
        matched = len(subnets) == len(tier.cidrs)
        placed = tuple(zip(subnets, tier.cidrs, strict=True)) if matched else ()
        out: dict[str, tuple[str | None, ...]] = {}
        for member in interface.members:
            here = _subnets_of(member, placed) or subnets
            out[member.name] = tuple(attached[subnet] for subnet in here) or (tagged[0],)
        return out

    def on_card(self, interface: Interface) -> Attached | None:
        """The card's NSG for each member; None where the file manages none for the interface."""
        tagged = [
            nsg
            for nsg, block in self.nsgs.items()
            if is_for_interface(block, interface, self.site) and nsg not in self.of_subnet.values()
        ]
        cards = {m.name: m.attachment for m in interface.members}
        attached = {name: self._at_card(card) for name, card in cards.items() if card}
        if len(tagged) > 1:
            raise ValueError(f"{' and '.join(tagged)} are both tagged for {interface.key}")
        if not tagged and not any(attached.values()):
            return None
        by_tag = tagged[0] if tagged else None
        return {name: (attached.get(name) if card else by_tag,) for name, card in cards.items()}

    def _at_subnet(self, subnet: str) -> str | None:
        found = (nsg for id_, nsg in self.of_subnet.items() if _is_subnet(id_, subnet, self.site))
        return next(found, None)

    def _at_card(self, card: str) -> str | None:
        found = (nsg for id_, nsg in self.of_card.items() if _is_card(id_, card, self.site))
        return next(found, None)

    def _is_for_cards(self, nsg: str) -> bool:
        if nsg in self.of_subnet.values():
            return False
        if nsg in self.of_card.values():
            return True
        block = self.nsgs[nsg]
        return any(is_for_interface(block, card, self.site) for card in self.policy.interfaces)


def hosts_of_subnets(name: str, tier: Tier) -> tuple[Interface, ...]:
    """Whoever stands in the subnets of a tier: one interface for each subnet, or one for all where
    it is not known which CIDR is whose."""
    if len(tier.subnets) != len(tier.cidrs):
        return (anyone_in(name, "any subnet", tier.cidrs),)
    return tuple(
        anyone_in(name, subnet, (cidr,))
        for subnet, cidr in zip(tier.subnets, tier.cidrs, strict=True)
    )


def _subnets_of(member: Member, placed: Iterable[tuple[str, Network]]) -> tuple[str, ...]:
    """The subnets that hold an address of `member`."""
    return tuple(
        dict.fromkeys(
            subnet for subnet, cidr in placed for own in member.private if within(own, [cidr])
        )
    )


def _is_subnet(id_: str, named: str, site: Site) -> bool:
    """Whether the id of a resource is the subnet that the deployment names, by name or id."""
    section = AzureSite.of(site).network
    network = section.id or section.vnet or ""
    return _is_named(id_, named, "subnets", ("virtualnetworks", network.rsplit("/", 1)[-1]))


def _is_card(id_: str, named: str, site: Site) -> bool:
    """Whether the id of a resource is the network card that the deployment names."""
    group = AzureSite.of(site).network.resource_group or ""
    return _is_named(id_, named, "networkinterfaces", ("resourcegroups", group))


def _is_named(id_: str, named: str, kind: str, inside: tuple[str, str]) -> bool:
    """Ids of Azure do not tell capitals apart. A bare name is one inside `inside`.

    What the file leaves to an expression (the subscription, a network passed in) fits any.
    """
    id_, named, container = id_.lower(), named.lower(), inside[1].lower()
    if "/" in named or "${" in named:
        return id_ == named
    if not id_.endswith(f"/{kind}/{named}"):
        return False
    found = re.search(rf"/{inside[0]}/([^/]+)/", id_)
    return found is None or not container or "${" in found[1] or found[1] == container


def _key(interface: Interface, member: Member) -> str:
    return f"{interface.key} {member.name}"


def _pairs(
    terraform: Mapping[str, Any],
    kind: str,
    where_key: str,
    what_key: str,
    known: Mapping[str, Block],
) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for block in resources(terraform, kind).values():
        where, what = block.text(where_key), block.text(what_key)
        if where is None or what is None:
            raise block.refusal(f"`{where_key}` and `{what_key}` are both needed")
        out.append((where.lower(), refer(what, known, block, what_key) or what))
    return out


def _one_each(
    terraform: Mapping[str, Any], kind: str, where_key: str, nsgs: Mapping[str, Block]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for where, nsg in _pairs(terraform, kind, where_key, "network_security_group_id", nsgs):
        if found.setdefault(where, nsg) != nsg:
            raise ValueError(f"{kind}: {where} has {found[where]} already and cannot have {nsg}")
    return found
