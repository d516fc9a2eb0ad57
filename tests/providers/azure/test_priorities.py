"""Priorities: one each, from content, and as stable as that can be."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flowbridge.providers.azure.emit.priorities import priorities
from flowbridge.providers.terraform.content_names import content_digest

# Short identities in a narrow band: collisions are the rule, not the exception.
CROWDED = st.lists(st.text("abcdef", min_size=1, max_size=4), unique=True, max_size=30)


@given(CROWDED)
def test_every_rule_has_a_priority_of_its_own_in_the_band(identities: list[str]) -> None:
    given_out = priorities(identities, 100, 139)
    assert set(given_out) == set(identities)
    assert len(set(given_out.values())) == len(identities)
    assert all(100 <= priority <= 139 for priority in given_out.values())


@given(CROWDED, st.randoms(use_true_random=False))
def test_the_order_of_the_rules_does_not_matter(identities: list[str], random: object) -> None:
    shuffled = list(identities)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert priorities(shuffled, 100, 139) == priorities(identities, 100, 139)


@given(CROWDED, st.text("abcdef", min_size=1, max_size=4))
def test_a_rule_moves_only_when_a_rule_before_it_takes_its_place(
    identities: list[str], added: str
) -> None:
    before = priorities([i for i in identities if i != added], 100, 139)
    after = priorities({*identities, added}, 100, 139)
    holders = {priority: identity for identity, priority in after.items()}
    for identity, priority in before.items():
        if after[identity] != priority:
            assert content_digest(added) < content_digest(identity)
            assert content_digest(holders[priority]) < content_digest(identity)


def test_adding_a_rule_to_a_full_deployment_seldom_moves_another() -> None:
    names = [f"rule {number}" for number in range(201)]
    states = [priorities(names[:count], 100, 4000) for count in range(201)]
    moved = sum(
        old[name] != new[name] for old, new in pairwise(states) for name in old if name in new
    )
    # The mean is 200 * 200 / (4 * 3901) = 2.6 moves over all 200 additions together.
    assert moved <= 10


def test_what_the_band_cannot_hold_has_no_priority() -> None:
    given_out = priorities((str(number) for number in range(50)), 100, 139)
    assert sorted(given_out.values()) == list(range(100, 140))
