"""Flows into rules: one rule for each interface, direction, peer and IP version.

A rule holds every protocol and port that its peer is asked for, so a flow that is added or taken
away changes that one rule. Peers are always written as ranges: a tag as a source stands only for
the first interface of a machine and never for a public address (compute API,
Firewall.sourceTags), so it would sometimes mean something else than the flow.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import collapse_addresses
from typing import Any, Final, cast

from flowbridge.catalog.ports import HIGHEST_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import EVERYWHERE, is_public, merged, of_families, order
from flowbridge.deployment.flow import End
from flowbridge.deployment.interface import Interface, Network
from flowbridge.policy.compiled import Demand, Policy
from flowbridge.policy.packets.relation import destination_runs, joined
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.gcp.emit.rule import (
    EVERYTHING,
    INSIDE,
    TRANSLATED,
    Action,
    Layer,
    Peer,
    Rule,
)
from flowbridge.providers.gcp.naming import digest
from flowbridge.providers.gcp.quotas import Quota

_PUBLIC: Final = "public"
_Who = tuple[str, str, int]  # party, qualifier, IP version


def rules_of(
    policy: Policy, site: str, interface: Interface, network: str, ports: Quota
) -> tuple[Rule, ...]:
    """The rules of `interface`, those that allow first, in the order of their names.

    `ports`: how many ports and ranges one protocol of a rule may have.
    """
    allows: list[Rule] = []
    denies: list[Rule] = []
    for direction in Direction:
        demands = policy.demands.get(Point(interface.key, direction), ())
        inside: list[Network] = []
        for peer, asked in _by_peer(demands, interface):
            inside.extend(peer.inside)
            for part, layers in _parts(asked, ports.value or 1):
                allows.append(
                    Rule(
                        site=site,
                        network=network,
                        interface=interface,
                        direction=direction,
                        action=Action.ALLOW,
                        peer=peer,
                        layers=layers,
                        part=part,
                    )
                )
        layers = (Layer(None),)
        for whole in EVERYWHERE:
            if left_out := of_families(merged(inside), (whole.version,)):
                peer = Peer(INSIDE, "", left_out)
                denies.append(
                    Rule(
                        site=site,
                        network=network,
                        interface=interface,
                        direction=direction,
                        action=Action.DENY,
                        peer=peer,
                        layers=layers,
                    )
                )
            peer = Peer(EVERYTHING, "", (whole,))
            denies.append(
                Rule(
                    site=site,
                    network=network,
                    interface=interface,
                    direction=direction,
                    action=Action.DENY,
                    peer=peer,
                    layers=layers,
                )
            )
    return tuple(
        rule for group in (allows, denies) for rule in sorted(group, key=lambda rule: rule.name)
    )


_Asked = Mapping[Protocol, Sequence[Demand]]


class _Served:
    """One address set of a party: the ends that it stands for, and what is asked about them."""

    def __init__(self) -> None:
        self.ends: list[End] = []
        self.asked: defaultdict[Protocol, list[Demand]] = defaultdict(list)


def _by_peer(demands: Iterable[Demand], interface: Interface) -> Iterator[tuple[Peer, _Asked]]:
    """The demands of each peer. A party with several address sets is as many peers."""
    found: defaultdict[_Who, defaultdict[tuple[Network, ...], _Served]] = defaultdict(
        lambda: defaultdict(_Served)
    )
    # By the identity of the end: to hash an address takes longer than to look at it.
    alike: defaultdict[tuple[int, Protocol], list[Demand]] = defaultdict(list)
    for demand in demands:
        alike[id(demand.peer), demand.flow.protocol].append(demand)
    families = interface.families
    served: dict[tuple[int, int], _Served | None] = {}
    for (_, protocol), asked in alike.items():
        peer = asked[0].peer
        # The compute API refuses a rule for ICMP that names IPv6 ranges, and the reverse.
        for version in families & protocol.ip_versions:
            who = id(peer), version
            if who not in served:
                apart = len(asked[0].addresses) == len(peer.addresses)  # none touches another
                networks = _collapsed(peer.addresses, version, apart=apart)
                served[who] = found[_who(peer, networks)][networks] if networks else None
            if (one := served[who]) is not None:
                one.ends.append(peer)
                one.asked[protocol].extend(asked)
    for (party, qualifier, _), sets in found.items():
        for networks, one in sets.items():
            # One set keeps its name when its addresses change. Several cannot all have the same.
            own = digest(*networks) if len(sets) > 1 else ""
            names = sorted({name for end in one.ends for name in end.host_names})
            inside = merged(n for end in one.ends for n in end.inside)
            inside = of_families(inside, (networks[0].version,))
            words = f"{qualifier} {own}".strip()
            yield Peer(party, words, networks, tuple(names), inside), one.asked


def _who(peer: End, networks: tuple[Network, ...]) -> _Who:
    version = networks[0].version
    if peer.translated:
        return peer.key, TRANSLATED, version
    return peer.key, _PUBLIC if all(map(is_public, networks)) else "", version


def _collapsed(networks: Iterable[Network], version: int, *, apart: bool) -> tuple[Network, ...]:
    """The addresses of one IP version as few ranges, in rising order."""
    mine = [network for network in networks if network.version == version]
    if apart:
        return tuple(sorted(mine, key=order))
    return tuple(collapse_addresses(cast("Iterable[Any]", mine)))


def _parts(asked: _Asked, limit: int) -> Iterator[tuple[str, tuple[Layer, ...]]]:
    """The layers of one rule; a protocol with more than `limit` port entries has its own rules."""
    shared: list[Layer] = []
    for protocol, members in sorted(asked.items()):
        layer = _layer(protocol, members)
        if len(layer.ports) <= limit:
            shared.append(layer)
            continue
        for block in _blocks(layer.ports, limit):
            yield f"{protocol.label} {block}", (_layer(protocol, members, block),)
    if shared:
        yield "", tuple(shared)


def _layer(protocol: Protocol, demands: Iterable[Demand], within: PortRange | None = None) -> Layer:
    asking = [d for d in demands if within is None or destination_runs(d.ports, within)]
    rows = tuple(sorted({row for demand in asking for row in demand.flow.rows}))
    if not protocol.has_ports:  # no rule tells ICMP types apart, so all of them go with one
        return Layer(protocol, (), rows)
    return Layer(protocol, destination_runs(joined(d.ports for d in asking), within), rows)


def _blocks(ports: tuple[PortRange, ...], limit: int) -> tuple[PortRange, ...]:
    """The port space cut into equal blocks, as few as leave at most `limit` entries in each; those
    that hold any of `ports`.

    The cuts do not depend on the ports, so a port more or less changes the block that holds it.
    """
    size = HIGHEST_PORT + 1
    counts: Counter[int] = Counter()
    while not counts or max(counts.values()) > limit:
        size //= 2
        counts = Counter(
            block for span in ports for block in range(span.first // size, span.last // size + 1)
        )
    return tuple(PortRange(block * size, (block + 1) * size - 1) for block in sorted(counts))
