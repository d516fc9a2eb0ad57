"""Few entries that carry everything asked for, and hardly more than the best there are."""

from __future__ import annotations

import random
from ipaddress import ip_network
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.ports import PortRange
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.providers.aws.emit.acl.cover import exact_cover
from flowbridge.providers.aws.emit.acl.fit import fit
from flowbridge.providers.aws.emit.acl.rectangle import ANY_PROTOCOL, Rectangle
from tests.providers.aws.best_fit import NETWORKS, PORTS, TCP, UDP, ratios, rectangle

ICMP, ESP = 1, 50

_SPANS = st.lists(st.sampled_from(PORTS), min_size=1, max_size=2).map(sorted)
RECTANGLES = st.builds(
    lambda protocol, network, span: rectangle(protocol, network, span[0], span[-1]),
    st.sampled_from([TCP, TCP, UDP, ICMP, ESP]),
    st.sampled_from(NETWORKS),
    _SPANS,
)
NEEDS = st.sets(RECTANGLES, min_size=1, max_size=12).map(lambda needs: tuple(sorted(needs)))


def packets(rectangles: tuple[Rectangle, ...]) -> PacketSet:
    return PacketSet.union(
        PacketSet.of(
            [r.network(4)],
            None if r.protocol == ANY_PROTOCOL else r.protocol,
            None,
            [PortRange(r.first, r.last)],
        )
        for r in rectangles
    )


@settings(max_examples=150, deadline=None)
@given(NEEDS)
def test_an_exact_cover_lets_in_exactly_what_is_asked(needs: tuple[Rectangle, ...]) -> None:
    cover = exact_cover(needs, 4)
    assert packets(cover) == packets(needs)
    assert len(cover) <= len(needs)


@settings(max_examples=100, deadline=None)
@given(NEEDS, st.integers(1, 8))
def test_a_fit_carries_everything_in_the_entries_there_are(
    needs: tuple[Rectangle, ...], capacity: int
) -> None:
    found = fit(needs, 4, capacity)
    if found is None:
        return
    assert len(found.entries) <= capacity
    assert packets(needs) <= packets(found.entries)
    assert (found.excess == 0) == (packets(needs) == packets(found.entries))


@settings(max_examples=100, deadline=None)
@given(NEEDS, st.integers(1, 8), st.sampled_from([22, 443, 7001]))
def test_a_management_port_never_opens_to_the_internet_to_save_an_entry(
    needs: tuple[Rectangle, ...], capacity: int, port: int
) -> None:
    found = fit(needs, 4, capacity, frozenset({(TCP, port, port)}))
    if found is None:
        return
    internet = ip_network("128.0.0.0/1"), ip_network("64.0.0.0/3")
    opened = (packets(found.entries) - packets(needs)).seen_by(internet)
    assert not opened & PacketSet.of(internet, TCP, None, [PortRange(port, port)])


def test_management_in_the_way_is_refused_rather_than_opened() -> None:
    needs = (rectangle(TCP, "0.0.0.0/0", 21), rectangle(TCP, "0.0.0.0/0", 23))
    assert fit(needs, 4, 1) is not None
    assert fit(needs, 4, 1, frozenset({(TCP, 22, 22)})) is None


def test_all_protocols_open_to_one_private_peer_before_anything_to_the_internet() -> None:
    needs = (
        rectangle(TCP, "0.0.0.0/0", 443),
        rectangle(TCP, "0.0.0.0/0", 5061),
        rectangle(TCP, "10.0.0.1/32", 22),
        rectangle(ESP, "10.0.0.1/32", 0),
    )
    found = fit(needs, 4, 3)
    assert found is not None
    assert found.entries == (
        rectangle(ANY_PROTOCOL, "10.0.0.1/32", 0),
        rectangle(TCP, "0.0.0.0/0", 443),
        rectangle(TCP, "0.0.0.0/0", 5061),
    )


def test_neighbouring_ranges_and_networks_are_one_entry() -> None:
    needs = (
        rectangle(UDP, "10.0.0.0/25", 24000, 29999),
        rectangle(UDP, "10.0.0.128/25", 24000, 29999),
        rectangle(UDP, "10.0.0.0/24", 30000, 59999),
    )
    assert exact_cover(needs, 4) == (rectangle(UDP, "10.0.0.0/24", 24000, 59999),)


def test_the_order_of_needs_does_not_matter() -> None:
    shuffle = random.Random(1)  # noqa: S311
    for _ in range(10):
        needs = [rectangle(TCP, shuffle.choice(NETWORKS), shuffle.choice(PORTS)) for _ in range(10)]
        one = fit(tuple(sorted(set(needs))), 4, 3)
        fit.cache_clear()
        exact_cover.cache_clear()
        shuffle.shuffle(needs)
        assert fit(tuple(sorted(set(needs))), 4, 3) == one


@pytest.mark.slow
def test_the_gap_to_the_best_fit_is_small() -> None:
    """Over random cases, against trying everything: nearly always the best, never far off."""
    found = list(islice(ratios(20), 40))
    assert found.count(1.0) >= 0.95 * len(found), found
    assert max(found) < 1.5, found


def test_the_port_is_kept_and_the_peer_widened_first() -> None:
    """Three hosts of a tier on two ports each, in four entries: by packets it would be cheapest to
    join the ports of each host."""
    hosts = ("10.0.10.11", "10.0.10.21", "10.0.10.31")
    needs = tuple(
        sorted(
            Rectangle.of(TCP, ip_network(host), port, port)
            for host in hosts
            for port in (5060, 5062)
        )
    )
    tier = ip_network("10.0.10.0/24")
    span = (int(tier.network_address), int(tier.broadcast_address))
    before = fit(needs, 4, 4)
    assert before is not None
    assert any(entry.first != entry.last for entry in before.entries)
    found = fit(needs, 4, 4, frozenset(), (span,))
    assert found is not None
    assert {(entry.first, entry.last) for entry in found.entries} == {(5060, 5060), (5062, 5062)}
    assert found.given_up == ()
    assert [entry.network(4) for entry in found.whole_tiers] == [tier]
    assert found.excess - before.excess <= tier.num_addresses


def test_ports_are_given_up_where_whole_tiers_do_not_save_enough() -> None:
    needs = tuple(
        sorted(Rectangle.of(TCP, ip_network("10.0.10.11"), port, port) for port in (22, 443, 5061))
    )
    tier = ip_network("10.0.10.0/24")
    span = (int(tier.network_address), int(tier.broadcast_address))
    found = fit(needs, 4, 2, frozenset(), (span,))
    assert found is not None
    assert found.whole_tiers == ()
    assert [(entry.first, entry.last) for entry in found.given_up] == [(22, 443)]
