"""How the live estate departs from the plan otherwise than in what its rules let through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flowbridge.deployment.interface import Interface
from flowbridge.policy.audit.estate import Departure, Deviation
from flowbridge.providers.azure.emit.terraform import GROUP, NSG
from flowbridge.providers.azure.live.admin_rules import AdminRules
from flowbridge.providers.azure.live.answers import (
    Part,
    properties,
    same,
    tags_of,
)
from flowbridge.providers.azure.live.identity import (
    planned_members,
    planned_subnets,
)
from flowbridge.providers.azure.live.placement import Card
from flowbridge.providers.azure.live.situation import Situation
from flowbridge.providers.live.addresses import listed, private_departures
from flowbridge.providers.live.strangers import foreign_member
from flowbridge.providers.terraform.blocks import resources


def deviations(here: Situation, admin: AdminRules) -> Iterator[Deviation]:
    if here.identity.managed:
        yield from _missing_holders(here)
        yield from _subnets_that_differ(here)
        yield from _memberships_that_differ(here)
        yield from _lost_tags(here)
    yield from _foreign_nsgs(here)
    yield from _cards_that_differ(here)
    deciding = [n for n in admin.rows if admin.access[n] != "Allow"]
    if deciding:
        yield Deviation(
            Departure.OVERRIDDEN,
            admin.rows[deciding[0]]["network"],
            f"{len(deciding)} security admin rules decide before the NSGs; what they open or "
            "refuse is judged with the rest",
            drift=False,
        )


def _missing_holders(here: Situation) -> Iterator[Deviation]:
    for kind, found, what, part in (
        (NSG, here.identity.nsgs, "network security group", Part.NSGS),
        (GROUP, here.identity.groups, "application security group", Part.GROUPS),
    ):
        if not here.answers.has(part):
            continue
        for address, block in resources(here.planned, kind).items():
            if address not in found:
                yield Deviation(
                    Departure.HOLDER_MISSING,
                    address,
                    f"the {what} {block.get('name')} does not exist in resource group "
                    f"{block.get('resource_group_name')}",
                    interfaces=here.keys_of(block),
                )


def _subnets_that_differ(here: Situation) -> Iterator[Deviation]:
    due = planned_subnets(here.planned, here.answers)
    placed: set[str] = set()
    for address, block in resources(here.planned, NSG).items():
        tier, keys = block.tag("flowbridge:tier"), here.keys_of(block)
        used = {card.subnet for key in keys for card in here.cards(key)}
        wanted = {s.lower(): s for s in sorted({*due.get(address, ()), *used})}
        ours = here.identity.nsgs.get(address)
        for subnet, said in wanted.items():
            placed.add(subnet)
            name = said.rsplit("/", 1)[-1]
            if subnet not in here.subnets:
                yield Deviation(
                    Departure.INTERFACE_MISSING,
                    said,
                    f"subnet {name} of tier {tier} is not in {said.split('/subnets/')[0]}",
                    interfaces=keys,
                )
                continue
            live = here.nsg_at(subnet)
            if ours is not None and same(live, str(ours["id"])):
                continue
            what = "no NSG" if live is None else f"the NSG {live.rsplit('/', 1)[-1]}"
            yield Deviation(
                Departure.FALLBACK if live is None else Departure.DETACHED,
                said,
                f"subnet {name} of tier {tier} has {what}, not that of the plan",
                interfaces=keys,
            )
    for row in here.identity.nsgs.values():
        for each in properties(row).get("subnets") or ():
            if str(each["id"]).lower() not in placed:
                yield Deviation(
                    Departure.FOREIGN_MEMBER,
                    str(row["id"]),
                    f"{row['name']} is also on {each['id']}, which is no subnet of this deployment",
                    drift=False,
                )


def _memberships_that_differ(here: Situation) -> Iterator[Deviation]:
    keys = {card.id: key for key in here.placement.cards for card in here.cards(key)}
    wanted: dict[str, set[str]] = {}
    for card_id, address in planned_members(here.planned, here.answers).values():
        group = here.identity.groups.get(address)
        if group is None:
            continue
        wanted.setdefault(str(group["id"]).lower(), set()).add(card_id.lower())
        for card in here.placement.everyone:
            inside = any(same(each, str(group["id"])) for each in card.groups)
            if same(card.card, card_id) and not inside:
                yield Deviation(
                    Departure.DETACHED,
                    str(group["id"]),
                    f"{card.name} is no member of {group['name']} any more",
                    interfaces=(keys[card.id],) if card.id in keys else (),
                )
    if not here.answers.has(Part.GROUPS):
        return
    for address, group in here.identity.groups.items():
        members = wanted.get(str(group["id"]).lower(), set())
        own = here.keys_of(resources(here.planned, GROUP)[address])
        for card in here.placement.everyone:
            inside = any(same(each, str(group["id"])) for each in card.groups)
            if inside and card.card.lower() not in members and keys.get(card.id) not in own:
                yield foreign_member(
                    here.policy,
                    here.placement.found,
                    own,
                    str(group["id"]),
                    f"{card.card} ({listed(card.private)}) is a member of {group['name']}, and no "
                    "card of that interface; what its membership opens is judged with the rest",
                )


def _foreign_nsgs(here: Situation) -> Iterator[Deviation]:
    for key in here.placement.cards:
        for card in here.cards(key):
            if card.nsg:
                yield Deviation(
                    Departure.FOREIGN_HOLDER,
                    card.nsg,
                    f"the NSG {card.nsg.rsplit('/', 1)[-1]} is on {card.name}, a card of "
                    f"{key}, and not in the plan; it can only refuse more",
                    drift=False,
                    interfaces=(key,),
                )


def _lost_tags(here: Situation) -> Iterator[Deviation]:
    for row in (*here.identity.nsgs.values(), *here.identity.groups.values()):
        live = tags_of(row)
        wanted = here.identity.tags[str(row["id"]).lower()]
        if lost := ", ".join(key for key, value in wanted.items() if live.get(key) != value):
            message = f"{row['name']} lost the tags {lost}"
            yield Deviation(Departure.TAGS_LOST, str(row["id"]), message)


def _cards_that_differ(here: Situation) -> Iterator[Deviation]:
    named = {member.attachment for each in here.policy.interfaces for member in each.members}
    for key, name in here.placement.missing:
        # What the file does not name the command does, and that may be an NSG.
        what = "network interface" if name in named else "network interface or NSG"
        yield Deviation(
            Departure.INTERFACE_MISSING,
            name,
            f"the {what} {name} of {key} does not exist",
            interfaces=(key,),
        )
    for interface in here.policy.interfaces:
        by_member: dict[str, list[Card]] = {}
        for member, card in here.placement.cards[interface.key]:
            by_member.setdefault(member, []).append(card)
        for said in interface.members:
            cards = by_member.get(said.name)
            if cards:
                yield from _card_that_differs(interface, said.private, cards)
                yield from _public_that_differs(here, interface.key, said.public, cards)


def _card_that_differs(
    interface: Interface, said: Iterable[Any], cards: list[Card]
) -> Iterator[Deviation]:
    has = [network for card in cards for network in card.private]
    yield from private_departures(interface, said, has, cards[0].card, cards[0].name)


def _public_that_differs(
    here: Situation, key: str, said: Iterable[Any], cards: list[Card]
) -> Iterator[Deviation]:
    if not here.answers.has(Part.ADDRESSES):
        return
    known = {str(r["id"]).lower(): properties(r) for r in here.answers.rows(Part.ADDRESSES)}
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
