"""Redundant rules: covered by one, by several together, and those that only look so."""

from __future__ import annotations

from flowbridge.policy.filter import Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import ALL, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.proof.redundancy import redundant_rules
from tests.policy.edge import networks, ports, rule

HERE = Point("expressway-e/external", Direction.INGRESS)
THERE = Point("expressway-c/single", Direction.INGRESS)


def tcp(network: str, *spans: str | int) -> PacketSet:
    return PacketSet.of(networks(network), 6, None, ports(*spans))


def union(*rules: FilterRule) -> Filter:
    return Filter(name="sg", kind="security-group", order=Order.UNION, stateful=True, rules=rules)


def ordered(*rules: FilterRule, default_allow: bool = False) -> Filter:
    return Filter(
        name="fw",
        kind="vpc-firewall",
        order=Order.FIRST_MATCH,
        stateful=True,
        rules=rules,
        default_allow=default_allow,
    )


def names(*filters: Filter) -> dict[str, tuple[str, ...]]:
    return {r.rule: r.covered_by for r in redundant_rules({HERE: filters})}


def test_covered_by_one() -> None:
    found = names(
        union(rule("wide", tcp("10.0.0.0/8", "1-100")), rule("in", tcp("10.1.0.0/16", 22)))
    )
    assert found == {"in": ("wide",)}


def test_covered_by_several_together_only() -> None:
    found = names(
        union(
            rule("low", tcp("10.0.0.0/8", "1-100")),
            rule("high", tcp("10.0.0.0/8", "101-200")),
            rule("across", tcp("10.1.0.0/16", "90-110")),
            rule("half out", tcp("10.1.0.0/16", "190-210")),
        )
    )
    assert set(found) == {"across"}
    assert set(found["across"]) == {"low", "high"}


def test_of_two_halves_and_their_whole_not_all_can_go() -> None:
    rules = union(
        rule("whole", tcp("10.0.0.0/8", "1-200")),
        rule("low", tcp("10.0.0.0/8", "1-100")),
        rule("high", tcp("10.0.0.0/8", "101-200")),
    )
    found = redundant_rules({HERE: (rules,)})
    assert {r.rule for r in found} == {"whole", "low", "high"}
    assert {r.rule for r in found if r.removable} == {"low", "high"}


def test_of_twins_one_can_go() -> None:
    found = redundant_rules(
        {HERE: (union(rule("a", tcp("10.0.0.0/8", 1)), rule("b", tcp("10.0.0.0/8", 1))),)}
    )
    assert [r.rule for r in found] == ["a", "b"]
    assert [r.removable for r in found] == [False, True]


def test_the_same_packets_for_another_target_are_other_packets() -> None:
    wide, narrow = rule("wide", tcp("10.0.0.0/8", "1-100")), rule("narrow", tcp("10.1.0.0/16", 22))
    assert not redundant_rules({HERE: (union(wide),), THERE: (union(narrow),)})
    both = redundant_rules({HERE: (union(wide, narrow),), THERE: (union(narrow),)})
    assert not both, "it is needed at one of its two points"


def test_filters_that_both_must_pass_cover_nothing_of_each_other() -> None:
    same = tcp("10.0.0.0/8", 22)
    assert not names(union(rule("sg", same)), ordered(rule("acl", same)))


def test_first_match_shadowed_and_pointless_rules() -> None:
    found = names(
        ordered(
            rule("deny ssh", tcp("10.0.0.0/8", 22), allow=False),
            rule("shadowed", tcp("10.1.0.0/16", 22)),
            rule("allow", tcp("10.0.0.0/8", "20-30")),
            rule("again later", tcp("10.2.0.0/16", "25-26")),
            rule("denied anyway", tcp("10.0.0.0/8", 99), allow=False),
        )
    )
    assert set(found) == {"shadowed", "again later", "denied anyway"}
    assert found["shadowed"] == ("deny ssh",)
    assert found["again later"] == ("allow",)
    assert found["denied anyway"] == ()


def test_an_earlier_rule_whose_work_a_later_one_does() -> None:
    found = names(
        ordered(
            rule("early", tcp("10.1.0.0/16", 22)),
            rule("late", tcp("10.0.0.0/8", 22)),
        )
    )
    assert found == {"early": ("late",)}


def test_a_deny_in_between_makes_the_early_rule_needed() -> None:
    found = names(
        ordered(
            rule("early", tcp("10.1.0.0/16", 22)),
            rule("deny", tcp("10.1.2.0/24", 22), allow=False),
            rule("late", tcp("10.0.0.0/8", 22)),
        )
    )
    assert "early" not in found
    assert set(found) == {"deny"}, "the early rule decides all that the deny could"


def test_the_clouds_own_rules_and_the_closing_deny_are_not_reported() -> None:
    found = names(
        ordered(
            rule("allow", tcp("10.0.0.0/8", 22)),
            rule("closing", ALL, allow=False),
            FilterRule(name="implied", allow=False, packets=ALL, built_in=True),
        )
    )
    assert found == {}
