"""Estates of others in Azure: which NSGs stand before an interface, and who is in which group."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from flowbridge.deployment.addresses import within
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface, Member, Network
from flowbridge.policy.compiled import Policy
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.azure.meaning.attachment import Placement
from flowbridge.providers.azure.meaning.filters import enforcement
from flowbridge.providers.meaning.foreign import (
    Foreign,
    Found,
    Thing,
    Wearing,
    Worn,
    above,
    named_by,
    names_of,
    plain_name,
    read_rest,
    renamed,
    things,
    unlisted,
    unnamed,
    unresolved,
)
from flowbridge.providers.terraform.address import TerraformAddress
from flowbridge.providers.terraform.attribute_table import attribute_table
from flowbridge.providers.terraform.blocks import Reference, resources
from flowbridge.providers.terraform.shown.document import FlatDocument

_TABLE: Final = Path(__file__).with_name("attributes.yaml")
_NSG: Final = "azurerm_network_security_group"
_RULE: Final = "azurerm_network_security_rule"
_ASG: Final = "azurerm_application_security_group"
_CARD: Final = "azurerm_network_interface"
_SUBNET: Final = "azurerm_subnet"
_NETWORK: Final = "azurerm_virtual_network"
_ON_CARD: Final = "azurerm_network_interface_security_group_association"
_ON_SUBNET: Final = "azurerm_subnet_network_security_group_association"
_IN_GROUP: Final = "azurerm_network_interface_application_security_group_association"
_OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class _Card:
    thing: Thing
    addresses: tuple[Network, ...]
    ids: frozenset[str]  # how the document refers to it, in small letters


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands before one member: references or ids."""

    member: Member
    nsgs: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def foreign(
    flat: FlatDocument, prior: FlatDocument, policy: Policy, site: Site, wearing: Wearing
) -> Foreign:
    """See `providers.provider.Provider.foreign`."""
    return _Estate(
        flat=_without_echoes(flat, prior), policy=policy, site=site, wearing=wearing
    ).judged()


def _without_echoes(flat: FlatDocument, prior: FlatDocument) -> FlatDocument:
    """Each rule with its NSG by reference; and NSGs without the rules that are resources of their
    own, which the provider repeats in `security_rule`."""
    made: defaultdict[str, set[str]] = defaultdict(set)
    for document in (prior, flat):
        for body in document.of(_RULE).values():
            owner = _owner(body, document)
            if owner is not None:
                made[owner].add(str(body.get("name")).lower())
    found = {kind: dict(named) for kind, named in flat.document["resource"].items()}
    for name, body in found.get(_RULE, {}).items():
        owner = _owner(body, flat)
        if owner is not None:
            found[_RULE][name] = {**body, "network_security_group_name": f"${{{owner}.name}}"}
    for name, body in found.get(_NSG, {}).items():
        listed = body.get("security_rule")
        if isinstance(listed, list) and "security_rule" not in flat.explicit.get(name, ()):
            own = made[f"{_NSG}.{name}"]
            left = [each for each in listed if str(each.get("name")).lower() not in own]
            found[_NSG][name] = {**body, "security_rule": left}
    return replace(flat, document={**flat.document, "resource": found})


def _owner(body: Mapping[str, Any], flat: FlatDocument) -> str | None:
    """The NSG that a rule names, in its resource group; None where that is not one of `flat`."""
    name = body.get("network_security_group_name")
    reference = Reference.parse(name)
    if reference is not None:
        return reference.address if reference.type == _NSG else None
    group = str(body.get("resource_group_name")).lower()
    named = [
        (address, str(nsg.get("resource_group_name")).lower())
        for address, nsg in flat.of(_NSG).items()
        if str(nsg.get("name")).lower() == str(name).lower()
    ]
    if len(named) > 1:
        named = [each for each in named if each[1] == group] or named
    return named[0][0] if len(named) == 1 else None


