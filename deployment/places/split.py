"""Flows cut at the borders of places: each part has its ends in one place each.

An interface of the whole deployment has members in several places (a Unified CM cluster over two
regions), and its stack in each place manages those that are there. Between two places packets go by
private addresses, or over the internet by public ones, as the file's links say; where it does not
say, or the public address is not known, no part is made and the reason is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from flowbridge.catalog.ports import EPHEMERAL, PortRange
from flowbridge.deployment.addresses import in_order, is_host, is_public, of_families, within
from flowbridge.deployment.file.site import Site, Tier
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface, Member, Network
from flowbridge.deployment.places.atlas import Atlas
from flowbridge.deployment.selection.selection import joined

NO_LINK: Final = "no-link"
NO_PUBLIC: Final = "no-public"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a flow; of an end that is managed the interface says its place."""

    flow: Flow
    places: tuple[str | None, str | None]

    def seen_at(self, place: str) -> Flow | None:
        """The flow for the stack of `place`, which knows the rest as addresses; None: not there."""
        ends = [
            end if end.interface is None or end.interface.place == place else _unmanaged(end)
            for end in (self.flow.source, self.flow.destination)
        ]
        if all(end.interface is None for end in ends):
            return None
        source, destination = map(_local, ends)
        return self.flow._replace(source=source, destination=destination)


@dataclass(frozen=True, slots=True)
class Apart:
    """Packets that a row asks for and that no link brings: `why` is NO_LINK or NO_PUBLIC.

    `party`: of NO_PUBLIC, whose public address is not known.
    """

    why: str
    places: tuple[str, str]
    party: str
    rows: tuple[str, ...]
    key: str


