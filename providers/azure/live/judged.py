"""The filters of every interface as they are in force: live NSGs under live names.

An NSG on a card stands beside that of the subnet, and the verdicts of security admin rules stand
before both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from flowbridge.deployment.interface import Interface
from flowbridge.policy.filter import Enforcement, Filter, Order
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.surrounding import Surrounding
from flowbridge.providers.azure.emit.terraform import NSG
from flowbridge.providers.azure.live.admin_rules import AdminRules
from flowbridge.providers.azure.live.as_terraform import (
    groups_in,
    live_terraform,
    rules_of,
    terraform_id,
)
from flowbridge.providers.azure.live.identity import (
    rule_id,
)
from flowbridge.providers.azure.live.placement import STRANGERS
from flowbridge.providers.azure.live.situation import Situation
from flowbridge.providers.azure.meaning.filters import around, enforcement
from flowbridge.providers.live.answered import Row
from flowbridge.providers.meaning.odd import Odd
from flowbridge.providers.terraform.nested_address import nested_addresses

_KIND: Final = "nsg"
# An NSG on a card stands beside that of the subnet, and the plan has none: it can only refuse.
_CARD_KIND: Final = "nsg-of-card"
_ADMIN_KIND: Final = "security-admin"


def enforcement_of(
    here: Situation, nsgs: Mapping[str, Row]
) -> tuple[Enforcement, AdminRules, tuple[Surrounding, ...]]:
    """The filters of every interface, the admin rules before them, and the filters of our subnets
    for every other host there."""
    judged, placed, stands_for = _placed(here)
    made_up = {interface.key: interface for interface in judged}
    everyone = tuple(made_up.get(each.key, each) for each in here.placement.interfaces)
    named = groups_in(row for nsg in nsgs.values() for row in rules_of(nsg))
    elsewhere = here.partly_seen(named)
    ours = {str(row["id"]) for row in here.identity.groups.values()}
    groups = {group.lower(): group for group in sorted(named | ours)}
    strangers = tuple(
        card.as_member()
        for card in here.placement.strangers
        if any(group.lower() in groups for group in card.groups)
    )
    site = here.site
    if strangers:
        everyone = (*everyone, replace(STRANGERS, members=strangers))
        one = next(iter(site.network.tiers.values()))
        tiers = {**site.network.tiers, STRANGERS.tier: one}
        network = site.network.model_copy(update={"tiers": tiers})
        site = site.model_copy(update={"network": network})
    known = replace(here.policy, interfaces=everyone)
    memberships = [
        (card.id, groups[group.lower()])
        for card in here.placement.everyone
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
        for subnet in sorted(here.tier_subnets())
        if (nsg := here.nsg_at(subnet)) is not None
    ]
    on_cards = [(card.id, card.nsg) for card in here.own_cards() if card.nsg]
    on_cards += placed
    holding = {nsg.lower() for _, nsg in on_cards}
    everything = live_terraform(
        nsgs.values(),
        groups.values(),
        here.identity.tags,
        memberships,
        on_subnets,
        (),
        elsewhere,
    )
    at_cards = live_terraform(
        [row for nsg, row in nsgs.items() if nsg in holding],
        groups.values(),
        {nsg: {} for nsg in holding} | dict(here.identity.tags),
        memberships,
        (),
        on_cards,
        elsewhere,
    )
    names = _Names(nsgs.values())
    of_subnets = enforcement(everything, known, site, judged, Odd.TELL)
    of_cards = enforcement(_untagged(at_cards), known, site, judged, Odd.TELL) if holding else {}
    admin = AdminRules.read(here.answers, known, site, judged)
    out: dict[Point, tuple[Filter, ...]] = {}
    for point, filters in of_subnets.items():
        outer = [names.live(stage, _KIND) for stage in filters] or [_OPEN]
        inner = [names.live(stage, _CARD_KIND) for stage in of_cards.get(point, ())]
        stages = (*outer, *inner)
        out[point] = stages if point.direction is Direction.INGRESS else stages[::-1]
    # What admin rules do to hosts that are no cards of ours is not read.
    beside = () if admin.rows else around(everything, known, site, Odd.TELL)
    return (
        admin.before(out),
        admin,
        tuple(
            replace(
                each,
                filters={
                    way: tuple(names.live(stage, _KIND) for stage in met)
                    for way, met in each.filters.items()
                },
            )
            for each in beside
        ),
    )


def _placed(here: Situation) -> tuple[list[Interface], list[tuple[str, str]], dict[str, str]]:
    """The interfaces to judge, the NSGs that the command put on made-up cards of them, and
    the real card that each made-up one stands for."""
    judged: list[Interface] = []
    pairs: list[tuple[str, str]] = []
    stands_for: dict[str, str] = {}
    for interface in here.placement.interfaces:
        nsgs = [here.placed_id(text) for text in here.placement.placed[interface.key]]
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


_OPEN: Final = Filter(
    name="no NSG", kind=_KIND, order=Order.FIRST_MATCH, stateful=True, rules=(), default_allow=True
)


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
