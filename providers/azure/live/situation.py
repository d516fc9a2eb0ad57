"""The live estate of a deployment in Azure: its filters, who made each rule, and what departs.

Pure: made from the answers of one fetch. The meaning of rules is that of Terraform JSON
(`providers.azure.meaning.filters`); see `live_terraform` and `live_admin`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface
from flowbridge.policy.audit.estate import Departure, Deviation, Estate, LiveRule, Unread
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, Order, unknown_of
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.unknown import Unknown
from flowbridge.providers.azure.emit.terraform import DENIED, GROUP, NSG
from flowbridge.providers.azure.live.admin_rules import AdminRules, admin_text
from flowbridge.providers.azure.live.answers import (
    Answers,
    Part,
    Row,
    properties,
    same,
    subnets_of,
    tags_of,
)
from flowbridge.providers.azure.live.as_terraform import (
    groups_in,
    live_terraform,
    rules_of,
    terraform_id,
)
from flowbridge.providers.azure.live.faults import garbled
from flowbridge.providers.azure.live.identity import (
    Identity,
    identify,
    planned_members,
    planned_subnets,
    rule_id,
)
from flowbridge.providers.azure.live.placement import STRANGERS, Card, Placement, live_site, place
from flowbridge.providers.azure.meaning.filters import enforcement
from flowbridge.providers.live.addresses import private_departures
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.providers.terraform.blocks import Block, resources, row_ids
from flowbridge.providers.terraform.nested_address import nested_addresses
from flowbridge.providers.terraform.tags import is_for_interface

_KIND: Final = "nsg"
# An NSG on a card stands beside that of the subnet, and the plan has none: it can only refuse.
_CARD_KIND: Final = "nsg-of-card"
_ADMIN_KIND: Final = "security-admin"
_NEEDED: Final = (Part.NETWORKS, Part.NSGS, Part.CARDS)


def estate(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any], access: Access
) -> Estate:
    """See `providers.live.contract.LiveReader.estate`.

    Without the networks, the NSGs or the cards nothing is judged: who is a member of a group is
    known from the cards alone.
    """
    if not answers.has(*_NEEDED):
        return _unjudged(answers)
    try:
        return _Reading.of(answers, policy, site, planned, access).estate()
    except ODD_SHAPE as error:
        # An answer of a shape that is not documented, or a rule that has no meaning.
        return _unjudged(answers, garbled(answers.scope, error))


def _unjudged(answers: Answers, *more: Unread) -> Estate:
    unread = (*answers.audit_unread, *more)
    return Estate(answers.scope, {}, {}, (), unread, managed=True, read=_counts(answers))


def _counts(answers: Answers) -> dict[str, int]:
    aside = (Part.USAGES, Part.RESOURCE_GROUP)
    return {str(part): len(rows) for part, rows in answers.parts.items() if part not in aside}


@dataclass(frozen=True, slots=True)
class _Reading:
    """Everything that the parts of an estate are made from."""

    answers: Answers
    policy: Policy
    site: Site
    planned: Mapping[str, Any]
    identity: Identity
    placement: Placement
    subnets: Mapping[str, Row]
    nsgs: Mapping[str, Row]

    @classmethod
    def of(
        cls,
        answers: Answers,
        policy: Policy,
        site: Site,
        planned: Mapping[str, Any],
        access: Access,
    ) -> _Reading:
        placement = place(answers, policy, access.placed)
        return cls(
            answers,
            policy,
            live_site(site, answers, placement),
            planned,
            identify(answers, planned),
            placement,
            subnets_of(answers),
            {str(row["id"]).lower(): row for row in answers.rows(Part.NSGS)},
        )

    def estate(self) -> Estate:
        nsgs = self._relevant()
        judged, admin = self._enforcement(nsgs)
        rules = {rule.id: rule for rule in (*self._rules(nsgs), *self._admin_rules(admin))}
        unknown = unknown_of(judged)
        return Estate(
            scope=self.answers.scope,
            enforcement=judged,
            rules=rules,
            deviations=(*self._deviations(admin), *self._unresolved(unknown, rules)),
            unread=self.answers.audit_unread,
            managed=self.identity.managed,
            notes=tuple(self._notes()),
            read=_counts(self.answers),
        )

    def _cards(self, key: str) -> list[Card]:
        return [card for _, card in self.placement.cards[key]]

    def _own_cards(self) -> list[Card]:
        return [card for key in self.placement.cards for card in self._cards(key)]

    def _nsg_at(self, subnet: str) -> str | None:
        """The id of the NSG on a subnet, in lower case."""
        found = properties(self.subnets.get(subnet.lower(), {})).get("networkSecurityGroup") or {}
        return str(found["id"]).lower() if found.get("id") else None

    def _tier_subnets(self) -> set[str]:
        """The ids of the subnets of all tiers that have interfaces, in lower case."""
        tiers = {interface.tier for interface in self.policy.interfaces}
        return {s.lower() for tier in tiers for s in self.site.network.tiers[tier].subnets}

    def _relevant(self) -> dict[str, Row]:
        """Ours, and those on our subnets and cards."""
        ids = [str(row["id"]).lower() for row in self.identity.nsgs.values()]
        ids += [nsg for s in sorted(self._tier_subnets()) if (nsg := self._nsg_at(s))]
        ids += [card.nsg.lower() for card in self._own_cards() if card.nsg]
        for placed in self.placement.placed.values():
            ids += [nsg for text in placed if (nsg := self._placed_id(text))]
        return {nsg: self.nsgs[nsg] for nsg in dict.fromkeys(ids) if nsg in self.nsgs}

    def _placed_id(self, text: str) -> str | None:
        for nsg, row in self.nsgs.items():
            if text.lower() in (nsg, str(row.get("name")).lower()):
                return nsg
        return None

    def _enforcement(self, nsgs: Mapping[str, Row]) -> tuple[Enforcement, AdminRules]:
        judged, placed, stands_for = self._placed()
        made_up = {interface.key: interface for interface in judged}
        everyone = tuple(made_up.get(each.key, each) for each in self.placement.interfaces)
        named = groups_in(row for nsg in nsgs.values() for row in rules_of(nsg))
        ours = {str(row["id"]) for row in self.identity.groups.values()}
        groups = {group.lower(): group for group in sorted(named | ours)}
        strangers = tuple(
            card.as_member()
            for card in self.placement.strangers
            if any(group.lower() in groups for group in card.groups)
        )
        site = self.site
        if strangers:
            everyone = (*everyone, replace(STRANGERS, members=strangers))
            one = next(iter(site.network.tiers.values()))
            tiers = {**site.network.tiers, STRANGERS.tier: one}
            network = site.network.model_copy(update={"tiers": tiers})
            site = site.model_copy(update={"network": network})
        known = replace(self.policy, interfaces=everyone)
        memberships = [
            (card.id, groups[group.lower()])
            for card in self.placement.everyone
            for group in card.groups
            if group.lower() in groups
        ]
        memberships += [
            (card, group)
            for card, real in stands_for.items()
            for member, group in tuple(memberships)
            if member == real
        ]
        on_subnets = [
            (subnet, nsg)
            for subnet in sorted(self._tier_subnets())
            if (nsg := self._nsg_at(subnet)) is not None
        ]
        on_cards = [(card.id, card.nsg) for card in self._own_cards() if card.nsg]
        on_cards += placed
        holding = {nsg.lower() for _, nsg in on_cards}
        everything = live_terraform(
            nsgs.values(), groups.values(), self.identity.tags, memberships, on_subnets, ()
        )
        at_cards = live_terraform(
            [row for nsg, row in nsgs.items() if nsg in holding],
            groups.values(),
            {nsg: {} for nsg in holding} | dict(self.identity.tags),
            memberships,
            (),
            on_cards,
        )
        names = _Names(nsgs.values())
        of_subnets = enforcement(everything, known, site, judged)
        of_cards = enforcement(_untagged(at_cards), known, site, judged) if holding else {}
        admin = AdminRules.read(self.answers, known, site, judged)
        out: dict[Point, tuple[Filter, ...]] = {}
        for point, filters in of_subnets.items():
            outer = [names.live(stage, _KIND) for stage in filters] or [_OPEN]
            inner = [names.live(stage, _CARD_KIND) for stage in of_cards.get(point, ())]
            stages = (*outer, *inner)
            out[point] = stages if point.direction is Direction.INGRESS else stages[::-1]
        return admin.before(out), admin

    def _placed(self) -> tuple[list[Interface], list[tuple[str, str]], dict[str, str]]:
        """The interfaces to judge, the NSGs that the command put on made-up cards of them, and
        the real card that each made-up one stands for."""
        judged: list[Interface] = []
        pairs: list[tuple[str, str]] = []
        stands_for: dict[str, str] = {}
        for interface in self.placement.interfaces:
            nsgs = [self._placed_id(text) for text in self.placement.placed[interface.key]]
            made_up = []
            for number, nsg in enumerate(filter(None, nsgs)):
                for member in interface.members:
                    card = f"/placed/{interface.key}/{number}/{member.name}"
                    made_up.append(replace(member, name=card, attachment=card))
                    pairs.append((card, nsg))
                    if member.attachment:
                        stands_for[card] = member.attachment
            members = tuple(made_up) or interface.members
            if members:
                judged.append(replace(interface, members=members))
        return judged, pairs, stands_for

    def _rules(self, nsgs: Mapping[str, Row]) -> Iterator[LiveRule]:
        for nsg in nsgs.values():
            held = self.identity.planned(nsg["id"]) is not None
            site = tags_of(nsg).get("flowbridge:site")
            for row in rules_of(nsg):
                name = rule_id(nsg, row)
                description = properties(row).get("description") or ""
                planned = self.identity.rules.get(name)
                named = self.identity.named.get(name)
                made = bool(row_ids(description)) or description == DENIED
                yield LiveRule(
                    name,
                    str(nsg["id"]),
                    ours=held and (named is not None or bool(row_ids(description))),
                    planned=planned,
                    text=_rule_text(row, nsg),
                    description=description,
                    was=None if planned else named,
                    made_for=site if site != self.site.name and made else None,
                )

    def _admin_rules(self, admin: AdminRules) -> Iterator[LiveRule]:
        for name, row in admin.rows.items():
            description = properties(row).get("description") or ""
            yield LiveRule(name, row["network"], False, None, admin_text(row), description)

    def _deviations(self, admin: AdminRules) -> Iterator[Deviation]:
        if self.identity.managed:
            yield from self._missing_holders()
            yield from self._subnets_that_differ()
            yield from self._memberships_that_differ()
            yield from self._lost_tags()
        yield from self._foreign_nsgs()
        yield from self._cards_that_differ()
        deciding = [n for n in admin.rows if admin.access[n] != "Allow"]
        if deciding:
            yield Deviation(
                Departure.OVERRIDDEN,
                admin.rows[deciding[0]]["network"],
                f"{len(deciding)} security admin rules decide before the NSGs; what they open or "
                "refuse is judged with the rest",
                drift=False,
            )

    def _missing_holders(self) -> Iterator[Deviation]:
        for kind, found, what, part in (
            (NSG, self.identity.nsgs, "network security group", Part.NSGS),
            (GROUP, self.identity.groups, "application security group", Part.GROUPS),
        ):
            if not self.answers.has(part):
                continue
            for address, block in resources(self.planned, kind).items():
                if address not in found:
                    yield Deviation(
                        Departure.HOLDER_MISSING,
                        address,
                        f"the {what} {block.get('name')} does not exist in resource group "
                        f"{block.get('resource_group_name')}",
                        interfaces=self._keys_of(block),
                    )

    def _keys_of(self, block: Block) -> tuple[str, ...]:
        """The interfaces that a group or an NSG is for: by its own name, or all of its tier."""
        named = [i for i in self.policy.interfaces if is_for_interface(block, i, self.site)]
        tier = block.tag("flowbridge:tier")
        return tuple(i.key for i in named or self.policy.interfaces if named or i.tier == tier)

    def _subnets_that_differ(self) -> Iterator[Deviation]:
        due = planned_subnets(self.planned, self.answers)
        placed: set[str] = set()
        for address, block in resources(self.planned, NSG).items():
            tier, keys = block.tag("flowbridge:tier"), self._keys_of(block)
            used = {card.subnet for key in keys for card in self._cards(key)}
            wanted = {s.lower(): s for s in sorted({*due.get(address, ()), *used})}
            ours = self.identity.nsgs.get(address)
            for subnet, said in wanted.items():
                placed.add(subnet)
                name = said.rsplit("/", 1)[-1]
                if subnet not in self.subnets:
                    yield Deviation(
                        Departure.INTERFACE_MISSING,
                        said,
                        f"subnet {name} of tier {tier} is not in {said.split('/subnets/')[0]}",
                        interfaces=keys,
                    )
                    continue
                live = self._nsg_at(subnet)
                if ours is not None and same(live, str(ours["id"])):
                    continue
                what = "no NSG" if live is None else f"the NSG {live.rsplit('/', 1)[-1]}"
                yield Deviation(
                    Departure.FALLBACK if live is None else Departure.DETACHED,
                    said,
                    f"subnet {name} of tier {tier} has {what}, not that of the plan",
                    interfaces=keys,
                )
        for row in self.identity.nsgs.values():
            for each in properties(row).get("subnets") or ():
                if str(each["id"]).lower() not in placed:
                    yield Deviation(
                        Departure.FOREIGN_MEMBER,
                        str(row["id"]),
                        f"{row['name']} is also on {each['id']}, which is no subnet of this "
                        "deployment",
                        drift=False,
                    )

    def _memberships_that_differ(self) -> Iterator[Deviation]:
        keys = {card.id: key for key in self.placement.cards for card in self._cards(key)}
        wanted: dict[str, set[str]] = {}
        for card_id, address in planned_members(self.planned, self.answers).values():
            group = self.identity.groups.get(address)
            if group is None:
                continue
            wanted.setdefault(str(group["id"]).lower(), set()).add(card_id.lower())
            for card in self.placement.everyone:
                inside = any(same(each, str(group["id"])) for each in card.groups)
                if same(card.card, card_id) and not inside:
                    yield Deviation(
                        Departure.DETACHED,
                        str(group["id"]),
                        f"{card.name} is no member of {group['name']} any more",
                        interfaces=(keys[card.id],) if card.id in keys else (),
                    )
        if not self.answers.has(Part.GROUPS):
            return
        for address, group in self.identity.groups.items():
            members = wanted.get(str(group["id"]).lower(), set())
            own = set(self._keys_of(resources(self.planned, GROUP)[address]))
            for card in self.placement.everyone:
                inside = any(same(each, str(group["id"])) for each in card.groups)
                if inside and card.card.lower() not in members and keys.get(card.id) not in own:
                    yield Deviation(
                        Departure.FOREIGN_MEMBER,
                        str(group["id"]),
                        f"{card.card} is a member of {group['name']}, and no card of that "
                        "interface; what its membership opens is judged with the rest",
                        drift=False,
                    )

    def _foreign_nsgs(self) -> Iterator[Deviation]:
        for key in self.placement.cards:
            for card in self._cards(key):
                if card.nsg:
                    yield Deviation(
                        Departure.FOREIGN_HOLDER,
                        card.nsg,
                        f"the NSG {card.nsg.rsplit('/', 1)[-1]} is on {card.name}, a card of "
                        f"{key}, and not in the plan; it can only refuse more",
                        drift=False,
                        interfaces=(key,),
                    )

    def _lost_tags(self) -> Iterator[Deviation]:
        for row in (*self.identity.nsgs.values(), *self.identity.groups.values()):
            live = tags_of(row)
            wanted = self.identity.tags[str(row["id"]).lower()]
            if lost := ", ".join(key for key, value in wanted.items() if live.get(key) != value):
                message = f"{row['name']} lost the tags {lost}"
                yield Deviation(Departure.TAGS_LOST, str(row["id"]), message)

    def _cards_that_differ(self) -> Iterator[Deviation]:
        named = {member.attachment for each in self.policy.interfaces for member in each.members}
        for key, name in self.placement.missing:
            # What the file does not name the command does, and that may be an NSG.
            what = "network interface" if name in named else "network interface or NSG"
            yield Deviation(
                Departure.INTERFACE_MISSING,
                name,
                f"the {what} {name} of {key} does not exist",
                interfaces=(key,),
            )
        for interface in self.policy.interfaces:
            by_member: dict[str, list[Card]] = {}
            for member, card in self.placement.cards[interface.key]:
                by_member.setdefault(member, []).append(card)
            for said in interface.members:
                cards = by_member.get(said.name)
                if cards:
                    yield from self._card_that_differs(interface, said.private, cards)
                    yield from self._public_that_differs(interface.key, said.public, cards)

    def _card_that_differs(
        self, interface: Interface, said: Iterable[Any], cards: list[Card]
    ) -> Iterator[Deviation]:
        has = [network for card in cards for network in card.private]
        yield from private_departures(interface, said, has, cards[0].card, cards[0].name)

    def _public_that_differs(
        self, key: str, said: Iterable[Any], cards: list[Card]
    ) -> Iterator[Deviation]:
        if not self.answers.has(Part.ADDRESSES):
            return
        known = {str(r["id"]).lower(): properties(r) for r in self.answers.rows(Part.ADDRESSES)}
        has = [
            str(address)
            for card in cards
            for public in card.public
            if (address := known.get(public.lower(), {}).get("ipAddress"))
        ]
        wanted = [str(each.network_address) for each in said]
        if wanted and not set(wanted) & set(has):
            yield Deviation(
                Departure.ADDRESS_CHANGED,
                cards[0].card,
                f"{cards[0].name} of {key} has {', '.join(has) or 'no public address'}, the "
                f"deployment says {', '.join(wanted)}",
                drift=False,
                interfaces=(key,),
            )

    def _unresolved(
        self, unknown: Iterable[Unknown], rules: Mapping[str, LiveRule]
    ) -> Iterator[Deviation]:
        for each in unknown:
            rule = rules.get(each.rule)
            if rule is not None:
                yield Deviation(
                    Departure.UNRESOLVED,
                    each.rule,
                    f"{rule.text}: {each.what} cannot be told from here",
                    drift=rule.planned is None,
                )

    def _notes(self) -> Iterator[str]:
        if not self.identity.managed:
            yield (
                "nothing here was made by Flowbridge for this deployment: the estate is judged "
                "against the documents alone"
            )
        for key, members in self.placement.absent.items():
            if members and not self.placement.placed[key]:
                yield (
                    f"{key}: no network interface has {', '.join(members)}: the NSG of its tier "
                    "is judged for its addresses"
                )


_OPEN: Final = Filter("no NSG", _KIND, Order.FIRST_MATCH, True, (), default_allow=True)


def _untagged(document: Mapping[str, Any]) -> dict[str, Any]:
    """NSGs without tags, so that only associations place them."""
    blocks = dict(document["resource"])
    blocks[NSG] = {name: {**body, "tags": {}} for name, body in blocks.get(NSG, {}).items()}
    return {"resource": blocks}


class _Names:
    """Filters with live names; one filter stays one object."""

    def __init__(self, nsgs: Iterable[Row]) -> None:
        self._rules: dict[str, str] = {}
        self._nsgs: dict[str, str] = {}
        self._known: dict[tuple[int, str], tuple[Filter, Filter]] = {}
        for nsg in nsgs:
            address = f"{NSG}.{terraform_id(nsg['id'])}"
            self._nsgs[address] = str(nsg.get("name"))
            rows = rules_of(nsg)
            called = nested_addresses(address, "security_rule", rows)
            self._rules |= {at: rule_id(nsg, row) for at, row in zip(called, rows, strict=True)}

    def live(self, stage: Filter, kind: str) -> Filter:
        if (id(stage), kind) not in self._known:
            renamed = replace(
                stage,
                name=" / ".join(self._nsgs.get(part, part) for part in stage.name.split(" / ")),
                kind=kind,
                rules=tuple(replace(rule, name=self._name(rule.name)) for rule in stage.rules),
                unknown=tuple(each.of(self._name(each.rule)) for each in stage.unknown),
            )
            self._known[id(stage), kind] = (stage, renamed)
        return self._known[id(stage), kind][1]

    def _name(self, name: str) -> str:
        if name in self._rules:
            return self._rules[name]
        nsg, blank, rest = name.partition(" ")
        return f"{self._nsgs.get(nsg, nsg)}{blank}{rest}"


def _rule_text(row: Row, nsg: Row) -> str:
    own = properties(row)
    ends = " to ".join(_end(own, end) for end in ("source", "destination"))
    return (
        f"{own.get('direction')} {own.get('priority')} {own.get('access')} {own.get('protocol')} "
        f"from {ends} in {nsg.get('name')}"
    )


def _end(own: Row, end: str) -> str:
    groups = own.get(f"{end}ApplicationSecurityGroups") or ()
    who = [str(group["id"]).rsplit("/", 1)[-1] for group in groups]
    who += list(own.get(f"{end}AddressPrefixes") or ())
    who += [own[f"{end}AddressPrefix"]] if own.get(f"{end}AddressPrefix") else []
    ports = list(own.get(f"{end}PortRanges") or ())
    ports += [own[f"{end}PortRange"]] if own.get(f"{end}PortRange") else []
    shown = "" if ports in ([], ["*"]) else f" port {_few(ports)}"
    return f"{_few(who)}{shown}"


def _few(texts: list[str]) -> str:
    more = f" and {len(texts) - 4} more" if len(texts) > 4 else ""
    return ", ".join(texts[:4]) + more
