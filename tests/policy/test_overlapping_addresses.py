"""Intervals that lie in each other, cross and touch, laid out along the address line."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.policy.packets.line import Pieces, halved, laid_out, sweep
from flowbridge.policy.packets.relation import Relation, join, joined

PAIRS = st.tuples(st.sampled_from([1, 2, 3]), st.integers(1, 15))
RELATIONS = st.lists(PAIRS, min_size=1, max_size=2).map(
    lambda pairs: joined([frozenset({pair}) for pair in pairs])
)
SPANS = st.tuples(st.integers(0, 30), st.integers(0, 15)).map(lambda at: (at[0], at[0] + at[1]))


@settings(max_examples=100)
@given(st.dictionaries(SPANS, RELATIONS, min_size=1, max_size=8))
def test_laid_out_at_once_is_what_two_by_two_is(intervals: dict[tuple[int, int], Relation]) -> None:
    level: list[Pieces] = [
        ((first, last, relation),) for (first, last), relation in intervals.items()
    ]
    assert laid_out(intervals) == halved(level, lambda one, other: sweep(one, other, join))
