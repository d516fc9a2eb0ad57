"""The laws of packet sets, against a naive model and in themselves."""

from __future__ import annotations

import itertools
from ipaddress import ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.port_set import port_mask, port_ranges
from flowbridge.catalog.ports import ANY_PORT, Parity, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.packets.as_json import plain_box
from flowbridge.policy.packets.packet import Box, Packet, icmp_code
from flowbridge.policy.packets.packet_set import ALL, EMPTY, EVERY_ADDRESS, PacketSet
from tests.policy.naive_packets import (
    BLOCKS,
    LISTS,
    NETWORKS,
    PORTS,
    UNIVERSE,
    Block,
    engine_set,
    members,
    naive_set,
)
from tests.policy.one_packet import packet

few = settings(max_examples=40, deadline=None)
SETS = LISTS.map(engine_set)
NOT_ALL = st.sampled_from((EMPTY, PacketSet.of(EVERY_ADDRESS, Protocol.AH)))


def set_of(box: Box) -> PacketSet:
    return PacketSet.of(box.peers, box.protocol, box.source_ports, box.destination_ports)


@few
@given(LISTS, LISTS)
def test_operations_agree_with_plain_sets_of_packets(a: list[Block], b: list[Block]) -> None:
    left, right = engine_set(a), engine_set(b)
    plain_left, plain_right = naive_set(a), naive_set(b)
    assert members(left | right) == plain_left | plain_right
    assert members(left & right) == plain_left & plain_right
    assert members(left - right) == plain_left - plain_right
    assert (left <= right) == (plain_left <= plain_right)


@few
@given(LISTS, st.randoms())
def test_one_set_has_one_form(blocks: list[Block], random: object) -> None:
    """However a set came about, equal packets are an equal object with an equal hash."""
    shuffled = list(blocks)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = engine_set(blocks)
    other = EMPTY
    for block in shuffled:
        other = block.packets() | other
    rebuilt = PacketSet.union(map(_widened, one.boxes())) - (ALL - one)
    assert one == other == rebuilt
    assert hash(one) == hash(other) == hash(rebuilt)


def _widened(box: Box) -> PacketSet:
    """A box without its ports: more than it was, to be cut back again."""
    return PacketSet.of(box.peers, box.protocol)


def test_neighbouring_networks_are_the_network_they_make_up() -> None:
    halves = (ip_network("10.0.0.0/31"), ip_network("10.0.0.2/31"))
    assert PacketSet.of(halves, None) == PacketSet.of((ip_network("10.0.0.0/30"),), None)


@few
@given(LISTS, LISTS)
def test_equal_means_the_same_packets(a: list[Block], b: list[Block]) -> None:
    assert (engine_set(a) == engine_set(b)) == (naive_set(a) == naive_set(b))


@settings(max_examples=80, deadline=None)
@given(SETS, SETS, SETS)
def test_boolean_algebra(a: PacketSet, b: PacketSet, c: PacketSet) -> None:
    assert ALL - (a | b) == (ALL - a) & (ALL - b)
    assert ALL - (a & b) == (ALL - a) | (ALL - b)
    assert ALL - (ALL - a) == a
    assert a | (b & c) == (a | b) & (a | c)
    assert a & (b | c) == (a & b) | (a & c)
    assert (a - b) - c == a - (b | c)
    assert a | b == b | a
    assert a & b == b & a
    assert (a - b) | (a & b) == a
    assert not (a - b) & b
    assert a - a == EMPTY
    assert a & ALL == a == a | EMPTY


@few
@given(SETS)
def test_the_example_is_in_the_set_and_always_the_same(a: PacketSet) -> None:
    found = a.example()
    assert (found is None) == (not a)
    if found is not None:
        assert found in a
        assert a.example() == found


@few
@given(SETS, SETS)
def test_count_is_a_measure(a: PacketSet, b: PacketSet) -> None:
    assert (a | b).count() == a.count() + b.count() - (a & b).count()
    assert (a.count() == 0) == (a == EMPTY)
    assert a.count() + (ALL - a).count() == ALL.count()


def test_counts_of_known_sets() -> None:
    net = (ip_network("10.0.0.0/30"),)
    ports = (PortRange(10, 19, Parity.EVEN),)
    assert PacketSet.of(net, Protocol.UDP, (PortRange(1, 3),), ports).count() == 4 * 3 * 5
    assert PacketSet.of(net, Protocol.ICMP, None, (icmp_code(8, 0),)).count() == 4
    assert PacketSet.of(net, Protocol.AH).count() == 4


@few
@given(SETS, NOT_ALL)
def test_boxes_cover_exactly_and_are_disjoint(most: PacketSet, less: PacketSet) -> None:
    a = most - less
    boxes = list(a.boxes())
    named = [box for box in boxes if box.protocol is not None]
    for one, other in itertools.combinations(named, 2):
        assert not set_of(one) & set_of(other)
    for number in (1, 6, 17, 51, 200):
        mine = [box for box in boxes if box.protocol == number]
        mine += [
            Box(box.peers, number, (ANY_PORT,), (ANY_PORT,))
            for box in boxes
            if box.protocol is None and number not in box.but
        ]
        line = PacketSet.of((ip_network("0.0.0.0/0"), ip_network("::/0")), number) & a
        assert PacketSet.union(map(set_of, mine)) == line


