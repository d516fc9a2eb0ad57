"""Estates of others in AWS: which cards wear which groups, and which ACL a subnet is behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final

from flowbridge.deployment.addresses import within
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface, Member, Network
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.aws.meaning.echoes import without_echoes
from flowbridge.providers.aws.meaning.filters import stages
from flowbridge.providers.aws.meaning.network_acls import NetworkAcls
from flowbridge.providers.aws.meaning.security_groups import SecurityGroups
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
from flowbridge.providers.terraform.blocks import Block, Reference
from flowbridge.providers.terraform.shown.document import LEFT_OPEN, FlatDocument
from flowbridge.providers.terraform.tags import is_for_interface, is_for_tier

_TABLE: Final = Path(__file__).with_name("attributes.yaml")
_GROUPS: Final = ("aws_security_group", "aws_default_security_group")
_CARDS: Final = ("aws_network_interface", "aws_instance")
_ACLS: Final = ("aws_network_acl", "aws_default_network_acl")
_RULES: Final = (
    "aws_security_group_rule",
    "aws_vpc_security_group_ingress_rule",
    "aws_vpc_security_group_egress_rule",
)
_ATTACHMENT: Final = "aws_network_interface_sg_attachment"
_ASSOCIATION: Final = "aws_network_acl_association"
_ENTRY: Final = "aws_network_acl_rule"
_OTHERS: Final = "others"


@dataclass(frozen=True, slots=True)
class _Card:
    """A network card, or the first one of an instance, and its groups as the document has them."""

    thing: Thing
    addresses: tuple[Network, ...]
    groups: tuple[str, ...]


def foreign(
    flat: FlatDocument, prior: FlatDocument, policy: Policy, site: Site, wearing: Wearing
) -> Foreign:
    """See `providers.provider.Provider.foreign`."""
    _looked_up_lists(flat)
    return _Estate(
        flat=without_echoes(flat, prior), policy=policy, site=site, wearing=wearing
    ).judged()


def _looked_up_lists(flat: FlatDocument) -> None:
    """A data source calls the entries of a prefix list by another name."""
    for body in flat.of("aws_ec2_managed_prefix_list").values():
        if "entries" in body:
            body.setdefault("entry", body.pop("entries"))


@dataclass(kw_only=True)
class _Estate:
    flat: FlatDocument
    policy: Policy
    site: Site
    wearing: Wearing
    untold: list[Unknown] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Cards whose groups a plan does not show in full.
        self.blind: set[str] = set()
        self.groups = things(self.flat, _GROUPS)
        self.cards = tuple(self._cards())

    def judged(self) -> Foreign:
        document: dict[str, Any] = {
            "resource": {
                kind: dict(named) for kind, named in self.flat.document["resource"].items()
            }
        }
        attached: dict[str, dict[str, str]] = {}
        document["resource"][_ATTACHMENT] = attached
        worn: dict[str, Worn] = {}
        placed: list[Interface] = []
        ours: set[str] = set()

        def attach(token: str, groups: Iterable[str]) -> None:
            for group in groups:
                body = {"network_interface_id": token, "security_group_id": group}
                attached[f"judged_{len(attached)}"] = body

        for interface in self.policy.interfaces:
            found = self._worn(interface)
            if found is None:
                continue
            how, members, taken = found
            ours.update(taken)
            worn[interface.key] = how
            listed = []
            for number, (member, groups) in enumerate(members):
                token = f"judged:{interface.key}:{number}"
                attach(token, groups)
                listed.append(replace(member, name=f"{member.name} {number}", attachment=token))
            placed.append(replace(interface, members=tuple(listed)))
        strangers = []
        for number, card in enumerate(self.cards):
            if card.thing.address not in ours and card.addresses:
                token = f"judged:{_OTHERS}:{number}"
                attach(token, card.groups)
                strangers.append(Member(card.thing.real, card.addresses, attachment=token))
        relevant = self._relevant(document, attached)
        enforcement = self._enforcement(document, placed, strangers)
        self.untold += unlisted(self.flat, relevant, attribute_table(_TABLE))
        self.untold += above(self.flat, attribute_table(_TABLE))
        concerned = {
            *relevant,
            *(card.thing.address for card in self.cards if card.thing.address in ours),
        }
        self.untold += unresolved(
            (
                each
                for each in self.flat.unresolved
                if each.flat.kind in (*_RULES, _ENTRY, _ASSOCIATION, _ATTACHMENT, *_ACLS)
                and each.attribute
                in (
                    "security_group_id",
                    "network_acl_id",
                    "subnet_id",
                    "subnet_ids",
                    "network_interface_id",
                )
            ),
            concerned,
        )
        real = self.flat.names.real
        told = (Unknown(real(u.rule), real(u.what), u.why) for u in dict.fromkeys(self.untold))
        return Foreign(
            renamed(enforcement, real), worn, tuple(told), tuple(dict.fromkeys(self.assumed))
        )

    # --- who wears what ------------------------------------------------------------------------

    def _cards(self) -> Iterator[_Card]:
        known = {each.address: each for each in things(self.flat, _CARDS)}
        attached: dict[str, list[str]] = {}
        for body in self.flat.of(_ATTACHMENT).values():
            attached.setdefault(str(body.get("network_interface_id")), []).append(
                str(body.get("security_group_id"))
            )
        for address, body in self.flat.of(*_CARDS).items():
            thing = known[address]
            if thing.kind == "aws_instance" and body.get("network_interface"):
                continue  # its cards are resources of their own
            key = (
                "security_groups"
                if thing.kind == "aws_network_interface"
                else "vpc_security_group_ids"
            )
            texts = [body.get("private_ip"), *(body.get("private_ips") or ())]
            texts += [
                *(body.get("secondary_private_ips") or ()),
                *(body.get("ipv6_addresses") or ()),
            ]
            texts = [
                text for text in dict.fromkeys(texts) if isinstance(text, str) and _is_address(text)
            ]
            groups = body.get(key) or ()
            groups = [groups] if isinstance(groups, str) else [str(each) for each in groups]
            ids = {f"${{{address}.{name}}}" for name in ("id", "primary_network_interface_id")}
            ids |= {
                str(body.get(name))
                for name in ("id", "primary_network_interface_id")
                if body.get(name)
            }
            if any(group.startswith(LEFT_OPEN) for group in groups):
                self.blind.add(address)
                groups = [group for group in groups if not group.startswith(LEFT_OPEN)]
            more = [group for card, listed in attached.items() if card in ids for group in listed]
            yield _Card(
                thing,
                tuple(ip_network(text) for text in texts),
                tuple(dict.fromkeys((*groups, *more))),
            )

    def _worn(
        self, interface: Interface
    ) -> tuple[Worn, list[tuple[Member, tuple[str, ...]]], set[str]] | None:
        """How it is known, each member with its groups, and the cards that are ours thereby."""
        given = self.wearing.interfaces.get(interface.key)
        if given is not None:
            return self._mapped(interface, given)
        tagged = tuple(
            thing
            for thing in self.groups
            if isinstance((body := self._body(thing)).get("tags"), Mapping)
            and is_for_interface(Block(thing.address, body), interface, self.site)
        )
        if tagged:
            refs = tuple(f"${{{each.address}.id}}" for each in tagged)
            worn = Worn(Found.TAGS, tuple(each.real for each in tagged))
            return worn, [(member, refs) for member in interface.members], set()
        found: list[tuple[Member, _Card]] = []
        how = Found.CARD
        lost = []
        for member in interface.members:
            if member.attachment is not None:
                card = self._by_name(member.attachment)
                if card is None and (groups := self._attached_to(member.attachment)):
                    card = _Card(
                        Thing(member.attachment, member.attachment, ()), member.private, groups
                    )
            else:
                card = next((c for c in self.cards if set(c.addresses) & set(member.private)), None)
                how = Found.ADDRESS
            if card is None:
                lost.append(member)
            else:
                found.append((member, card))
        if found:
            for member in lost:
                what = f"what {member.name} of {interface.key} wears is not in this plan"
                self.untold.append(Unknown(interface.key, what, Why.MEANING))
            return self._on_cards(interface, how, found)
        return self._called(interface)

    def _called(
        self, interface: Interface
    ) -> tuple[Worn, list[tuple[Member, tuple[str, ...]]], set[str]] | None:
        names = names_of(interface, self.policy, self.site.name)
        cards = [c for c in self.cards if names & set(map(plain_name, c.thing.names))]
        if cards:
            every = [
                (interface.members[min(i, len(interface.members) - 1)], c)
                for i, c in enumerate(cards)
            ]
            return self._on_cards(interface, Found.NAME, every)
        groups = [g for g in self.groups if names & set(map(plain_name, g.names))]
        if len(groups) == 1:
            how = Worn(Found.NAME, (groups[0].real,))
            refs = (f"${{{groups[0].address}.id}}",)
            return how, [(member, refs) for member in interface.members], set()
        what = "what it wears is not known: say it in a mapping file (`interfaces`)"
        self.untold.append(Unknown(interface.key, what, Why.MEANING))
        return None

    def _mapped(
        self, interface: Interface, given: tuple[str, ...]
    ) -> tuple[Worn, list[tuple[Member, tuple[str, ...]]], set[str]] | None:
        key = f"interfaces.{interface.key}"
        groups: list[str] = []
        cards: list[_Card] = []
        named: list[str] = []
        for name in given:
            if (
                thing := named_by(name, key, (*self.groups, *(c.thing for c in self.cards)))
            ) is None:
                if name.startswith("sg-"):
                    groups.append(name)  # a group elsewhere: its rules are not known
                    named.append(name)
                    continue
                if self._attached_to(name):
                    cards.append(_Card(Thing(name, name, ()), (), self._attached_to(name)))
                    named.append(name)
                    continue
                if not self.wearing.strict:
                    continue
                raise unnamed(name, key, (*self.groups, *(c.thing for c in self.cards)))
            named.append(thing.real)
            if thing.kind in _GROUPS:
                groups.append(f"${{{thing.address}.id}}")
            else:
                cards.append(next(c for c in self.cards if c.thing == thing))
        if not named:
            return None
        how = Worn(Found.MAPPING, tuple(named))
        if not cards:
            return how, [(member, tuple(groups)) for member in interface.members], set()
        members = []
        for number, card in enumerate(cards):
            own = next((m for m in interface.members if set(m.private) & set(card.addresses)), None)
            own = own or interface.members[min(number, len(interface.members) - 1)]
            members.append((own, tuple(dict.fromkeys((*groups, *card.groups)))))
            # Where the mapping names groups beside the card, these are all.
            if card.thing.address in self.blind and not groups:
                self.untold.append(_may_wear_more(card, interface))
        return how, members, {card.thing.address for card in cards}

    def _on_cards(
        self, interface: Interface, how: Found, found: list[tuple[Member, _Card]]
    ) -> tuple[Worn, list[tuple[Member, tuple[str, ...]]], set[str]]:
        for _, card in found:
            if not card.groups:
                what = f"it is {interface.key}, and its groups are not in this plan"
                self.untold.append(Unknown(card.thing.address, what, Why.MEANING))
            elif card.thing.address in self.blind:
                self.untold.append(_may_wear_more(card, interface))
        known = [(member, card) for member, card in found if card.groups]
        worn = Worn(how, tuple(card.thing.real for _, card in found))
        return worn, [(m, c.groups) for m, c in known], {c.thing.address for _, c in found}

    def _by_name(self, name: str) -> _Card | None:
        return next((c for c in self.cards if name.lower() in c.thing.names), None)

    def _attached_to(self, card: str) -> tuple[str, ...]:
        return tuple(
            str(body.get("security_group_id"))
            for body in self.flat.of(_ATTACHMENT).values()
            if body.get("network_interface_id") == card
        )

    def _body(self, thing: Thing) -> Mapping[str, Any]:
        return self.flat.of(thing.kind)[thing.address]

    # --- what of the document is about us --------------------------------------------------------

    def _relevant(
        self,
        document: dict[str, Any],
        attached: Mapping[str, Mapping[str, str]],
    ) -> tuple[str, ...]:
        """Takes the rules of groups that nobody of ours wears out of `document`: they open nothing
        for us, and need not be understood. What is left of groups and their rules."""
        ours = {
            reference.address
            for body in attached.values()
            if not body["network_interface_id"].startswith(f"judged:{_OTHERS}:")
            and (reference := Reference.parse(body["security_group_id"]))
        }
        for kind in _GROUPS:
            for name, body in document["resource"].get(kind, {}).items():
                if TerraformAddress.of(kind, name) not in ours:
                    document["resource"][kind][name] = {
                        key: value
                        for key, value in body.items()
                        if key not in ("ingress", "egress")
                    }
        kept = list(ours)
        for kind in _RULES:
            left = {}
            for name, body in document["resource"].get(kind, {}).items():
                owner = Reference.parse(body.get("security_group_id"))
                if owner is None or owner.address in ours:
                    left[name] = body
                    kept.append(TerraformAddress.of(kind, name))
            document["resource"][kind] = left
        return tuple(kept)

    # --- reading -------------------------------------------------------------------------------

    def _enforcement(
        self, document: dict[str, Any], placed: list[Interface], strangers: list[Member]
    ) -> Enforcement:
        tier = next(iter(self.site.network.tiers))
        other = (
            (Interface(workload=_OTHERS, name="cards", tier=tier, members=tuple(strangers)),)
            if strangers
            else ()
        )
        known = replace(self.policy, interfaces=(*placed, *other))
        groups, left_out = read_rest(
            document, lambda rest: SecurityGroups.read(rest, known, self.site)
        )
        self.untold += left_out
        judged = [each for each in placed if each.members]
        site = self._placed_site(document, {each.tier for each in judged})

        def acls_and_stages(rest: Mapping[str, Any]) -> Enforcement:
            acls = NetworkAcls.read(rest, site) if self.flat.of(*_ACLS) else None
            return stages(groups, acls, judged, self.policy)

        enforcement, left_out = read_rest(document, acls_and_stages)
        self.untold += left_out
        self._members(groups, {interface.key for interface in judged})
        behind = {
            point.interface
            for point, filters in enforcement.items()
            if any(stage.kind == "network-acl" for stage in filters)
        }
        for interface in judged:
            if interface.key not in behind:
                self.assumed.append(
                    f"tier {interface.tier}: no network ACL in this plan is for its subnets; the "
                    "default one lets everything pass"
                )
        return enforcement

    def _members(self, groups: SecurityGroups, judged: set[str]) -> None:
        """Groups that rules name as peers: who else wears them cannot be seen."""
        worn = {
            g
            for card, listed in groups.attached.items()
            if card.interface in judged
            for g in listed
        }
        named: dict[str, str] = {}
        for rule in groups.rules:
            if rule.group in worn:
                for group in rule.groups:
                    if group in groups.blocks:
                        named.setdefault(group, rule.block.address)
        carriers = [
            (TerraformAddress.of(kind, name), body)
            for kind, listed in self.flat.document["resource"].items()
            if kind not in (*_CARDS, *_GROUPS, *_RULES, _ATTACHMENT)
            for name, body in listed.items()
        ]
        for group, asking in named.items():
            wearer = next((a for a, body in carriers if f"${{{group}." in str(body)), None)
            blind = next(
                (
                    c.thing.address
                    for c in self.cards
                    if not c.addresses and any(f"${{{group}." in g for g in c.groups)
                ),
                None,
            )
            if wearer or (blind and not groups.addresses[group]):
                what = f"the addresses of {wearer or blind}, which wears {group},"
                self.untold.append(Unknown(asking, what, Why.PEERS))
            elif not groups.addresses[group]:
                what = f"the members of group {group}, which nothing in this plan wears,"
                self.untold.append(Unknown(asking, what, Why.PEERS))
            else:
                real = self.flat.names.real(group)
                self.assumed.append(f"only the cards of this plan and deployment wear {real}")

    def _placed_site(self, document: dict[str, Any], tiers: set[str]) -> Site:
        """The site with its subnets as the document names them, so that ACLs are found."""
        if not self.flat.of(*_ACLS):
            return self.site
        subnets = things(self.flat, ("aws_subnet",))
        new = dict(self.site.network.tiers)
        for name in sorted(tiers):
            tier = new[name]
            given = self.wearing.subnets.get(name) or tier.subnets
            if given:
                found = []
                for each in given:
                    thing = named_by(each, f"subnets.{name}", subnets)
                    if thing is None and not each.startswith("subnet-") and self.wearing.strict:
                        raise unnamed(each, f"subnets.{name}", subnets)
                    found.append(each if thing is None else f"${{{thing.address}.id}}")
                new[name] = tier.model_copy(update={"subnets": tuple(found)})
                continue
            inside = sorted(
                (cidr, thing.address)
                for thing in subnets
                if (cidr := _network(self._body(thing).get("cidr_block"))) is not None
                and within(cidr, tier.cidrs)
            )
            if inside:
                new[name] = tier.model_copy(
                    update={
                        "cidrs": tuple(cidr for cidr, _ in inside),
                        "subnets": tuple(f"${{{address}.id}}" for _, address in inside),
                    }
                )
            elif not any(
                is_for_tier(Block(address, body), name, self.site)
                for address, body in self.flat.of(*_ACLS).items()
                if isinstance(body.get("tags"), Mapping)
            ):
                what = (
                    f"which network ACL of this plan tier {name} is behind is not known: name its "
                    "subnets in the deployment or mapping file"
                )
                self.untold.append(Unknown(f"tier {name}", what, Why.MEANING))
        site = self.site.model_copy(
            update={"network": self.site.network.model_copy(update={"tiers": new})}
        )
        self._on_default(document, site)
        return site

    def _on_default(self, document: dict[str, Any], site: Site) -> None:
        """Subnets that no ACL names are behind the adopted default one."""
        adopted = self.flat.of("aws_default_network_acl")
        if len(adopted) != 1:
            for address in adopted:
                what = "which subnets are behind this default ACL is not known"
                self.untold.append(Unknown(address, what, Why.MEANING))
            return
        taken = {
            text for body in self.flat.of(*_ACLS).values() for text in body.get("subnet_ids") or ()
        } | {body.get("subnet_id") for body in self.flat.of(_ASSOCIATION).values()}
        [default] = adopted
        for tier in site.network.tiers.values():
            for subnet in tier.subnets:
                if subnet not in taken:
                    associations = document["resource"].setdefault(_ASSOCIATION, {})
                    associations[f"judged_{len(associations)}"] = {
                        "subnet_id": subnet,
                        "network_acl_id": f"${{{default}.id}}",
                    }


def _may_wear_more(card: _Card, interface: Interface) -> Unknown:
    what = (
        "a plan does not show ids that are written out beside groups that are known after the "
        f"apply; name all groups of {interface.key} in a mapping file (`interfaces`)"
    )
    return Unknown(card.thing.address, what, Why.MEANING)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _network(text: object) -> Network | None:
    try:
        return ip_network(text) if isinstance(text, str) else None
    except ValueError:
        return None
