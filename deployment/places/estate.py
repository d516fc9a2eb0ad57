"""A file with places resolved: as a whole, and as the stack of each managed place.

Rows are selected once for the whole, so that what one place opens towards another is what the other
opens for it. Between places rules name addresses and never groups: a group of another stack would
tie the two stacks to each other in both directions, and no apply could be the first
(docs/decisions/0016-places.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flowbridge.catalog.load import Catalog
from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.interface import HOME, Interface
from flowbridge.deployment.places.atlas import Atlas
from flowbridge.deployment.places.split import NO_LINK, Apart, Part, Splitter
from flowbridge.deployment.resolve import merged, resolve
from flowbridge.deployment.selection.resolution import Outcome, Resolution, Selected

_FEW = 6  # rows that a sentence names


@dataclass(frozen=True, slots=True)
class Estate:
    """`whole` has every interface with its place; `parts` are the stacks, one a managed place.

    Of a file without places both are the one resolution.
    """

    whole: Resolution
    parts: tuple[Resolution, ...]

    @property
    def several(self) -> bool:
        return self.parts != (self.whole,)


@dataclass(frozen=True, slots=True)
class Whole:
    """The deployment as one of a cloud, with the tiers of all places."""

    site: Site
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class PlaceSite:
    """What one managed place has of its own. `moved`: where its keys stand in the file."""

    name: str
    site: Site
    moved: Mapping[Location, Location]


def resolve_places(
    wholes: Sequence[Whole],
    places: Sequence[PlaceSite],
    file: str,
    moved: Mapping[Location, Location],
) -> Estate:
    """The estate of a validated file. `moved`: where keys of the wholes stand in the file."""
    resolved = [resolve(whole.site, file, whole.catalog) for whole in wholes]
    clouds = [whole.site.cloud for whole in wholes]
    atlas = Atlas.of(wholes[0].site)
    parts: dict[str, list[Part]] = {}
    apart: dict[Apart, None] = {}
    cards: dict[str, list[Interface]] = defaultdict(list)
    for cloud, found in zip(clouds, resolved, strict=True):
        splitter = Splitter(found.site, atlas)
        cut, left = splitter.split(found.flows)
        apart |= dict.fromkeys(left)
        for place in places:
            if place.site.cloud == cloud:
                parts[place.name] = [part for part in cut if place.name in part.places]
        if cloud == clouds[0]:
            for interface in found.interfaces:
                for card in splitter.in_place(interface):
                    cards[card.place].append(card)
    crowded = [
        card for listed in cards.values() for card in listed if _tiers(card, atlas) - {card.tier}
    ]
    every = merged(part.flow for listed in parts.values() for part in listed)
    findings = tuple(
        dict.fromkeys(
            (
                *(each for found in resolved for each in found.findings),
                *_left_over(apart),
                *_in_two_tiers(crowded, atlas),
                *_untold(resolved[0].interfaces, atlas),
            )
        )
    )
    first = resolved[0]
    whole = replace(
        first,
        interfaces=tuple(card for listed in cards.values() for card in listed),
        flows=every,
        selected=tuple(_carried(first.selected, every)),
        findings=findings,
        moved=moved,
    )
    stacks = tuple(
        _stack(place, first, parts[place.name], cards[place.name], findings if not number else ())
        for number, place in enumerate(places)
    )
    if len(stacks) == 1:
        # One stack is the whole; what others bring is addresses.
        return Estate(stacks[0], stacks)
    return Estate(whole, stacks)


def _stack(
    place: PlaceSite,
    whole: Resolution,
    parts: Iterable[Part],
    cards: Iterable[Interface],
    findings: tuple[Finding, ...],
) -> Resolution:
    flows = merged(flow for part in parts if (flow := part.seen_at(place.name)) is not None)
    own = tuple(replace(card, place="") for card in cards)
    return Resolution(
        site=place.site,
        file=whole.file,
        interfaces=tuple(sorted(own, key=lambda card: card.key)),
        flows=flows,
        selected=tuple(_carried(whole.selected, flows, place.name)),
        findings=findings,
        editions=whole.editions,
        place=place.name,
        moved=place.moved,
    )


def _carried(
    selected: Iterable[Selected], flows: Sequence[Flow], place: str = ""
) -> Iterator[Selected]:
    """The rows with their flows in one place; rows of other places are elsewhere there."""
    by_row: defaultdict[str, list[Flow]] = defaultdict(list)
    for flow in flows:
        for row in flow.rows:
            by_row[row].append(flow)
    for each in selected:
        own = tuple(by_row[each.id]) if each.outcome is Outcome.CARRIED else ()
        if each.outcome is Outcome.CARRIED and not own:
            where = (
                f"both ends are outside the place {place}" if place else "no place has both ends"
            )
            yield replace(each, outcome=Outcome.ELSEWHERE, reason=where, flows=())
        else:
            yield replace(each, flows=own)


def _left_over(apart: Iterable[Apart]) -> Iterator[Finding]:
    """What no link of the file brings from one place to the other."""
    links: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    public: defaultdict[tuple[tuple[str, str], str, str], set[str]] = defaultdict(set)
    for each in apart:
        if each.why == NO_LINK:
            links[each.places].update(each.rows)
        else:
            public[each.places, each.party, each.key].update(each.rows)
    for (one, other), rows in sorted(links.items()):
        ends = f"{_named(one)} and {_named(other)}"
        yield Finding(
            id="deployment/places-without-link",
            severity=Severity.REFUSAL,
            message=f"nothing says how {ends} meet, and rows ask for packets between them "
            f"({_few(rows)}): "
            f"add links: [{{between: [{one}, {other}], meet: peered}}] (or transit, vpn, internet)",
            source="places of one deployment",
            key="links",
        )
    for ((one, other), party, key), rows in sorted(public.items()):
        remedy = f"add its public address ({key}" if key else "give both a public address ("
        nat = ", or the `nat` of its tier where it only sends" if key else "of one IP version"
        yield Finding(
            id="deployment/unreachable-over-the-internet",
            severity=Severity.REFUSAL,
            message=f"{_named(one)} and {_named(other)} meet over the internet, where {party} has "
            f"no "
            f"address that this file knows ({_few(rows)}): {remedy}{nat}), or write how the two "
            "places meet by private addresses",
            source="places of one deployment",
            key=key or "links",
        )


def _tiers(card: Interface, atlas: Atlas) -> set[str]:
    """The tiers that hold members of the card in its place."""
    here = (
        network
        for member in card.members
        for network in member.private
        if atlas.place_of(network) == card.place
    )
    found = {atlas.tier_of(network) for network in here}
    return {tier for tier in found if tier is not None}


def _in_two_tiers(cards: Iterable[Interface], atlas: Atlas) -> Iterator[Finding]:
    for card in cards:
        tiers = " and ".join(sorted(_tiers(card, atlas)))
        yield Finding(
            id="deployment/two-tiers-in-one-place",
            severity=Severity.REFUSAL,
            message=f"{card.local_key} is in the tiers {tiers} of {_named(card.place)}, and the "
            f"same card "
            "of all peers in one place is in one tier: write addresses of one of them",
            source="places of one deployment",
            key="expressway_e" if card.kind == "expressway-e" else "places",
        )


def _untold(cards: Iterable[Interface], atlas: Atlas) -> Iterator[Finding]:
    """Hosts that are told as one and stand in several places."""
    for card in cards:
        for member in card.members:
            places = sorted(atlas.places_of(member.private))
            if len(places) > 1:
                yield Finding(
                    id="deployment/hosts-not-told-apart",
                    severity=Severity.REFUSAL,
                    message=f"{card.workload} has hosts in {' and '.join(map(_named, places))}, "
                    f"and its "
                    "lists do not say which address, public address and card are one host's: write "
                    "as many of each as there are hosts, in one order, or two systems with roles",
                    source="places of one deployment",
                    key=f"systems.{card.workload}.addresses",
                )


def _named(place: str) -> str:
    return "the file's own network" if place == HOME else f"the place {place}"


def _few(rows: Iterable[str]) -> str:
    listed = sorted(rows)
    more = f" and {len(listed) - _FEW} more" if len(listed) > _FEW else ""
    return f"row {', '.join(listed[:_FEW])}{more}"
