"""A question about packets: from where, to where, which protocol, which ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_network

from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet import Network, icmp_span
from flowbridge.policy.packets.packet_set import EVERY_ADDRESS, PacketSet
from flowbridge.policy.proof.route import Route, routes
from flowbridge.policy.questions.directory import Directory, Place, member_of


class UnanswerableError(ValueError):
    """A question about packets that never meet a filter of this deployment; str() says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """`source` and `destination` are names (`policy.questions.directory`). For ICMP the ports are
    type * 256 + code (`policy.packets.packet_set.icmp_code`); protocols without ports ignore
    them."""

    source: str
    destination: str
    protocol: Protocol
    ports: tuple[PortRange, ...] = (ANY_PORT,)
    source_ports: tuple[PortRange, ...] = (ANY_PORT,)

    @classmethod
    def ask(
        cls,
        source: str,
        destination: str,
        protocol: str,
        ports: Iterable[PortRange] = (),
        source_ports: Iterable[PortRange] = (),
    ) -> Question:
        """A question in a user's words: of ICMP the ports are types, ports left out are free.

        ValueError for a protocol without a name here, or an ICMP type above 255.
        """
        number = Protocol.parse(protocol)
        asked = tuple(ports)
        if number in (Protocol.ICMP, Protocol.ICMPV6):
            asked = tuple(_icmp_types(span) for span in asked)
        if not number.has_numbers:
            asked = ()
        return cls(
            source,
            destination,
            number,
            asked or (ANY_PORT,),
            (tuple(source_ports) if number.has_ports else ()) or (ANY_PORT,),
        )

    def packets(self, peers: tuple[Network, ...] = EVERY_ADDRESS) -> PacketSet:
        """The packets asked about, as an interface sees them whose peers are `peers`."""
        return PacketSet.of(peers, self.protocol, self.source_ports, self.ports)

    @property
    def only_ports(self) -> tuple[int | None, int | None]:
        """Source and destination port, None where more than one is asked about."""
        return _single(self.source_ports), _single(self.ports)

    def __str__(self) -> str:
        text = f"{self.protocol.label} from {self.source} to {self.destination}"
        if self.protocol in (Protocol.ICMP, Protocol.ICMPV6) and self.ports != (ANY_PORT,):
            text += f" type {', '.join(map(icmp_span, self.ports))}"
        elif self.ports != (ANY_PORT,):
            text += f" port {', '.join(map(str, self.ports))}"
        if self.source_ports != (ANY_PORT,):
            text += f" (source port {', '.join(map(str, self.source_ports))})"
        return text


