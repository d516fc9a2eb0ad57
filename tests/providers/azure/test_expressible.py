"""What NSG rules can say: exact port lists, except for long rows of every second port."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.port_set import port_mask
from flowbridge.catalog.ports import Parity, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.providers.azure.expressible import expressible, filled_ports
from tests.policy.edge import networks, ports

LONGEST = 250  # quotas.yaml: port_ranges_per_rule
PEER = networks("198.51.100.7/32")


def packets(sources: Sequence[PortRange], destinations: Sequence[PortRange]) -> PacketSet:
    return PacketSet.of(PEER, Protocol.UDP, sources, destinations)


@st.composite
def spans(draw: st.DrawFn) -> PortRange:
    first = draw(st.integers(0, 2000))
    width = draw(st.sampled_from([0, 1, 10, 2 * LONGEST - 2, 2 * LONGEST, 1200]))
    return PortRange(first, first + width, draw(st.sampled_from([None, *Parity])))


LISTS = st.lists(spans(), min_size=1, max_size=3)


@pytest.mark.parametrize("parity", ["even", "odd"])
def test_every_second_port_is_exact_as_long_as_one_rule_can_list_it(parity: str) -> None:
    fits = packets(ports("any"), ports(f"36000-{36000 + 2 * LONGEST - 1} {parity}"))
    assert expressible(fits) == fits
    long = packets(ports("any"), ports(f"36000-{36000 + 2 * LONGEST + 1} {parity}"))
    assert long <= expressible(long)
    assert expressible(long) != long


def test_a_long_row_is_filled_from_its_first_port_to_its_last() -> None:
    assert filled_ports(port_mask(ports("36000-59998 even"))) == port_mask(ports("36000-59998"))
    assert filled_ports(port_mask(ports("40001-65535 odd"))) == port_mask(ports("40001-65535"))


def test_rtp_and_rtcp_with_parity_at_both_ends_become_the_range_at_both_ends() -> None:
    rtp = packets(ports("36000-59998 even"), ports("36000-59998 even"))
    rtcp = packets(ports("36001-59999 odd"), ports("36001-59999 odd"))
    whole = packets(ports("36000-59999"), ports("36000-59999"))
    corners = expressible(rtp | rtcp) - whole
    assert not corners
    assert rtp | rtcp <= expressible(rtp | rtcp)


def test_icmp_is_all_types_towards_the_same_peers_only() -> None:
    ping = PacketSet.of(PEER, Protocol.ICMP, None, ports("2048-2303"))
    assert expressible(ping) == PacketSet.of(PEER, Protocol.ICMP)


def test_source_ports_are_kept() -> None:
    exact = packets(ports("25000-29999", 5060), ports("1024-65535"))
    assert expressible(exact) == exact


@given(LISTS, LISTS)
def test_what_is_intended_stays_inside(
    sources: list[PortRange], destinations: list[PortRange]
) -> None:
    intended = packets(sources, destinations)
    assert intended <= expressible(intended)


@settings(max_examples=40)
@given(LISTS, LISTS, LISTS, LISTS)
def test_what_is_expressible_for_a_part_is_expressible_for_the_whole(
    one: list[PortRange], two: list[PortRange], three: list[PortRange], four: list[PortRange]
) -> None:
    part, rest = packets(one, two), packets(three, four)
    assert expressible(part) <= expressible(part | rest)
    filled = packets(*(tuple(_runs(filled_ports(port_mask(p)))) for p in (one, two)))
    assert filled <= expressible(part | rest)


def _runs(mask: int) -> list[PortRange]:
    return [PortRange(port, port) for port in range(65536) if mask >> port & 1]
