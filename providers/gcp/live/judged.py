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
from flowbridge.providers.meaning.odd import Odd


def enforcement_of(here: Situation) -> Enforcement:
    site = live_site(here.site, here.answers)
    networks = Networks.read(here.live.document, site)
    targets = live_targets(here.policy, here.site, here.placement, networks, here.answers)
    found = enforcement(
        here.live.document,
        live_policy(here.policy, here.placement),
        site,
        targets=targets,
        above=here.live.above,
        odd=Odd.TELL,
    )
    out: dict[Point, tuple[Filter, ...]] = {}
    for interface in here.policy.interfaces:
        cards = here.placement.judged(interface)
        for direction in Direction:
            point = Point(interface.key, direction)
            stages = [f for card in cards for f in found[Point(card.key, direction)]]
            if stages:
                whole = across_members(stages, here.policy.intended(point))
                out[point] = (_doubted(here, point, _named(here, whole)),)
    return out


def _doubted(here: Situation, point: Point, stage: Filter) -> Filter:
    """`stage` with what rules of policies hang on in its network."""
    network = here.placement.networks[point.interface]
    doubts = tuple(
        doubt.unknown
        for doubt in here.live.doubts
        if doubt.network == network and doubt.direction in (None, point.direction)
    )
    return replace(stage, unknown=(*stage.unknown, *doubts)) if doubts else stage


def _named(here: Situation, stage: Filter) -> Filter:
    names = here.live.names
    rules = tuple(replace(r, name=names.get(r.name, r.name)) for r in stage.rules)
    unknown = tuple(each.of(_live_name(here, each.rule)) for each in stage.unknown)
    return replace(stage, rules=rules, unknown=unknown)


def _live_name(here: Situation, address: str) -> str:
    # Inside a rule of a policy, its `match` block may be named.
    return here.live.names.get(address.partition(".match")[0], address)