_REMEMBERED = 10_000  # pairs of names


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One way in which two places meet, in one IP family.

    `sources` is what the destination's filters see, `destinations` what the source's see; they
    are the packets' addresses where that end has no filters here.
    """

    source: Interface | None
    destination: Interface | None
    sources: tuple[Network, ...]
    destinations: tuple[Network, ...]
    source_label: str
    destination_label: str

    @property
    def route(self) -> Route:
        return Route(self.source_label, self.destination_label, self.sources, self.destinations)


class Meetings:
    """How the places of one policy meet; the policy's routes are found once."""

    def __init__(self, policy: Policy, directory: Directory) -> None:
        self._directory = directory
        self._known: dict[tuple[str, str], tuple[Meeting, ...]] = {}
        self._routes: dict[tuple[str, str], list[Route]] = {}
        for route in routes(policy):
            self._routes.setdefault((route.source, route.destination), []).append(route)

    def of(self, question: Question) -> tuple[Meeting, ...]:
        """Every way in which the ends of `question` meet, own addresses before translated ones.

        UnknownPlaceError for a name, UnanswerableError where neither end is managed here or no
        IP family is common.
        """
        names = question.source, question.destination
        if names not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[names] = self._find(question)
        return self._known[names]

    def _find(self, question: Question) -> tuple[Meeting, ...]:
        sources = self._directory.places(question.source)
        destinations = self._directory.places(question.destination)
        if all(place.interface is None for place in (*sources, *destinations)):
            raise UnanswerableError(
                f"neither {question.source} nor {question.destination} has an interface in this "
                "deployment, so no filter here sees these packets"
            )
        found = tuple(
            meeting
            for source in sources
            for destination in destinations
            if source.interface or destination.interface
            for meeting in self._between(source, destination)
        )
        if not found:
            raise UnanswerableError(
                f"{question.source} and {question.destination} have no IP family in common"
            )
        return found

    def _between(self, source: Place, destination: Place) -> Iterator[Meeting]:
        ours, theirs = source.interface, destination.interface
        around = self._directory.around
        if ours and theirs and ours not in around and theirs not in around:
            for route in self._chosen(source, destination, ours, theirs):
                yield Meeting(
                    source=ours,
                    destination=theirs,
                    sources=route.sources,
                    destinations=route.destinations,
                    source_label=ours.key,
                    destination_label=theirs.key,
                )
            return
        for version in (4, 6):
            senders = _family(_addresses(source), version)
            receivers = _family(_addresses(destination), version)
            if senders and receivers:
                yield Meeting(
                    source=ours,
                    destination=theirs,
                    sources=senders,
                    destinations=receivers,
                    source_label=source.label,
                    destination_label=destination.label,
                )

    def _chosen(
        self, source: Place, destination: Place, ours: Interface, theirs: Interface
    ) -> Iterator[Route]:
        """The routes of two interfaces that fit the addresses asked about."""
        everything = sorted(
            self._routes.get((ours.key, theirs.key), ()),
            key=lambda route: route.destinations != _family(theirs.private, _version(route)),
        )
        seen: set[Route] = set()
        for route in everything:
            sources = _narrowed(route.sources, source, ours)
            destinations = _named(route.destinations, destination)
            chosen = Route(ours.key, theirs.key, sources, destinations)
            if sources and destinations and chosen not in seen:
                seen.add(chosen)
                yield chosen
        if not seen and destination.addresses:
            yield from self._unrouted(source, destination.addresses, ours, theirs)

    @staticmethod
    def _unrouted(
        source: Place, destinations: tuple[Network, ...], ours: Interface, theirs: Interface
    ) -> Iterator[Route]:
        """To an address that no flow uses (a public one): by public addresses, as far as known."""
        public = PacketSet.of(theirs.public, None)
        for network in destinations:
            translated = bool(PacketSet.of((network,), None) & public)
            candidates = (ours.public, ours.private) if translated else (ours.private,)
            found = (_narrowed(_family(own, network.version), source, ours) for own in candidates)
            if sources := next(filter(None, found), ()):
                yield Route(ours.key, theirs.key, sources, (network,))


def _icmp_types(span: PortRange) -> PortRange:
    if span.last > 255:
        raise ValueError(f"{span} is not an ICMP type: write 0 to 255 (8 is an echo request)")
    return PortRange(span.first * 256, span.last * 256 + 255)


def _single(ports: tuple[PortRange, ...]) -> int | None:
    return ports[0].first if len(ports) == 1 and ports[0].first == ports[0].last else None


def _addresses(place: Place) -> tuple[Network, ...]:
    if place.addresses is not None:
        return place.addresses
    return place.interface.private if place.interface else ()


def _version(route: Route) -> int:
    return route.destinations[0].version


def _family(networks: tuple[Network, ...], version: int) -> tuple[Network, ...]:
    return tuple(network for network in networks if network.version == version)


def _named(networks: tuple[Network, ...], place: Place) -> tuple[Network, ...]:
    """The part of `networks` that the place names; all of them where it names none."""
    if place.addresses is None:
        return networks
    return _common(networks, place.addresses)


def _narrowed(networks: tuple[Network, ...], place: Place, card: Interface) -> tuple[Network, ...]:
    """As `_named` for senders, whose named address may be translated on the way.

    One member's address is followed to the same member's other addresses, or to a NAT gateway's.
    """
    if place.addresses is None:
        return networks
    direct = _common(networks, place.addresses)
    if direct:
        return direct
    member = member_of(card, place.addresses[0])
    others = (*member.private, *member.public) if member else ()
    if translated := _common(networks, others):
        return translated
    members = PacketSet.of((*card.private, *card.public), None)
    return tuple(n for n in networks if not PacketSet.of((n,), None) & members)


def _common(networks: tuple[Network, ...], others: tuple[Network, ...]) -> tuple[Network, ...]:
    if len(others) == 1 and others[0] in networks:  # a host asked about by its address
        return others
    both = PacketSet.of(networks, None) & PacketSet.of(others, None)
    return tuple(peer for box in both.boxes() for peer in box.peers)


def host(network: Network) -> Network:
    """The first address of `network` that a host may have."""
    offset = 1 if network.num_addresses > 2 else 0
    return ip_network(network.network_address + offset)
