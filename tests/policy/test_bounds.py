"""Between what passes for sure and what may pass nothing can be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flowbridge.policy.audit.bounds import bounds
from flowbridge.policy.audit.estate import Estate
from flowbridge.policy.doubt import Bounds
from flowbridge.policy.filter import Filter, FilterRule, Order, passes
from flowbridge.policy.packets.packet_set import ALL, EMPTY
from flowbridge.policy.unknown import Unknown, Why
from tests.live.test_audit import INGRESS, POLICY, UNREAD, live, plan


def of(estate: Estate, **more: Any) -> Bounds:
    return bounds(POLICY, plan(), estate, **more)


def least_and_most(found: Bounds) -> tuple[bool, bool]:
    """Whether everything that is asked for passes for sure, and whether it may."""
    asked = POLICY.intended(INGRESS)
    least, most = passes(found.least[INGRESS]), passes(found.most[INGRESS])
    return not asked - least, not asked - most


def ordered(*rules: FilterRule, unknown: Unknown) -> Filter:
    rest = FilterRule(name="allow", allow=True, packets=ALL)
    return Filter(
        name="nsg",
        kind="nsg",
        order=Order.FIRST_MATCH,
        stateful=True,
        rules=(*rules, rest),
        unknown=(unknown,),
    )


def test_what_was_read_whole_is_certain() -> None:
    found = of(live(plan()))
    assert (found.least, found.most, found.reasons) == (plan(), plan(), {})


@pytest.mark.parametrize("point", [True, False])
def test_what_was_not_read_may_be_anything(point: bool) -> None:
    read = plan() if point else {p: f for p, f in plan().items() if p != INGRESS}
    found = of(live(read, unread=(UNREAD,)))
    assert least_and_most(found) == (False, True)
    assert found.reasons[INGRESS] == (str(UNREAD),)


def test_a_member_that_was_not_found_lets_nothing_through_for_sure() -> None:
    nobody = live(plan(), found={})
    assert least_and_most(of(nobody)) == (False, True)
    assert least_and_most(of(nobody, before_machines=True)) == (True, True)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (FilterRule(name="odd", allow=True, packets=EMPTY), (True, True)),
        (FilterRule(name="odd", allow=False, packets=EMPTY), (False, True)),
        (None, (False, True)),
    ],
)
def test_a_rule_that_denies_nobody_knows_whom_takes_away(
    rule: FilterRule | None, expected: tuple[bool, bool]
) -> None:
    stage = ordered(*([rule] if rule else []), unknown=Unknown("odd", "the peers", Why.PEERS))
    found = of(live({**plan(), INGRESS: (stage,)}))
    assert least_and_most(found) == expected
    refusing = replace(stage, rules=stage.rules[:-1])
    found = of(live({**plan(), INGRESS: (refusing,)}))
    assert least_and_most(found) == (False, rule is None or rule.allow)


def test_a_union_only_gains_by_what_is_not_known() -> None:
    (stage,) = plan()[INGRESS]
    odd = replace(stage, unknown=(Unknown("odd", "the members of group sg-9", Why.PEERS),))
    assert least_and_most(of(live({**plan(), INGRESS: (odd,)}))) == (True, True)
    empty = replace(odd, rules=())
    assert least_and_most(of(live({**plan(), INGRESS: (empty,)}))) == (False, True)