@dataclass(kw_only=True)
class _Estate:
    flat: FlatDocument
    policy: Policy
    site: Site
    wearing: Wearing
    untold: list[Unknown] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.nsgs = things(self.flat, (_NSG,))
        self.groups = things(self.flat, (_ASG,))
        self.cards = tuple(self._cards())
        self.on_card = self._pairs(_ON_CARD, "network_interface_id", "network_security_group_id")
        self.in_group = self._pairs(
            _IN_GROUP, "network_interface_id", "application_security_group_id"
        )

    def judged(self) -> Foreign:
        document: dict[str, Any] = {
            "resource": {
                kind: dict(named) for kind, named in self.flat.document["resource"].items()
            }
        }
        self._inline_subnets(document)
        site = self._placed_site()
        worn: dict[str, Worn] = {}
        placed: list[Interface] = []
        ours: set[str] = set()
        for interface in self.policy.interfaces:
            found = self._worn(interface, document, site)
            if found is None:
                continue
            worn[interface.key], places, taken = found
            ours |= taken
            members = []
            for number, place in enumerate(places):
                if not place.nsgs and not place.groups:
                    members.append(place.member)
                    continue
                token = f"/judged/{interface.key}/{number}"
                name = f"{place.member.name} {number}"
                members.append(replace(place.member, name=name, attachment=token))
                _associate(document, token, place)
            placed.append(replace(interface, members=tuple(members)))
        strangers = []
        for number, card in enumerate(self.cards):
            groups = [group for where, group in self.in_group if where in card.ids]
            if card.thing.address not in ours and card.addresses and groups:
                token = f"/judged/{_OTHERS}/{number}"
                strangers.append(Member(card.thing.real, card.addresses, attachment=token))
                _associate(document, token, _Place(strangers[-1], (), tuple(groups)))
        tier = next(iter(site.network.tiers))
        other = (
            (Interface(workload=_OTHERS, name="cards", tier=tier, members=tuple(strangers)),)
            if strangers
            else ()
        )
        known = replace(self.policy, interfaces=(*placed, *other))
        relevant = self._relevant(document, known, site, placed)

        def read(rest: Mapping[str, Any]) -> Any:
            return enforcement(rest, known, site, placed)

        result, left_out = read_rest(document, read)
        self.untold += left_out
        for interface in placed:
            if not any(f for p, f in result.items() if p.interface == interface.key):
                what = "no NSG of this plan stands before it, so that everything passes"
                self.untold.append(Unknown(interface.key, what, Why.MEANING))
        self.untold += unlisted(self.flat, relevant, attribute_table(_TABLE))
        self.untold += above(self.flat, attribute_table(_TABLE))
        self._members(document, relevant, known, site)
        kinds = (_RULE, _ON_CARD, _ON_SUBNET, _IN_GROUP)
        owners = (
            "network_security_group_name",
            "network_security_group_id",
            "subnet_id",
            "network_interface_id",
            "application_security_group_id",
        )
        self.untold += unresolved(
            (
                each
                for each in self.flat.unresolved
                if each.flat.kind in kinds and each.attribute in owners
            ),
            {*relevant, *ours},
        )
        real = self.flat.names.real
        told = (Unknown(real(u.rule), real(u.what), u.why) for u in dict.fromkeys(self.untold))
        assumed = tuple(dict.fromkeys(map(real, self.assumed)))
        return Foreign(renamed(result, real), worn, tuple(told), assumed)

    # --- who is where --------------------------------------------------------------------------

    def _cards(self) -> Iterator[_Card]:
        for thing in things(self.flat, (_CARD,)):
            body = self.flat.of(_CARD)[thing.address]
            addresses = [
                ip_network(text)
                for part in body.get("ip_configuration") or ()
                if isinstance(text := part.get("private_ip_address"), str)
                and "$" not in text
                and text
            ]
            ids = {f"${{{thing.address}.id}}", str(body.get("id")).lower()}
            yield _Card(thing, tuple(addresses), frozenset(ids))

    def _pairs(self, kind: str, where: str, what: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            (str(body.get(where)).lower(), str(body.get(what)))
            for body in self.flat.of(kind).values()
        )

    def _of_card(self, member: Member, card: _Card) -> _Place:
        return _Place(
            member,
            tuple(nsg for where, nsg in self.on_card if where in card.ids),
            tuple(group for where, group in self.in_group if where in card.ids),
        )

    def _worn(
        self, interface: Interface, document: Mapping[str, Any], site: Site
    ) -> tuple[Worn, list[_Place], set[str]] | None:
        given = self.wearing.interfaces.get(interface.key)
        if given is not None:
            return self._mapped(interface, given)
        as_is = [_Place(member) for member in interface.members]
        alone = replace(self.policy, interfaces=(interface,))
        nsgs = resources(document, _NSG)
        try:
            here = Placement.read(document, nsgs, alone, site)
            subnet, card = here.on_subnet(interface), here.on_card(interface)
        except ValueError:
            subnet = card = None
        found = [
            (member, other)
            for member in interface.members
            for other in self.cards
            if (member.attachment or "").rsplit("/", 1)[-1].lower() in other.thing.names
            or (member.attachment is None and set(member.private) & set(other.addresses))
        ]
        if found:
            lost = [m for m in interface.members if m not in [own for own, _ in found]]
            for member in lost:
                what = f"the card of {member.name} is not in this plan"
                self.untold.append(Unknown(interface.key, what, Why.MEANING))
            how = Found.CARD if found[0][0].attachment else Found.ADDRESS
            places = [self._of_card(member, other) for member, other in found]
            worn = Worn(how, tuple(other.thing.real for _, other in found))
            return worn, places, {other.thing.address for _, other in found}
        if card is not None:
            how = Found.CARD if any(m.attachment for m in interface.members) else Found.TAGS
            return Worn(how, _real_names(card, self.flat)), as_is, set()
        if subnet is not None:
            return Worn(Found.SUBNET, _real_names(subnet, self.flat)), as_is, set()
        names = names_of(interface, self.policy, self.site.name)
        called = [c for c in self.cards if names & set(map(plain_name, c.thing.names))]
        if called:
            last = len(interface.members) - 1
            places = [
                self._of_card(interface.members[min(i, last)], card)
                for i, card in enumerate(called)
            ]
            worn = Worn(Found.NAME, tuple(c.thing.real for c in called))
            return worn, places, {c.thing.address for c in called}
        nsgs_called = [n for n in self.nsgs if names & set(map(plain_name, n.names))]
        if len(nsgs_called) == 1:
            return self._behind(interface, Found.NAME, nsgs_called, [])
        what = "which NSG stands before it is not known: say it in a mapping file (`interfaces`)"
        self.untold.append(Unknown(interface.key, what, Why.MEANING))
        return None

    def _behind(
        self,
        interface: Interface,
        how: Found,
        nsgs: Iterable[Thing],
        groups: Iterable[Thing],
    ) -> tuple[Worn, list[_Place], set[str]]:
        """Each member behind each of `nsgs`: a card has one, so several are of several cards."""
        several = list(nsgs)
        in_groups = tuple(f"${{{each.address}.id}}" for each in groups)
        places = [
            _Place(member, (f"${{{nsg.address}.id}}",), in_groups)
            for nsg in several
            for member in interface.members
        ] or [_Place(member, (), in_groups) for member in interface.members]
        return Worn(how, tuple(each.real for each in (*several, *groups))), places, set()

    def _mapped(
        self, interface: Interface, given: tuple[str, ...]
    ) -> tuple[Worn, list[_Place], set[str]] | None:
        key = f"interfaces.{interface.key}"
        everything = (*self.nsgs, *self.groups, *(card.thing for card in self.cards))
        named = []
        for name in given:
            thing = named_by(name, key, everything)
            if thing is None and self.wearing.strict:
                raise unnamed(name, key, everything)
            if thing is not None:
                named.append(thing)
        if not named:
            return None
        nsgs = [thing for thing in named if thing.kind == _NSG]
        groups = [thing for thing in named if thing.kind == _ASG]
        cards = [card for card in self.cards if card.thing in named]
        if not cards:
            return self._behind(interface, Found.MAPPING, nsgs, groups)
        places = []
        for number, card in enumerate(cards):
            own = next((m for m in interface.members if set(m.private) & set(card.addresses)), None)
            own = own or interface.members[min(number, len(interface.members) - 1)]
            place = self._of_card(own, card)
            more = tuple(f"${{{each.address}.id}}" for each in groups)
            on = tuple(f"${{{each.address}.id}}" for each in nsgs) or place.nsgs
            places.append(_Place(own, on, tuple(dict.fromkeys((*place.groups, *more)))))
        worn = Worn(Found.MAPPING, tuple(each.real for each in named))
        return worn, places, {card.thing.address for card in cards}

    def _inline_subnets(self, document: dict[str, Any]) -> None:
        """Subnets written inside their network name their NSG there."""
        for address, body in self.flat.of(_NETWORK).items():
            for number, subnet in enumerate(body.get("subnet") or ()):
                if isinstance(subnet, Mapping) and subnet.get("security_group"):
                    where = str(subnet.get("id") or f"/{address}/subnets/{subnet.get('name')}")
                    taken = [
                        str(b.get("subnet_id")).lower() for b in self.flat.of(_ON_SUBNET).values()
                    ]
                    if where.lower() not in taken and "$" not in where:
                        associations = document["resource"].setdefault(_ON_SUBNET, {})
                        associations[f"judged_{len(associations)}_{number}"] = {
                            "subnet_id": where,
                            "network_security_group_id": subnet["security_group"],
                        }

    def _placed_site(self) -> Site:
        """The site with its subnets as the document names them."""
        subnets = things(self.flat, (_SUBNET,))
        new = dict(self.site.network.tiers)
        for name, tier in self.site.network.tiers.items():
            given = self.wearing.subnets.get(name) or tier.subnets
            if given:
                found = []
                for each in given:
                    thing = named_by(each.rsplit("/", 1)[-1], f"subnets.{name}", subnets)
                    thing = thing or named_by(each, f"subnets.{name}", subnets)
                    found.append(each if thing is None else f"${{{thing.address}.id}}")
                new[name] = tier.model_copy(update={"subnets": tuple(found)})
                continue
            inside = sorted(
                (ip_network(prefix), thing.address)
                for thing in subnets
                for prefix in self.flat.of(_SUBNET)[thing.address].get("address_prefixes") or ()
                if isinstance(prefix, str)
                and "$" not in prefix
                and within(ip_network(prefix), tier.cidrs)
            )
            if inside:
                new[name] = tier.model_copy(
                    update={
                        "cidrs": tuple(cidr for cidr, _ in inside),
                        "subnets": tuple(f"${{{address}.id}}" for _, address in inside),
                    }
                )
        network = self.site.network.model_copy(update={"tiers": new})
        return self.site.model_copy(update={"network": network})

    # --- what of the document is about us -----------------------------------------------------

    def _relevant(
        self,
        document: dict[str, Any],
        known: Policy,
        site: Site,
        placed: Iterable[Interface],
    ) -> tuple[str, ...]:
        """Takes the rules of NSGs that stand before none of ours out of `document`."""
        here, _ = read_rest(
            document,
            lambda rest: Placement.read(rest, resources(rest, _NSG), known, site),
        )
        ours: set[str] = set()
        for interface in placed:
            for attached in (here.on_subnet(interface), here.on_card(interface)):
                ours |= {nsg for nsgs in (attached or {}).values() for nsg in nsgs if nsg}
        for name, body in document["resource"].get(_NSG, {}).items():
            if f"{_NSG}.{name}" not in ours:
                document["resource"][_NSG][name] = {**body, "security_rule": []}
        left: dict[str, Any] = {}
        kept = list(ours)
        for name, body in document["resource"].get(_RULE, {}).items():
            owner = _owner(body, self.flat)
            if owner is None or owner in ours:
                left[name] = body
                kept.append(f"{_RULE}.{name}")
        document["resource"][_RULE] = left
        return tuple(kept)

    def _members(
        self, document: Mapping[str, Any], relevant: Iterable[str], known: Policy, site: Site
    ) -> None:
        """Groups that rules name: who else is in them cannot be seen."""
        here, _ = read_rest(
            document,
            lambda rest: Placement.read(rest, resources(rest, _NSG), known, site),
        )
        for address in relevant:
            kind, name = TerraformAddress(address).kind, TerraformAddress(address).name
            body = document["resource"].get(kind, {}).get(name, {})
            blocks = body.get("security_rule") or () if kind == _NSG else (body,)
            for block in blocks:
                for end in ("source", "destination"):
                    for text in block.get(f"{end}_application_security_group_ids") or ():
                        reference = Reference.parse(text)
                        if reference is None:
                            continue
                        if here.addresses.get(reference.address):
                            group = reference.address
                            self.assumed.append(
                                f"only the cards of this plan and deployment are in {group}"
                            )
                        else:
                            what = f"the members of group {reference.address}"
                            self.untold.append(Unknown(address, what, Why.PEERS))


def _associate(document: dict[str, Any], token: str, place: _Place) -> None:
    for kind, key, listed in (
        (_ON_CARD, "network_security_group_id", place.nsgs),
        (_IN_GROUP, "application_security_group_id", place.groups),
    ):
        named = document["resource"].setdefault(kind, {})
        for each in listed:
            named[f"judged_{len(named)}"] = {"network_interface_id": token, key: each}


def _real_names(
    attached: Mapping[str, tuple[str | None, ...]], flat: FlatDocument
) -> tuple[str, ...]:
    found = dict.fromkeys(nsg for nsgs in attached.values() for nsg in nsgs if nsg)
    return tuple(map(flat.names.real, found))