def test_a_block_of_any_protocol_says_which_it_is_not_for() -> None:
    """Of ESP the set has nothing, of TCP a part: neither is `any protocol`."""
    esp, web = PacketSet.of(EVERY_ADDRESS, Protocol.ESP), (PortRange(443, 443),)
    packets = ALL - esp - PacketSet.of(EVERY_ADDRESS, Protocol.TCP, None, web)
    assert [box.but for box in packets.boxes()] == [(), (Protocol.TCP, Protocol.ESP)]
    assert str(packets).endswith("; any protocol but tcp, esp peers 0.0.0.0/0, ::/0")
    assert plain_box(list(packets.boxes())[-1])["except"] == ["tcp", "esp"]
    assert "except" not in plain_box(*ALL.boxes())


@few
@given(SETS)
def test_replies_swap_ports_and_come_back(a: PacketSet) -> None:
    ported = a & (_all_of(Protocol.TCP) | _all_of(Protocol.UDP))
    assert ported.replies().replies() == ported
    assert ported.replies().requests() == ported
    assert members(ported.replies()) == {
        Packet(p.peer, p.protocol, p.destination_port, p.source_port) for p in members(ported)
    }


@few
@given(SETS)
def test_the_replies_of_a_set_are_the_replies_of_its_packets(a: PacketSet) -> None:
    for found in (box_set.example() for box_set in map(set_of, a.boxes())):
        if found is not None and found.protocol in (1, 6, 17, 51):
            reply = found.reply()
            assert reply is None or reply in a.replies()


def test_an_echo_is_answered_by_an_echo_reply_and_an_error_by_nothing() -> None:
    net = (ip_network("10.0.0.0/24"),)
    echo = PacketSet.of(net, Protocol.ICMP, None, (icmp_code(8),))
    assert echo.replies() == PacketSet.of(net, Protocol.ICMP, None, (icmp_code(0, 0),))
    assert echo.replies().requests() == echo
    unreachable = PacketSet.of(net, Protocol.ICMP, None, (icmp_code(3, 4),))
    assert unreachable.replies() == EMPTY
    assert packet("10.0.0.1", Protocol.ICMP, 0, 3 * 256 + 4).reply() is None
    answer = packet("10.0.0.1", Protocol.ICMP, 0, 8 * 256).reply()
    assert answer is not None
    assert answer in echo.replies()
    for code in (0, 255):
        one = PacketSet.of(net, Protocol.ICMP, None, (icmp_code(8, code),))
        assert one.replies() == echo.replies()
    # A code of a neighbouring type must not count as a request.
    assert PacketSet.of(net, Protocol.ICMP, None, (icmp_code(9),)).replies() == EMPTY


@few
@given(SETS, SETS)
def test_without_source_ports_is_the_tightest_superset(a: PacketSet, b: PacketSet) -> None:
    free = a.without_source_ports()
    # Exactly the packets that have a brother in the set with another source port.
    assert members(free) == {
        Packet(p.peer, p.protocol, source, p.destination_port)
        for p in members(a)
        for source in (PORTS if p.protocol in (6, 17) else (p.source_port,))
    }
    assert a <= free == free.without_source_ports()
    assert free <= (a | b).without_source_ports()


@few
@given(SETS, st.lists(st.sampled_from(NETWORKS), min_size=1, max_size=3))
def test_by_peer_gives_back_the_set(a: PacketSet, networks: list[object]) -> None:
    peers = tuple(networks)
    groups = list(a.by_peer(peers))  # type: ignore[arg-type]
    assert PacketSet.union(
        alike & PacketSet.of(group, None) for group, alike in groups
    ) == a.seen_by(peers)  # type: ignore[arg-type]
    covered = [PacketSet.of(group, None) for group, _ in groups]
    assert PacketSet.union(covered) == PacketSet.of(peers, None)  # type: ignore[arg-type]
    for one, other in itertools.combinations(covered, 2):
        assert not one & other


@few
@given(st.lists(st.tuples(st.integers(0, 65535), st.integers(0, 65535)), max_size=5), st.data())
def test_port_ranges_read_back(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    spans = [
        PortRange(min(a, b), max(a, b), data.draw(st.sampled_from([None, *Parity])))
        for a, b in pairs
    ]
    mask = port_mask(spans)
    assert port_mask(port_ranges(mask)) == mask


def test_even_and_odd_halves_are_one_range() -> None:
    halves = [PortRange(36000, 59999, parity) for parity in Parity]
    assert port_ranges(port_mask(halves)) == (PortRange(36000, 59999),)


def test_ranges_are_as_a_person_would_write_them() -> None:
    for text in (["1", "3-5"], ["10-20 even", "30"], ["22", "80", "443"], ["1-9 odd", "12-13"]):
        spans = tuple(map(PortRange.parse, text))
        assert port_ranges(port_mask(spans)) == spans


@few
@given(BLOCKS)
def test_the_universe_is_not_trivial(block: Block) -> None:
    """Guards the model itself: what a block holds is what it was built from."""
    for found in UNIVERSE[::97]:
        assert block.holds(found) == (found in block.packets())


def _all_of(protocol: int) -> PacketSet:
    return PacketSet.of((ip_network("0.0.0.0/0"), ip_network("::/0")), protocol)
