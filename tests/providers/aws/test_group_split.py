"""Rules over groups: within the quota, complete, and steady under change."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.group_split import Groups, split, weight
from flowbridge.providers.aws.emit.rule import Peer, PeerKind, Rule

PEERS = (
    Peer(kind=PeerKind.IPV4, value="10.0.0.1/32", label="x", families=(4,)),
    Peer(kind=PeerKind.IPV6, value="2001:db8::1/128", label="x", families=(6,)),
    Peer(kind=PeerKind.GROUP, value="cucm/single", label="x", families=(4, 6)),
    Peer(kind=PeerKind.PREFIX_LIST, value="cidrs_v4_x", label="x", families=(4,), weight=5),
)


def rule(port: int, direction: Direction, peer: Peer) -> Rule:
    return Rule(
        interface="edge/single",
        direction=direction,
        protocol=Protocol.TCP,
        first=port,
        last=port,
        peer=peer,
        rows=(),
        parties=(),
    )


RULES = st.lists(
    st.builds(
        rule, st.integers(1, 65535), st.sampled_from(list(Direction)), st.sampled_from(PEERS)
    ),
    max_size=60,
    unique_by=lambda rule: rule.identity,
)


def placed(groups: Groups) -> dict[tuple[str, ...], int]:
    return {rule.identity: number for number, rules in groups.items() for rule in rules}


@settings(max_examples=200, deadline=None)
@given(RULES, st.integers(5, 12), st.integers(1, 16))
def test_every_rule_is_in_one_group_and_no_group_holds_too_much(
    rules: list[Rule], capacity: int, most: int
) -> None:
    groups = split(rules, capacity, most)
    if groups is None:
        return
    assert len(groups) <= most
    assert sorted(placed(groups)) == sorted(rule.identity for rule in rules)
    for members in groups.values():
        for direction in Direction:
            part = [rule for rule in members if rule.direction is direction]
            assert all(weight(part, family) <= capacity for family in (4, 6))


@settings(max_examples=100, deadline=None)
@given(RULES, RULES)
def test_one_more_rule_moves_others_only_out_of_the_group_that_overflows(
    rules: list[Rule], more: list[Rule]
) -> None:
    new = [one for one in more if one.identity not in {rule.identity for rule in rules}][:1]
    before, after = split(rules, 10, 1000), split([*rules, *new], 10, 1000)
    assert before is not None
    assert after is not None
    old, now = placed(before), placed(after)
    moved = {identity for identity in old if old[identity] != now[identity]}
    assert len({old[identity] for identity in moved}) <= 1
    if moved:
        overflowing = next(iter(moved))
        assert new
        assert all(identity[1] == new[0].direction for identity in moved)
        assert (
            weight([r for r in before[old[overflowing]] if r.direction is new[0].direction], 4) + 5
            > 10
            or weight([r for r in before[old[overflowing]] if r.direction is new[0].direction], 6)
            + 1
            > 10
        )


def test_full_groups_are_used_before_the_rules_are_given_up() -> None:
    rules = [rule(port, Direction.INGRESS, PEERS[0]) for port in range(1, 51)]
    groups = split(rules, 10, 5)
    assert groups is not None
    assert [len(members) for members in groups.values()] == [10] * 5
    assert split(rules, 10, 4) is None


def test_a_prefix_list_heavier_than_a_group_fits_nowhere() -> None:
    assert split([rule(1, Direction.INGRESS, PEERS[3])], 4, 5) is None
