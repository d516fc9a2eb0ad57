"""What questions are asked of: one deployment, whether it is one stack or a stack for each place.

Every place has its own policy and its own filters, and a packet between two of them has to pass the
filters of both. So the places are laid together: interfaces have their place in their keys, and
whoever asks (trace, explain, exposure, rehearsal, tests) sees one deployment.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flowbridge.deployment.interface import HOME
from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter
from flowbridge.policy.point import Point
from flowbridge.policy.surrounding import Surrounding
from flowbridge.providers.provider import Excess

if TYPE_CHECKING:
    from flowbridge.stacks.pipeline import Built, Checked


@dataclass(frozen=True, slots=True)
class Seen:
    """A deployment with all its places, and what is emitted for it."""

    resolution: Resolution
    policy: Policy
    enforcement: Enforcement
    around: tuple[Surrounding, ...] = ()
    excess: tuple[Excess, ...] = ()


def seen(checked: Sequence[Checked]) -> Seen:
    """The deployment of one file. Places of it that are not among `checked` are taken as built."""
    return laid_together([(each.built, each.enforcement, each.around) for each in checked])


def laid_together(
    parts: Sequence[tuple[Built, Enforcement, tuple[Surrounding, ...]]],
) -> Seen:
    """The same of stacks with the filters that they are looked at with."""
    built, own, hosts = parts[0]
    if built.estate is None:
        return Seen(built.resolution, built.policy, own, hosts, built.lowered.excess)
    judged = {each.resolution.place: (here, beside) for each, here, beside in parts}
    enforcement: dict[Point, tuple[Filter, ...]] = {}
    around: list[Surrounding] = []
    excess: list[Excess] = []
    for stack in built.estate.stacks:
        place = stack.resolution.place
        here, beside = judged.get(place) or _as_built(stack)
        for point, filters in here.items():
            enforcement[Point(in_place(point.interface, place), point.direction)] = filters
        around += [replace(each, anyone=replace(each.anyone, place=place)) for each in beside]
        excess += [
            replace(each, where=in_place(each.where, place)) for each in stack.lowered.excess
        ]
    whole = built.estate
    return Seen(whole.whole, whole.policy, enforcement, tuple(around), tuple(excess))


def in_place(name: str, place: str) -> str:
    """The name of an interface, a tier or a point as the whole deployment knows it."""
    return name if place in ("", HOME) else f"{place}:{name}"


def _as_built(built: Built) -> tuple[Enforcement, tuple[Surrounding, ...]]:
    """What the stack's own document enforces."""
    document = json.loads(json.dumps(built.document))
    site, policy = built.resolution.site, built.policy
    return (
        built.provider.enforcement(document, policy, site),
        tuple(built.provider.around(document, policy, site)),
    )
