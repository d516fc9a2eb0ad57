"""The filters of every interface as they are in force: live rules and policies under live names."""

from __future__ import annotations

from dataclasses import replace

from flowbridge.policy.filter import Enforcement, Filter
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.gcp.live.placement import (
    live_policy,
    live_site,
    live_targets,
)
from flowbridge.providers.gcp.live.situation import Situation
from flowbridge.providers.gcp.meaning.filters import enforcement
from flowbridge.providers.gcp.meaning.networks import Networks
from flowbridge.providers.meaning.members import across_members


def enforcement_of(here: Situation) -> Enforcement:
    site = live_site(here.site, here.answers)
    networks = Networks.read(here.live.document, site)
    targets = live_targets(here.policy, here.site, here.placement, networks)
    found = enforcement(
        here.live.document,
        live_policy(here.policy, here.placement),
        site,
        targets=targets,
        above=here.live.above,
    )
    out: dict[Point, tuple[Filter, ...]] = {}
    for interface in here.policy.interfaces:
        cards = here.placement.judged(interface)
        for direction in Direction:
            point = Point(interface.key, direction)
            stages = [f for card in cards for f in found[Point(card.key, direction)]]
            if stages:
                whole = across_members(stages, here.policy.intended(point))
                out[point] = (_named(here, whole),)
    return out


def _named(here: Situation, stage: Filter) -> Filter:
    names = here.live.names
    rules = tuple(replace(r, name=names.get(r.name, r.name)) for r in stage.rules)
    unknown = tuple(each.of(_live_name(here, each.rule)) for each in stage.unknown)
    return replace(stage, rules=rules, unknown=unknown)


def _live_name(here: Situation, address: str) -> str:
    # Inside a rule of a policy, its `match` block may be named.
    return here.live.names.get(address.partition(".match")[0], address)
