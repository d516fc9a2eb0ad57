"""How the live estate departs from the plan otherwise than in what its rules let through."""

from __future__ import annotations

from collections.abc import Iterator

from flowbridge.deployment.interface_key import workload_of
from flowbridge.policy.audit.estate import Departure, Deviation
from flowbridge.providers.gcp.emit.network_policy import POLICY
from flowbridge.providers.gcp.emit.targets import TargetKind, targets_of
from flowbridge.providers.gcp.emit.vpc_rules import FIREWALL
from flowbridge.providers.gcp.live.answers import Part
from flowbridge.providers.gcp.live.as_terraform import (
    is_above,
    policies,
    policy_name,
)
from flowbridge.providers.gcp.live.identity import planned_policies
from flowbridge.providers.gcp.live.placement import Card
from flowbridge.providers.gcp.live.situation import Situation
from flowbridge.providers.gcp.markers import Marker
from flowbridge.providers.live.addresses import listed, private_departures
from flowbridge.providers.live.strangers import foreign_member
from flowbridge.providers.terraform.blocks import resources


def deviations(here: Situation) -> Iterator[Deviation]:
    if here.identity.managed:
        yield from _missing_policies(here)
        yield from _targets_that_differ(here)
        yield from _lost_markers(here)
    yield from _cards_that_differ(here)
    for policy in policies(here.answers):
        deciding = [
            rule
            for rule in policy.get("rules") or ()
            if rule.get("action") != "goto_next" and not rule.get("disabled")
        ]
        if deciding and is_above(policy):
            yield Deviation(
                Departure.OVERRIDDEN,
                policy_name(policy),
                f"{len(deciding)} rules of the policy {policy_name(policy)} decide before the "
                f"rules of network {policy['network'][1]}; what they open or refuse is judged "
                "with the rest",
                drift=False,
            )


def _missing_policies(here: Situation) -> Iterator[Deviation]:
    due = planned_policies(here.planned, here.answers.place.project)
    there = {row["name"] for row in here.answers.parts.get(Part.POLICIES, ())}
    for address, block in resources(here.planned, POLICY).items():
        if address in here.identity.policies:
            continue
        name, network = block.text("name"), due.get(address, ("", ""))[1]
        keys = tuple(
            key for key, where in here.placement.networks.items() if where == due.get(address)
        )
        if name in there:
            message = f"the firewall policy {name} is not in force in network {network}"
            yield Deviation(Departure.DETACHED, address, message, interfaces=keys)
        else:
            message = f"the firewall policy {name} does not exist"
            yield Deviation(Departure.HOLDER_MISSING, address, message, interfaces=keys)


def _targets_that_differ(here: Situation) -> Iterator[Deviation]:
    for key, target in targets_of(here.site, here.policy.interfaces).items():
        if target.kind is TargetKind.SECURE_TAG:
            continue  # the packets tell
        own = {card.instance for _, card in here.placement.cards[key]}
        for card in here.placement.everyone:
            tagged = target.value in (
                card.accounts if target.kind is TargetKind.SERVICE_ACCOUNT else card.tags
            )
            if card.instance in own and not tagged:
                yield Deviation(
                    Departure.DETACHED,
                    card.instance,
                    f"the instance {card.instance} of {key} does not have the {target.kind} "
                    f"{target.value}, so the rules made for it are not for it",
                    interfaces=(key,),
                )
            elif tagged and _is_stranger(here, key, card):
                yield foreign_member(
                    here.policy,
                    here.placement.found,
                    (key,),
                    card.instance,
                    f"the instance {card.instance} ({listed(card.private)}) has the {target.kind} "
                    f"{target.value} and is no machine of {key}: the rules are for it, too",
                )


def _is_stranger(here: Situation, key: str, card: Card) -> bool:
    """A card that wears the tag of `key` and is none of its own: that of another machine, or, in
    its network, of a machine of the workload that has another address than declared."""
    if card.instance not in _machines_of(here, key):
        return True
    own = {mine.id for _, mine in here.placement.cards[key]}
    return card.network == here.placement.networks[key] and card.id not in own


def _machines_of(here: Situation, key: str) -> set[str]:
    """The machines of the whole workload: a tag is a machine's, not a card's."""
    workload = workload_of(key)
    return {
        card.instance
        for other, cards in here.placement.cards.items()
        if workload_of(other) == workload
        for _, card in cards
    }


def _lost_markers(here: Situation) -> Iterator[Deviation]:
    for address, row in here.identity.firewalls.items():
        wanted = resources(here.planned, FIREWALL)[address].text("description")
        live = row.get("description") or ""
        if Marker.parse(live) != Marker.parse(wanted):
            message = f"{row['name']} lost the marker that says what it belongs to"
            yield Deviation(Departure.TAGS_LOST, str(row["name"]), message)


def _cards_that_differ(here: Situation) -> Iterator[Deviation]:
    for key, name in here.placement.missing:
        network = here.placement.networks[key][1]
        yield Deviation(
            Departure.INTERFACE_MISSING,
            name,
            f"no instance {name.rsplit('/', 1)[-1]} of {key} is in network {network}",
            interfaces=(key,),
        )
    for interface in here.policy.interfaces:
        members = {member.name: member for member in interface.members}
        for member, card in here.placement.cards[interface.key]:
            said = members.get(member)
            if said is None:
                continue
            where = (interface.key,)
            yield from private_departures(interface, said.private, card.private, card.id, card.id)
            if said.public and not set(card.public) & set(said.public):
                yield Deviation(
                    Departure.ADDRESS_CHANGED,
                    card.id,
                    f"{card.id} of {interface.key} has "
                    f"{listed(card.public) or 'no public address'}, the deployment says "
                    f"{listed(said.public)}",
                    drift=False,
                    interfaces=where,
                )
