"""What else stands in the networks of the deployment. Google's rules hang on tags and accounts of
machines, so that they meet who wears ours and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.bystanders import Bystander, Filters
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.gcp.emit.targets import targets_of
from flowbridge.providers.gcp.live.answers import Answers, Part
from flowbridge.providers.gcp.live.placement import Card, place
from flowbridge.providers.gcp.meaning.filters import enforcement
from flowbridge.providers.live.contract import Access

_SPARED: Final = (
    "rules are for tags and accounts of the deployment's own machines, and it has none of them"
)
_NOT_MACHINES: Final = Bystander(
    kind="load balancer, endpoint and Cloud NAT",
    id="of these networks",
    text="not read",
    subnet="whole network",
    addresses=(),
    stands_in=(),
    spared="none of them has a tag or an account, which is what rules are for; what they send to "
    "the deployment's own machines is judged there",
)


def bystanders(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any], access: Access
) -> tuple[Bystander, ...]:
    """See `providers.live.contract.LiveReader.bystanders`."""
    if not answers.has(Part.NETWORKS, Part.INSTANCES):
        return ()
    placement = place(answers, policy, site, access.placed)
    ours = {card.id for found in placement.cards.values() for _, card in found}
    cidrs = tuple(cidr for tier in site.network.tiers.values() for cidr in tier.cidrs)
    covered = PacketSet.of(cidrs, None)
    others = [
        card
        for card in placement.everyone
        if card.id not in ours and PacketSet.of(card.private, None) & covered
    ]
    wearing = {card.id: tuple(_worn(card, policy, site, placement.networks)) for card in others}
    plan = enforcement(planned, policy, site) if any(wearing.values()) else {}
    return (*(_bystander(card, wearing[card.id], plan) for card in others), _NOT_MACHINES)


def _worn(
    card: Card, policy: Policy, site: Site, networks: Mapping[str, tuple[str, str]]
) -> Iterator[str]:
    """The interfaces whose tag or account the machine of a card has, in the card's network."""
    has = card.tags | card.accounts | card.secure_tags
    for key, target in targets_of(site, policy.interfaces).items():
        mine = any(each == target.value or each.endswith(f"/{target.value}") for each in has)
        if mine and networks[key] == card.network:
            yield key


def _bystander(card: Card, keys: tuple[str, ...], plan: Enforcement) -> Bystander:
    met: Filters | None = None
    if keys:
        met = {way: plan.get(Point(keys[0], way), ()) for way in Direction}
    text = f"has the tag or account of {', '.join(keys)}" if keys else ""
    where = f"network {card.network[1]}"
    return Bystander(
        kind="machine",
        id=card.instance,
        text=text,
        subnet=where,
        addresses=card.private,
        stands_in=card.private,
        spared="" if keys else _SPARED,
        met_by=met,
    )
