"""The ruleset for nftables in the kernel: what is asked for passes, and what is beside it does not.

Four namespaces: the firewall and the hosts of its three zones. For every crossing a witness packet
is sent from where the flow comes from; near misses differ from it by one thing each.
"""

from __future__ import annotations

import errno
import functools
import socket
import time
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address

import pytest

from flowbridge.catalog.port_set import port_runs
from flowbridge.policy.crossing.crossing import Crossing, crossings_of
from flowbridge.policy.crossing.path_set import PathPacket, PathRule, PathSet
from flowbridge.policy.crossing.zones import zones_of
from flowbridge.policy.packets.line import address_at
from flowbridge.policy.packets.packet import Packet
from flowbridge.providers.firewalls.configuration import configure
from tests.providers.firewalls.namespaces import Wire, why_not, wire
from tests.providers.firewalls.terms import deployment

STRANGERS = {"outside": "192.0.2.200", "dmz": "10.0.1.99", "inside": "10.20.0.99"}


@dataclass(frozen=True)
class Sent:
    """A packet from a host of one zone to a host of another."""

    zones: tuple[str, str]
    protocol: int
    source: str
    source_port: int
    destination: str
    port: int

    def is_in(self, asked: dict[tuple[str, str], PathSet]) -> bool:
        packet = Packet(ip_address(self.source), self.protocol, self.source_port, self.port)
        path = PathPacket(packet, ip_address(self.destination))
        return path in asked.get(self.zones, PathSet())


@functools.cache
def crossings() -> tuple[Crossing, ...]:
    site, flows = deployment()
    firewall = site.firewalls["premises"]
    return crossings_of(flows, firewall, zones_of(site, firewall)).found


def witness(each: Crossing) -> Sent:
    """One packet of a crossing: the lowest destination port, an own source port for each."""
    sources, destinations = min(each.ports, key=lambda pair: pair[1] & -pair[1])
    usable = port_runs(sources >> 1024 << 1024 or sources)[0]
    chosen = zlib.crc32(repr(each.rows).encode()) % (usable.last - usable.first + 1)
    ends = []
    for spans, fallback in ((each.sources, "198.51.100.7"), (each.destinations, "198.51.100.9")):
        wide = spans[0][1] - spans[0][0] > 1 << 20 or len(spans) > 1
        ends.append(
            fallback if wide else str(address_at(spans[0][0] + (spans[0][1] > spans[0][0])))
        )
    return Sent(
        (each.from_zone, each.to_zone),
        int(each.protocol),
        ends[0],
        usable.first + chosen,
        ends[1],
        (destinations & -destinations).bit_length() - 1,
    )


@functools.cache
def witnesses() -> tuple[Sent, ...]:
    return tuple(dict.fromkeys(map(witness, crossings())))


def near_misses(sent: Sent) -> Iterator[Sent]:
    source, to = sent.zones
    yield replace(sent, port=sent.port + 1)
    yield replace(sent, port=sent.port - 1)
    yield replace(sent, source_port=1000)
    yield replace(sent, source=STRANGERS[source])
    yield replace(sent, destination=STRANGERS[to])
    back = replace(sent, zones=(to, source), source=sent.destination, destination=sent.source)
    yield replace(back, source_port=61234)
    for zone in STRANGERS:
        if zone not in sent.zones:  # the right source behind the wrong side
            yield replace(sent, zones=(zone, to), source_port=sent.source_port)


@pytest.fixture(scope="module")
def sides() -> Iterator[Wire]:
    why = why_not()
    if why:
        warnings.warn(f"NOT PROVED IN THE KERNEL: {why}", stacklevel=1)
        pytest.skip(f"nftables is not proved in the kernel: {why}")
    site, flows = deployment()
    made = configure(site, "premises", flows)
    assert made.holds
    zones = {n: zone.interface or n for n, zone in made.firewall.zones.items()}
    addresses: dict[str, set[str]] = {zone: {STRANGERS[zone]} for zone in zones}
    for each in witnesses():
        for zone, address in zip(each.zones, (each.source, each.destination), strict=True):
            addresses[zone].add(address)
    with wire(zones, addresses) as here:
        here.load(made.text)
        yield here


