"""Laws of the audit, on hand-made estates: what it must find, and what it must not."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.audit.audit import Audit, Verdict, audit
from flowbridge.policy.audit.estate import Cause, Departure, Deviation, Estate, LiveRule, Unread
from flowbridge.policy.compiled import Policy, compile_policy
from flowbridge.policy.filter import Enforcement, Filter, FilterRule, Order
from flowbridge.policy.packets.packet_set import ALL, EMPTY, PacketSet
from flowbridge.policy.point import Direction, Point
from tests.providers.aws.policies import ADMIN, CUCM, INTERFACES, INTERNET, flow, here

POLICY = compile_policy(
    INTERFACES,
    [
        flow(ADMIN, here(CUCM), Protocol.TCP, "22"),
        flow(ADMIN, here(CUCM), Protocol.TCP, "443,8443", "expressway/11/2"),
        flow(INTERNET, here(CUCM), Protocol.UDP, "24000-29999", "expressway/11/3"),
        flow(here(CUCM), INTERNET, Protocol.TCP, "5060-5062", "expressway/11/4"),
    ],
)
INGRESS = Point(CUCM.key, Direction.INGRESS)
UNREAD = Unread(scope="account 1 eu-west-1", call="ec2:Describe", cause=Cause.DENIED, message="no")


def expressible(intended: PacketSet, _: Point) -> PacketSet:
    return intended.without_source_ports()


def plan(policy: Policy = POLICY) -> dict[Point, tuple[Filter, ...]]:
    """A stateful union of one rule for each demand, as a cloud without source ports has it."""
    points = [Point(i.key, direction) for i in policy.interfaces for direction in Direction]
    return {
        point: (
            _union(
                FilterRule(
                    name=f"planned.{point}.{n}",
                    allow=True,
                    packets=expressible(demand.packets, point),
                )
                for n, demand in enumerate(policy.demands.get(point, ()))
            ),
        )
        for point in points
    }


def _union(rules: object) -> Filter:
    return Filter(
        name="groups",
        kind="security-group",
        order=Order.UNION,
        stateful=True,
        rules=tuple(rules),  # type: ignore[arg-type]
    )


def live(enforcement: Enforcement, *, ours: bool = True, **more: object) -> Estate:
    """An estate of these filters. A rule named like a planned one is that one."""
    rules = {
        rule.name: LiveRule(
            id=rule.name,
            holder="sg-1",
            ours=ours,
            planned=rule.name if rule.name.startswith("planned.") else None,
            text=rule.name,
            description=rule.description,
        )
        for filters in enforcement.values()
        for stage in filters
        for rule in stage.rules
    }
    made = Estate(
        scope="account 1",
        enforcement=enforcement,
        rules=rules,
        deviations=(),
        unread=(),
        managed=True,
        found=None,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def judged(estate: Estate) -> Audit:
    return audit(POLICY, plan(), estate, expressible)


def at(point: Point, *rules: FilterRule) -> dict[Point, tuple[Filter, ...]]:
    """The plan with other rules at one point."""
    return {**plan(), point: (_union(rules),)}


def rules_at(point: Point) -> tuple[FilterRule, ...]:
    return plan()[point][0].rules


def _boxed(rule: FilterRule) -> list[FilterRule]:
    """One rule as many: one for each block and each half of its ports."""
    made: list[FilterRule] = []
    for box in rule.packets.boxes():
        for span in box.destination_ports:
            middle = (span.first + span.last) // 2
            halves = [PortRange(span.first, middle)]
            if middle < span.last:
                halves.append(PortRange(middle + 1, span.last))
            made += [
                FilterRule(
                    name=f"{rule.name.replace('planned', 'part')}.{len(made)}.{n}",
                    allow=True,
                    packets=PacketSet.of(box.peers, box.protocol, box.source_ports, [half]),
                )
                for n, half in enumerate(halves)
            ]
    return made


def test_the_plan_itself_is_clean() -> None:
    found = judged(live(plan()))
    assert found.verdict is Verdict.CLEAN
    assert (found.summary.coverage, found.summary.planned) == (1.0, 4)


@given(st.integers(0, 2**16))
@settings(max_examples=20, deadline=None)
def test_split_repeated_and_reordered_rules_are_no_drift(seed: int) -> None:
    random = Random(seed)  # noqa: S311
    rules: list[FilterRule] = []
    for rule in rules_at(INGRESS):
        rules += _boxed(rule) if random.random() < 0.7 else [rule]
    rules += random.sample(rules, k=1)
    random.shuffle(rules)
    found = judged(live(at(INGRESS, *rules), ours=random.random() < 0.5))
    assert found.verdict is Verdict.CLEAN
    assert found.summary.carried == found.summary.planned


@given(
    st.sampled_from(["10.9.0.0/16", "0.0.0.0/0", "198.51.100.0/24", "2001:db8::/32"]),
    st.sampled_from([6, 17, 50]),
    st.integers(0, 65000),
    st.integers(0, 500),
)
@settings(max_examples=40, deadline=None)
def test_an_added_rule_opens_exactly_what_nobody_asked_for(
    peer: str, protocol: int, first: int, more: int
) -> None:
    ports = None if protocol == 50 else [PortRange(first, first + more)]
    packets = PacketSet.of([ip_network(peer)], protocol, None, ports)
    added = FilterRule(name="sgr-added", allow=True, packets=packets)
    found = judged(live(at(INGRESS, *rules_at(INGRESS), added), ours=False))
    surplus = packets - expressible(POLICY.intended(INGRESS), INGRESS)
    opened = PacketSet.union(each.packets for each in found.opened)
    assert opened == surplus
    assert (found.verdict is Verdict.DRIFT) == bool(surplus)
    assert {each.rule.id for each in found.opened if each.rule} <= {"sgr-added"}
    assert [state.drift for state in found.unmanaged] == [bool(surplus)]


@given(st.integers(0, 2))
@settings(deadline=None)
def test_a_removed_rule_is_missing_with_its_rows(gone: int) -> None:
    rules = rules_at(INGRESS)
    kept = [rule for rule in rules if rule is not rules[gone]]
    found = judged(live(at(INGRESS, *kept)))
    demand = POLICY.demands[INGRESS][gone]
    assert found.verdict is Verdict.DRIFT
    assert PacketSet.union(each.packets for each in found.refused) == demand.packets
    assert {row for each in found.refused for row in each.rows} == set(demand.flow.rows)
    assert found.missing == (rules[gone].name,)


def test_a_changed_rule_of_ours_is_told_as_changed_and_not_also_as_missing() -> None:
    first, *rest = rules_at(INGRESS)
    planned = replace(first, description="expressway/11/1: from admin-pc")
    narrowed = replace(planned, name="sgr-1", packets=EMPTY)
    filters = at(INGRESS, *rest, narrowed)
    wanted = {**plan(), INGRESS: (_union((planned, *rest)),)}
    found = audit(POLICY, wanted, live(filters), expressible)
    assert [(state.rule.id, state.was, state.drift) for state in found.changed] == [
        ("sgr-1", planned.name, True)
    ]
    assert (found.summary.missing, found.missing) == (0, (planned.name,))


def test_changed_rules_of_one_description_are_each_what_another_was() -> None:
    """As the rules of a party with several networks, which are described alike."""
    *told, last = rules_at(INGRESS)
    alike = [replace(rule, description="expressway/11/1: from admin-pc") for rule in told]
    narrowed = [replace(rule, name=f"sgr-{n}", packets=EMPTY) for n, rule in enumerate(alike)]
    wanted = {**plan(), INGRESS: (_union((*alike, last)),)}
    found = audit(POLICY, wanted, live(at(INGRESS, last, *narrowed)), expressible)
    assert {state.was for state in found.changed} == {rule.name for rule in alike}
    assert (found.summary.missing, len(found.missing)) == (0, len(alike))


def test_what_was_not_read_is_never_clean() -> None:
    assert judged(live(plan(), unread=(UNREAD,))).verdict is Verdict.INCOMPLETE
    assert judged(live({}, unread=(UNREAD,))).verdict is Verdict.INCOMPLETE


def test_points_that_were_not_read_are_not_missing() -> None:
    some = {point: filters for point, filters in plan().items() if point.interface != CUCM.key}
    found = judged(live(some, unread=(UNREAD,)))
    assert (found.refused, found.missing) == ((), ())


def test_where_rules_may_stand_for_more_nothing_is_missing_but_more_is_found() -> None:
    added = FilterRule(name="sgr-added", allow=True, packets=ALL)
    estate = live(at(INGRESS, added), uncertain=frozenset({CUCM.key}), unread=(UNREAD,))
    found = judged(estate)
    assert found.refused == ()
    assert found.verdict is Verdict.DRIFT
    nothing = live(at(INGRESS), uncertain=frozenset({CUCM.key}), unread=(UNREAD,))
    assert judged(nothing).verdict is Verdict.INCOMPLETE


def test_a_departure_that_is_no_drift_changes_no_verdict() -> None:
    told = Deviation(Departure.FOREIGN_HOLDER, "sg-2", "is on it, too", drift=False)
    assert judged(live(plan(), deviations=(told,))).verdict is Verdict.CLEAN
    drift = replace(told, drift=True)
    assert judged(live(plan(), deviations=(drift,))).verdict is Verdict.DRIFT


def test_a_stateless_filter_that_refuses_replies_is_found() -> None:
    """Everything may arrive, and no reply may leave."""
    closed = Filter(
        name="acl-1", kind="network-acl", order=Order.FIRST_MATCH, stateful=False, rules=()
    )
    egress = Point(CUCM.key, Direction.EGRESS)
    found = judged(live({**plan(), egress: (*plan()[egress], closed)}))
    replies = [each for each in found.refused if each.replies]
    assert found.verdict is Verdict.DRIFT
    assert {row for each in replies for row in each.rows} == {
        "expressway/11/1",
        "expressway/11/2",
        "expressway/11/3",
    }


def test_what_another_filter_still_refuses_is_found_and_told_apart() -> None:
    """A wide network ACL in front of groups that hold: not open yet, and drift."""

    replies = POLICY.intended(Point(CUCM.key, Direction.EGRESS)).replies()
    needed = PacketSet.union(rule.packets for rule in rules_at(INGRESS)) | replies

    def with_acl(packets: PacketSet) -> Enforcement:
        rules = (FilterRule(name="planned.acl ingress 100", allow=True, packets=packets),)
        acl = Filter(
            name="acl", kind="network-acl", order=Order.FIRST_MATCH, stateful=False, rules=rules
        )
        return {**plan(), INGRESS: (acl, *plan()[INGRESS])}

    wanted = with_acl(needed)
    assert audit(POLICY, wanted, live(wanted), expressible).verdict is Verdict.CLEAN
    found = audit(POLICY, wanted, live(with_acl(ALL)), expressible)
    assert found.verdict is Verdict.DRIFT
    assert {each.kind for each in found.opened} == {"network-acl"}
    assert not any(each.reaching for each in found.opened)
