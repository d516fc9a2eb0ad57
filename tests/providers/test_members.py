"""The one filter of an interface whose members differ shows what is wrong for any of them."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from flowbridge.catalog.ports import PortRange
from flowbridge.policy.filter import Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.providers.meaning.members import across_members
from tests.policy.one_packet import packet, verdict

PEERS = [ip_network(f"192.0.2.{last}/32") for last in range(4)]
SETS = st.builds(
    lambda peers, first, size: PacketSet.of(peers, 6, None, [PortRange(first, first + size)]),
    st.lists(st.sampled_from(PEERS), min_size=1),
    st.integers(0, 5),
    st.integers(0, 3),
)
PROBES = [packet(f"192.0.2.{last}", 6, 1, port) for last in range(4) for port in range(10)]


@st.composite
def filters(draw: st.DrawFn, order: Order) -> Filter:
    rules = tuple(
        FilterRule(
            name=f"rule {i}", allow=order is Order.UNION or draw(st.booleans()), packets=draw(SETS)
        )
        for i in range(draw(st.integers(0, 4)))
    )
    default = order is Order.FIRST_MATCH and draw(st.booleans())
    bypass = draw(st.one_of(st.just(EMPTY), SETS))
    return Filter(
        name=f"of member {draw(st.integers())}",
        kind="any",
        order=order,
        stateful=True,
        rules=rules,
        default_allow=default,
        bypassed_by=bypass,
    )


@given(
    data=st.sampled_from(Order).flatmap(lambda o: st.lists(filters(o), min_size=1, max_size=3)),
    asked=SETS,
)
def test_each_packet_shows_the_verdict_that_is_wrong_where_members_differ(
    data: list[Filter], asked: PacketSet
) -> None:
    merged = across_members(data, asked)
    whole = merged.allowed()
    for probe in PROBES:
        said = {verdict(stage, probe)[0] for stage in data}
        expected = said.pop() if len(said) == 1 else probe not in asked
        assert verdict(merged, probe)[0] is expected
        assert (probe in whole) is expected


def test_equal_filters_stay_as_they_are() -> None:
    one = Filter(
        name="acl",
        kind="any",
        order=Order.FIRST_MATCH,
        stateful=False,
        rules=(),
        default_allow=True,
    )
    assert across_members([one, one], EMPTY) is one