class Splitter:
    """Cuts the flows of one site."""

    def __init__(self, site: Site, atlas: Atlas) -> None:
        self._site = site
        self._atlas = atlas
        self._cards: dict[tuple[str, str], Interface] = {}
        self._known: dict[Network, str | None] = {}
        self._members: dict[str, Mapping[Network, tuple[str, ...]]] = {}

    def split(self, flows: Iterable[Flow]) -> tuple[tuple[Part, ...], tuple[Apart, ...]]:
        """Every part with a managed end, and what is left over."""
        parts: list[Part] = []
        apart: dict[Apart, None] = {}
        for flow in flows:
            sources, destinations = self._ends(flow.source), self._ends(flow.destination)
            for here, source in sources:
                for there, destination in destinations:
                    if source.interface is None and destination.interface is None:
                        continue
                    one = flow._replace(source=source, destination=destination)
                    made = self._meeting(one, here, there)
                    if isinstance(made, Apart):
                        apart[made] = None
                    elif made is not None:
                        parts.append(Part(made, (here, there)))
        return tuple(parts), tuple(apart)

    def in_place(self, interface: Interface) -> Iterator[Interface]:
        """The interface in each of its places."""
        for place in dict.fromkeys(map(self._member_place, interface.members)):
            yield self._card(interface, place)

    def _card(self, interface: Interface, place: str) -> Interface:
        key = interface.key, place
        if key not in self._cards:
            members = tuple(m for m in interface.members if self._member_place(m) == place)
            tier = self._atlas.tier_of(members[0].private[0]) if members else None
            self._cards[key] = replace(
                interface, place=place, members=members, tier=tier or interface.tier
            )
        return self._cards[key]

    def _member_place(self, member: Member) -> str:
        return self._place(member.private[0]) or self._atlas.managed[0]

    def _place(self, network: Network) -> str | None:
        if network not in self._known:
            self._known[network] = self._atlas.place_of(network)
        return self._known[network]

    def _ends(self, end: End) -> tuple[tuple[str | None, End], ...]:
        """The end in each place; one without a place last."""
        card = end.interface
        by_place: defaultdict[str | None, list[Network]] = defaultdict(list)
        if card is None:
            for network in end.addresses:
                by_place[self._place(network)].append(network)
            if len(by_place) < 2 and not end.sets:
                return tuple((place, end) for place in by_place)
            rest = by_place.pop(None, [])
            found = [
                (place, replace(end, addresses=tuple(own), inside=(), sets=()))
                for place, own in by_place.items()
            ]
            if rest or end.sets:
                found.append((None, replace(end, addresses=tuple(rest))))
            return tuple(found)
        homes = self._homes(card)
        for network in end.addresses:
            for place in homes.get(network) or self._behind(network, card):
                by_place[place].append(network)
        return tuple(
            (place, replace(end, interface=self._card(card, str(place)), addresses=in_order(own)))
            for place, own in by_place.items()
        )

    def _homes(self, card: Interface) -> Mapping[Network, tuple[str, ...]]:
        """The places of each address of the members."""
        if card.key in self._members:
            return self._members[card.key]
        found: dict[Network, tuple[str, ...]] = {}
        for member in card.members:
            place = self._member_place(member)
            for network in (*member.private, *member.public):
                found[network] = tuple(dict.fromkeys((*found.get(network, ()), place)))
        self._members[card.key] = found
        return found

    def _behind(self, network: Network, card: Interface) -> tuple[str, ...]:
        """The places whose hosts of `card` have an address that is nobody's own: a NAT gateway's,
        or a range."""
        every = tuple(dict.fromkeys(map(self._member_place, card.members)))
        by_nat = tuple(
            place
            for place in every
            if within(network, self._nat(self._card(card, place)))
            or any(within(own, (network,)) for own in self._card(card, place).private)
        )
        return by_nat or every

    def _nat(self, card: Interface) -> tuple[Network, ...]:
        tier: Tier | None = self._site.network.tiers.get(card.tier)
        return tier.nat if tier is not None else ()

    def _meeting(self, flow: Flow, here: str | None, there: str | None) -> Flow | Apart | None:
        """The flow as packets go between two places; None where they never leave a host."""
        one, other = flow.source, flow.destination
        if here == there or here is None or there is None:
            return None if _stays(one, other) else flow
        if one.translated or other.translated:
            return flow  # by public addresses already: reflected at a NAT
        link = self._atlas.link(here, there)
        if link is None:
            return Apart(NO_LINK, _pair(here, there), "", flow.rows, "links")
        if link.meet != "internet":
            return flow
        source, translated = self._sender(one)
        destination = self._receiver(other)
        for end, outside in ((one, source), (other, destination)):
            if outside is None:
                return Apart(NO_PUBLIC, _pair(here, there), _whose(end), flow.rows, _key(end))
        assert source is not None  # noqa: S101
        assert destination is not None  # noqa: S101
        versions = {n.version for n in source.addresses} & {
            n.version for n in destination.addresses
        }
        kept = frozenset(versions)
        moved = flow._replace(
            source=replace(source, addresses=of_families(source.addresses, kept)),
            destination=replace(destination, addresses=of_families(destination.addresses, kept)),
        )
        if translated and flow.protocol.has_ports:
            low = (span for span in flow.source_ports if span.first < EPHEMERAL.first)
            ports: tuple[PortRange, ...] = joined((*low, EPHEMERAL))
            moved = moved._replace(translated_ports=ports if ports != flow.source_ports else ())
        return moved if kept else Apart(NO_PUBLIC, _pair(here, there), _whose(one), flow.rows, "")

    def _sender(self, end: End) -> tuple[End | None, bool]:
        """The end as it arrives over the internet, and whether a NAT chooses its ports."""
        if end.interface is None:
            return self._receiver(end), True
        found: list[Network] = []
        nat = False
        for member in end.interface.members:
            if not _asked(member, end):
                continue
            own = _outside(member)
            if not own:
                own = self._nat(end.interface)
                nat = True
            if not own:
                return None, False
            found.extend(own)
        return _seen(end, found), nat

    def _receiver(self, end: End) -> End | None:
        """The end as it is reached over the internet."""
        if end.interface is None:
            system = self._site.systems.get(end.party)
            public = in_order(system.public) if system is not None else ()
            if all(map(is_public, end.addresses)):
                return end
            return replace(end, addresses=public, translated=True) if public else None
        found: list[Network] = []
        for member in end.interface.members:
            if not _asked(member, end):
                continue
            own = _outside(member)
            if not own:
                return None
            found.extend(own)
        return _seen(end, found)


def _asked(member: Member, end: End) -> bool:
    return any(within(own, end.addresses) for own in member.private)


def _outside(member: Member) -> tuple[Network, ...]:
    """The addresses of a card on the internet: those translated to it, and public ones it has."""
    translated = {network.version for network in member.public}
    own = (n for n in member.private if n.version not in translated and is_public(n))
    return (*member.public, *own)


def _seen(end: End, addresses: Iterable[Network]) -> End:
    seen = in_order(tuple(addresses))
    return replace(end, addresses=seen, translated=seen != end.addresses)


def _stays(one: End, other: End) -> bool:
    """Whether both ends are one host: packets to itself."""
    card = one.interface
    return (
        card is not None
        and other.interface is card
        and len(card.members) == 1
        and all(map(is_host, card.private))
        and not (one.translated or other.translated)
    )


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _whose(end: End) -> str:
    return end.party if end.interface is None else end.interface.local_key


def _key(end: End) -> str:
    """The key of the file that would name a public address of the end."""
    card = end.interface
    if card is None:
        return f"systems.{end.party}.public"
    if card.kind in ("expressway-e", "expressway-c"):
        return f"{card.kind.replace('-', '_')}.peers"
    return f"systems.{card.workload}.public"


def _unmanaged(end: End) -> End:
    return replace(end, interface=None)


def _local(end: End) -> End:
    card = end.interface
    return end if card is None else replace(end, interface=_here(card))


def _here(card: Interface) -> Interface:
    """The card as its own stack knows it."""
    return replace(card, place="")
