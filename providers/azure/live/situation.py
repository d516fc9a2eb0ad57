"""The answers of one place seen from one deployment: what is whose, and what sits where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.deployment.file.site import Site
from flowbridge.policy.compiled import Policy
from flowbridge.providers.azure.live.answers import Answers, Part, properties, subnets_of
from flowbridge.providers.azure.live.identity import (
    Identity,
    identify,
)
from flowbridge.providers.azure.live.placement import Card, Placement, live_site, place
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access
from flowbridge.providers.terraform.blocks import Block
from flowbridge.providers.terraform.tags import is_for_interface


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
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
    ) -> Situation:
        placement = place(answers, policy, access.placed)
        return cls(
            answers=answers,
            policy=policy,
            site=live_site(site, answers, placement),
            planned=planned,
            identity=identify(answers, planned),
            placement=placement,
            subnets=subnets_of(answers),
            nsgs={str(row["id"]).lower(): row for row in answers.rows(Part.NSGS)},
        )

    def cards(self, key: str) -> list[Card]:
        return [card for _, card in self.placement.cards[key]]

    def own_cards(self) -> list[Card]:
        return [card for key in self.placement.cards for card in self.cards(key)]

    def nsg_at(self, subnet: str) -> str | None:
        """The id of the NSG on a subnet, in lower case."""
        found = properties(self.subnets.get(subnet.lower(), {})).get("networkSecurityGroup") or {}
        return str(found["id"]).lower() if found.get("id") else None

    def tier_subnets(self) -> set[str]:
        """The ids of the subnets of all tiers that have interfaces, in lower case."""
        tiers = {interface.tier for interface in self.policy.interfaces}
        return {s.lower() for tier in tiers for s in self.site.network.tiers[tier].subnets}

    def relevant(self) -> dict[str, Row]:
        """Ours, and those on our subnets and cards."""
        ids = [str(row["id"]).lower() for row in self.identity.nsgs.values()]
        ids += [nsg for s in sorted(self.tier_subnets()) if (nsg := self.nsg_at(s))]
        ids += [card.nsg.lower() for card in self.own_cards() if card.nsg]
        for placed in self.placement.placed.values():
            ids += [nsg for text in placed if (nsg := self.placed_id(text))]
        return {nsg: self.nsgs[nsg] for nsg in dict.fromkeys(ids) if nsg in self.nsgs}

    def partly_seen(self, groups: Iterable[str]) -> frozenset[str]:
        """Which of these application security groups have members that no list read here has, in
        lower case: those of another subscription, those that the list of groups does not have, and
        all of them where a scale set may be in a peered network that was not read."""
        own = f"/subscriptions/{self.answers.place.subscription}/".lower()
        listed = self.answers.parts.get(Part.GROUPS)
        there = None if listed is None else {str(row["id"]).lower() for row in listed}
        every = bool(self.answers.parts.get(Part.UNSEEN))
        return frozenset(
            group
            for text in groups
            if (group := text.lower())
            and (
                not group.startswith(own)
                or (there is not None and group not in there)
                or (every and group not in self._ours())
            )
        )

    def _ours(self) -> frozenset[str]:
        return frozenset(str(row["id"]).lower() for row in self.identity.groups.values())

    def placed_id(self, text: str) -> str | None:
        for nsg, row in self.nsgs.items():
            if text.lower() in (nsg, str(row.get("name")).lower()):
                return nsg
        return None

    def keys_of(self, block: Block) -> tuple[str, ...]:
        """The interfaces that a group or an NSG is for: by its own name, or all of its tier."""
        named = [i for i in self.policy.interfaces if is_for_interface(block, i, self.site)]
        tier = block.tag("flowbridge:tier")
        return tuple(i.key for i in named or self.policy.interfaces if named or i.tier == tier)
