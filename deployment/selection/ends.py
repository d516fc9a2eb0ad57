"""The two ends of a row in one deployment, each by the addresses that the other's firewall sees.

This is where NAT matters (see `deployment.selection.reflection`): a host inside that talks to
Expressway-E's public address sends to that address, and arrives from its own public address or
from its NAT gateway's. Groups of a cloud never match such packets, so both ends are `translated`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from flowbridge.catalog.row import PartyReference, Row, Side
from flowbridge.deployment.addresses import in_order, is_host, of_families
from flowbridge.deployment.flow import End
from flowbridge.deployment.interface import Network
from flowbridge.deployment.interfaces import CORE, EDGE
from flowbridge.deployment.selection.parties import (
    CLUSTER_PARTIES,
    Placement,
    Places,
    common_families,
    without_public,
)
from flowbridge.deployment.selection.reflection import Reflection

Cause = Literal["absent", "elsewhere", "local", "off", "unknown-nat", "private-instead"]


@dataclass(frozen=True, slots=True)
class Unpaired:
    """Why two parties of a row make no flow here.

    `cause`: absent (a party is missing), elsewhere (neither end is managed here), local (the
    packets never leave one host), off (an option keeps it closed), unknown-nat (the public
    address of an inside host is not in the file), private-instead (the same, and private addresses
    are used in its place until the file names it). `key`: where the file lacks something.
    """

    cause: Cause
    reason: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """The ends of a flow. `ports_translated`: in these IP versions a NAT on the way gives it
    another source port.

    `instead_of` says what the pair stands in for, where the file leaves the better one open.
    """

    source: End
    destination: End
    ports_translated: frozenset[int] = frozenset()
    instead_of: Unpaired | None = None


def pairs_of(
    row: Row, places: Places, reflection: Reflection, *, unmanaged: bool = False
) -> Iterator[Pair | Unpaired]:
    """Every source of `row` with every destination of it.

    `unmanaged`: two ends that both run elsewhere are a pair, too.
    """
    for source in row.source.parties:
        for destination in row.destination.parties:
            if source.party in CLUSTER_PARTIES:
                yield from _between_peers(source, destination, places)
            else:
                for pair in _meetings(row, source, destination, places, reflection, unmanaged):
                    yield pair
                    if isinstance(pair, Pair) and pair.instead_of is not None:
                        yield pair.instead_of


def _between_peers(
    source: PartyReference, destination: PartyReference, places: Places
) -> Iterator[Pair | Unpaired]:
    peers = list(places.peers(source.of))
    if not peers:
        who = source.of or "Expressway"
        yield Unpaired("absent", f"no {who} here has two or more peers: list each under `peers`")
    for placement, others in peers:
        here = _private(replace(placement, party=source.party))
        there = _private(replace(placement, party=destination.party))
        if placement.interface is not None and len(placement.interface.members) > 1:
            yield Pair(here, there)
        if others is not None:
            families = common_families(placement, others)
            yield narrowed(Pair(here, _private(replace(others, party=destination.party))), families)
            yield narrowed(Pair(_private(replace(others, party=source.party)), there), families)


def _meetings(
    row: Row,
    source: PartyReference,
    destination: PartyReference,
    places: Places,
    reflection: Reflection,
    unmanaged: bool,
) -> Iterator[Pair | Unpaired]:
    """Two parties of a row, wherever each of them is."""
    met = list(_met(row, source, destination, places))
    for reference, found in ((source, [a for a, _ in met]), (destination, [b for _, b in met])):
        if not any(found):
            reason = f"{reference.party} is not in this deployment: "
            yield Unpaired("absent", reason + places.missing(reference.party))
            return
    pairs: list[Pair | Unpaired] = []
    for here, there in met:
        if here is None or there is None:
            continue
        pair = _pair(row, source, destination, here, there, places, reflection)
        if unmanaged and isinstance(pair, Unpaired) and pair.cause == "elsewhere":
            pair = _unmanaged(here, there) or pair
        pairs.append(pair)
    paired = any(isinstance(pair, Pair) for pair in pairs)
    for pair in pairs:
        # Where the parties meet somewhere, two ends that both run elsewhere are not worth a word.
        elsewhere = isinstance(pair, Unpaired) and pair.cause == "elsewhere" and not pair.key
        if not (paired and elsewhere):
            yield pair


def _met(
    row: Row, source: PartyReference, destination: PartyReference, places: Places
) -> Iterator[tuple[Placement | None, Placement | None]]:
    """Each place of the source with each of the destination; None for one that is absent.

    Which card of Expressway-E is met depends on where the other one is, which is told first.
    """
    left, right = row.source.nic, row.destination.nic
    if source.party == EDGE:
        for there in places.placements(destination, right, source) or (None,):
            for here in places.placements(source, left, destination, there) or (None,):
                yield here, there
    else:
        for here in places.placements(source, left, destination) or (None,):
            for there in places.placements(destination, right, source, here) or (None,):
                yield here, there


def _unmanaged(here: Placement, there: Placement) -> Pair | None:
    """Two ends that both run elsewhere, by the addresses that the file gives; None where one of
    them is managed here, or both are only "the internet"."""
    if here.interface or there.interface:
        return None
    families = common_families(here, there)
    if not families or here.private == there.private:
        return None
    return narrowed(Pair(_private(here), _private(there)), families)


def _pair(
    row: Row,
    source: PartyReference,
    destination: PartyReference,
    here: Placement,
    there: Placement,
    places: Places,
    reflection: Reflection,
) -> Pair | Unpaired:
    if here.interface is None and there.interface is None:
        return Unpaired("elsewhere", "both ends are outside this deployment")
    if source.party == EDGE == destination.party and here.interface and there.interface:
        return _edge_to_edge(row, source, destination, places, reflection)
    families = common_families(here, there)
    if not families:
        return _apart(here, there)
    if destination.party == EDGE and not here.outward:
        return _towards_edge(row, destination, here, there, reflection)
    if here.interface is there.interface:
        return _same_card(here, there)
    source_end = _outside(here, here.arrives_from) if there.outward else _private(here)
    destination_end = _outside(there, there.reached_at) if here.outward else _private(there)
    return narrowed(Pair(source_end, destination_end), families)


def _apart(here: Placement, there: Placement) -> Unpaired:
    """Both are in the file, and no packet of either reaches the other."""
    ends = (f"{end.party} ({_version_names(end.private)})" for end in (here, there))
    reason = (
        f"{' and '.join(ends)} have no IP version in common, so nothing is opened between them: "
        "give one of them an address of the other's version"
    )
    return Unpaired("elsewhere", reason, (here if there.interface else there).key)


def _version_names(networks: tuple[Network, ...]) -> str:
    return " and ".join(f"IPv{version}" for version in sorted(_versions(networks)))


def _same_card(here: Placement, there: Placement) -> Pair | Unpaired:
    assert here.interface is not None  # noqa: S101
    hosts = here.interface.members
    if len(hosts) == 1 and all(map(is_host, here.private)):
        return Unpaired("local", f"{here.party} is one host: the packets never leave it")
    return Pair(_private(here), _private(there))


def _edge_to_edge(
    row: Row,
    source: PartyReference,
    destination: PartyReference,
    places: Places,
    reflection: Reflection,
) -> Pair | Unpaired:
    """Expressway-E to Expressway-E: TURN relays, by public or by private addresses."""
    public = Side.PUBLIC in (source.side, destination.side)
    reference = PartyReference(party=EDGE, side=Side.PUBLIC if public else Side.PRIVATE)
    placement = places.place(reference, row.source.nic, reference)
    if placement is None or placement.interface is None:
        return Unpaired("elsewhere", "both ends are outside this deployment")
    if public and reflection.relays:
        addresses = placement.reached_at
        return Pair(_by(placement, addresses), _by(placement, addresses))
    return _same_card(placement, placement)


def _towards_edge(
    row: Row,
    destination: PartyReference,
    inside: Placement,
    edge: Placement,
    reflection: Reflection,
) -> Pair | Unpaired:
    """An inside host to Expressway-E, by its private address or reflected at its public one."""
    core = (
        reflection.core
        and not row.management
        and (inside.party == CORE or destination.side is not Side.PRIVATE)
    )
    printed_public = destination.side is Side.PUBLIC
    if not (core or printed_public) or not edge.public:
        return narrowed(Pair(_private(inside), _private(edge)), common_families(inside, edge))
    if not reflection.possible:
        return Unpaired("off", f"NAT reflection is not in force: {reflection.reason}")
    source, target = inside.arrives_from, edge.reached_at
    common = common_families(inside, edge)
    reached = _versions(target) & common
    unknown = reached - _versions(source)
    by_public = reached - unknown
    # What is not translated is met at the card's own address by everybody.
    by_private = common - reached if core else frozenset()
    instead_of = _partly_unknown(inside, by_public)
    if unknown:
        reason = (
            f"{inside.party} reaches Expressway-E at its public address, and this file does not "
            f"say from which public address it arrives there: add {inside.nat_key}"
        )
        if not core and not by_public:
            return Unpaired("absent", reason, inside.nat_key)
        if core and reflection.demanded:
            return Unpaired("unknown-nat", reason, inside.nat_key)
        if core:
            # A host without a way out cannot reach a public address at all: what it can send to
            # Expressway-E goes by private addresses.
            by_private |= unknown
            reason += ". Until then only its private address is admitted"
        instead_of = Unpaired("private-instead" if core else "absent", reason, inside.nat_key)
    if not by_public | by_private:
        return Unpaired("elsewhere", "the two ends have no IP version in common")
    return Pair(
        _by(inside, _mixed(source, by_public, inside.private, by_private)),
        _by(edge, _mixed(target, by_public, edge.private, by_private)),
        _behind_nat(inside) & by_public,
        instead_of,
    )


def _mixed(
    public: tuple[Network, ...],
    by_public: frozenset[int],
    private: tuple[Network, ...],
    by_private: frozenset[int],
) -> tuple[Network, ...]:
    return in_order((*of_families(public, by_public), *of_families(private, by_private)))


def _versions(networks: tuple[Network, ...]) -> frozenset[int]:
    return frozenset(network.version for network in networks)


def _partly_unknown(inside: Placement, versions: frozenset[int]) -> Unpaired | None:
    """Hosts of a party that have no public address, where others have and no NAT is named."""
    if inside.interface is None:
        return None
    lacking = without_public(inside.interface) & _versions(inside.public) & versions
    if not lacking - _versions(inside.nat):
        return None
    reason = (
        f"some hosts of {inside.party} have no public address, and this file does not say from "
        f"which one they reach Expressway-E at its own: add {inside.nat_key}"
    )
    return Unpaired("absent", reason, inside.nat_key)


def _behind_nat(inside: Placement) -> frozenset[int]:
    """The IP versions in which a host inside shares its public address, so ports are exchanged.

    What has a public address of its own keeps its ports; of a system outside this deployment it
    is not known whose the address is.
    """
    return _versions(inside.public if inside.interface is None else inside.nat)


def _private(placement: Placement) -> End:
    return End(
        party=placement.party,
        interface=placement.interface,
        addresses=in_order(placement.private),
        host_names=placement.host_names,
        inside=placement.inside,
        sets=placement.sets,
        set_entries=placement.set_entries,
    )


def _outside(placement: Placement, addresses: tuple[Network, ...]) -> End:
    """A managed end as the internet sees it; in an IP version in which that is not known, by its
    own addresses."""
    if placement.interface is None or not addresses:
        return _private(placement)
    unknown = _versions(placement.private) - _versions(addresses)
    own: tuple[Network, ...] = of_families(placement.private, unknown)
    return _by(placement, in_order((*addresses, *own)))


def _by(placement: Placement, addresses: tuple[Network, ...]) -> End:
    own = of_families(in_order(placement.private), _versions(addresses))
    return End(
        party=placement.party,
        interface=placement.interface,
        addresses=addresses,
        translated=addresses != own,
        host_names=placement.host_names,
    )


def narrowed(pair: Pair, families: frozenset[int]) -> Pair:
    """Both ends with the addresses of these IP versions only."""

    def end(whole: End) -> End:
        addresses: tuple[Network, ...] = of_families(whole.addresses, families)
        inside: tuple[Network, ...] = of_families(whole.inside, families)
        return replace(whole, addresses=addresses, inside=inside)

    return replace(pair, source=end(pair.source), destination=end(pair.destination))
