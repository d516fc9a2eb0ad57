"""What an upgrade opens and closes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowbridge.catalog.condition import Condition, Facts
from flowbridge.catalog.diff import difference, residue
from flowbridge.catalog.load import load
from flowbridge.catalog.release import Release

RELEASES = ["X8.7", "X8.8", "X8.9.2", "X8.10", "X12.5", "X12.5.3", "X12.5.5", "X14.3", "X15.0"]


def changes(before: str, after: str) -> dict[str, str]:
    return {str(c["id"]): str(c["change"]) for c in difference(load(), before, after)}


def test_clusters_change_with_x8_8() -> None:
    found = changes("X8.7", "X8.8")
    assert {f"expressway/8/{row}" for row in range(1, 6)} <= set(found)
    assert {row_id for row_id, change in found.items() if change == "closes"} == {
        f"expressway/8/{row}" for row in range(1, 6)
    }
    assert found["expressway/9/2"] == "opens"


def test_a_default_that_the_release_decides_is_a_change() -> None:
    assert changes("X8.9", "X8.9.2")["expressway/11/6"] == "closes"
    found = changes("X12.5", "X12.5.3")
    assert found["expressway/24/11"] == "changes"  # a cluster still needs NAT reflection
    assert changes("X12.5.3", "X12.5.5")["expressway/24/11"] == "closes"


def test_oauth_and_acme_come_with_x12_5() -> None:
    found = changes("X12.1", "X12.5")
    assert found["expressway/18/5"] == found["expressway/30/1"] == "opens"


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_changes_within_a_release(release: str) -> None:
    assert difference(load(), release, release) == []


@pytest.mark.parametrize(("before", "after"), [("X8.7", "X15.0"), ("X8.10", "X12.5.3")])
def test_the_way_back_is_the_opposite(before: str, after: str) -> None:
    opposite = {"opens": "closes", "closes": "opens", "changes": "changes"}
    there, back = changes(before, after), changes(after, before)
    assert back == {row_id: opposite[change] for row_id, change in there.items()}


def test_a_release_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a release of expressway"):
        difference(load(), "15", "X15.0")


leaves = st.one_of(
    st.builds(
        lambda v: {"release": v}, st.sampled_from([">=X8.8", "<X8.8", ">=X12.5", "<X12.5.3"])
    ),
    st.builds(lambda v: {"size": v}, st.sampled_from(["small", "large"])),
    st.builds(lambda v: {"option.a": v}, st.sampled_from(["true", "false"])),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one, other: {**one, **other}, inner, inner),
    ),
    max_leaves=8,
)


@given(trees, st.sampled_from(RELEASES), st.sampled_from(["small", "large"]), st.booleans())
def test_what_is_left_holds_exactly_when_the_whole_did(
    tree: dict[str, object], release: str, size: str, option: bool
) -> None:
    condition = Condition.model_validate(tree)
    facts: Facts = {"release": release, "size": size, "option.a": option}
    rest = residue(condition, release)
    assert condition.holds(facts) is (rest is not None and rest.holds(facts))
    assert rest is None or "release" not in rest.facts()


@given(st.tuples(*[st.integers(0, 30)] * 3), st.tuples(*[st.integers(0, 30)] * 3))
def test_releases_are_ordered_by_number(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    first, second = (Release.parse("X" + ".".join(map(str, part))) for part in (one, other))
    assert (first < second) is (one < other)
    assert Release.parse(str(first)) == first