_At = tuple[str, int, str, int]


def arrived(sides: Wire, several: list[Sent], *, answered: bool = False) -> dict[Sent, bool]:
    """Which of these get there, tried at once. `answered`: replies have to come back too."""
    listening: dict[_At, socket.socket] = {}
    sending: dict[Sent, socket.socket] = {}
    for each in several:
        at = where(each)
        if at not in listening:
            listening[at] = sides.bound(*at)
            if each.protocol == 6:
                listening[at].listen(64)
        sending[each] = sides.bound(each.zones[0], each.protocol, each.source, each.source_port)
    for each, made in sending.items():
        if each.protocol == 6:
            code = made.connect_ex((each.destination, each.port))
            assert code in (0, errno.EINPROGRESS), each
        else:
            made.sendto(repr(each).encode(), (each.destination, each.port))
    time.sleep(0.15)
    texts = {at: _read(made, answered) for at, made in listening.items() if at[1] == 17}
    time.sleep(0.05)
    got: dict[Sent, bool] = {}
    for each, made in sending.items():
        if each.protocol == 6:
            # A handshake is there when the answer came back.
            got[each] = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0 and _peer(made)
        elif answered:
            got[each] = _read(made, False) == {repr(each).encode()}
        else:
            got[each] = repr(each).encode() in texts[where(each)]
    for made in (*sending.values(), *listening.values()):
        made.close()
    return got


def where(each: Sent) -> _At:
    return each.zones[1], each.protocol, each.destination, each.port


def _read(made: socket.socket, answered: bool) -> set[bytes]:
    """All that came; `answered`: and it goes back."""
    found: set[bytes] = set()
    while True:
        try:
            text, whence = made.recvfrom(2048)
        except BlockingIOError:
            return found
        found.add(text)
        if answered:
            made.sendto(text, whence)


def _peer(made: socket.socket) -> bool:
    try:
        made.getpeername()
    except OSError:
        return False
    return True


def test_what_is_asked_for_passes_and_is_answered(sides: Wire) -> None:
    several = list(witnesses())
    assert len({each.zones for each in several}) >= 4
    assert {each.protocol for each in several} >= {6, 17}
    got = arrived(sides, several, answered=True)
    assert [each for each, there in got.items() if not there] == []


def test_what_is_beside_it_is_dropped(sides: Wire) -> None:
    asked: dict[tuple[str, str], PathSet] = {}
    for each in crossings():
        rule = PathRule(True, each.sources, each.destinations, int(each.protocol), each.ports)
        pair = each.from_zone, each.to_zone
        asked[pair] = asked.get(pair, PathSet()) | PathSet.allowed([rule])
    misses = [
        miss
        for each in witnesses()
        for miss in near_misses(each)
        if not miss.is_in(asked) and miss.zones[0] != miss.zones[1]
    ]
    got = arrived(sides, _possible(list(dict.fromkeys(misses))))
    assert len(got) > 60
    assert [each for each, there in got.items() if there] == []


def _possible(misses: list[Sent]) -> list[Sent]:
    """Those whose source the sending host has: another zone's host cannot take an address twice."""
    hosts: dict[str, set[str]] = {zone: {address} for zone, address in STRANGERS.items()}
    for each in witnesses():
        hosts[each.zones[0]].add(each.source)
        hosts[each.zones[1]].add(each.destination)
    return [m for m in misses if m.source in hosts[m.zones[0]]]


def test_a_phone_gets_its_file_by_tftp(sides: Wire) -> None:
    """The server answers from a port of its own choice, which is a new connection."""
    server = next(w for w in witnesses() if w.port == 69)
    phone = sides.bound(server.zones[0], 17, server.source, 40001)
    listener = sides.bound(server.zones[1], 17, server.destination, 69)
    phone.sendto(b"read", (server.destination, 69))
    time.sleep(0.05)
    _, whence = listener.recvfrom(100)
    transfer = sides.bound(server.zones[1], 17, server.destination, 41234)
    transfer.sendto(b"data", whence)
    time.sleep(0.05)
    assert phone.recvfrom(100) == (b"data", (server.destination, 41234))
    for made in (phone, listener, transfer):
        made.close()
