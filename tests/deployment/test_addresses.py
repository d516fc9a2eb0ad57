"""Addresses that lie in each other, held against every pair of them."""

from __future__ import annotations

import cProfile
import pstats
from ipaddress import IPv4Network, IPv6Network

from hypothesis import given
from hypothesis import strategies as st

from flowbridge.deployment.addresses import first_overlaps
from flowbridge.deployment.interface import Network

# Few places and many lengths, so that many of them overlap.
V4 = st.builds(
    lambda place, length: IPv4Network((place << 28, length), strict=False),
    st.integers(0, 15),
    st.integers(0, 32),
)
V6 = st.builds(
    lambda place, length: IPv6Network((place << 124, length), strict=False),
    st.integers(0, 3),
    st.integers(0, 8),
)


@given(st.lists(st.one_of(V4, V6), max_size=10))
def test_the_first_overlap_is_that_of_all_pairs(networks: list[Network]) -> None:
    expected = tuple(
        next((at for at, other in enumerate(networks[:place]) if other.overlaps(network)), None)
        for place, network in enumerate(networks)
    )
    assert first_overlaps(networks) == expected


def calls(count: int) -> int:
    """The calls that it takes to compare `count` networks, none of which overlap."""
    networks = [IPv4Network(((10 << 24) + (at << 8), 24)) for at in range(count)]
    profile = cProfile.Profile()
    assert set(profile.runcall(first_overlaps, networks)) == {None}
    return sum(calls for calls, *_ in pstats.Stats(profile).stats.values())  # type: ignore[attr-defined]


def test_work_grows_with_the_count_and_not_with_the_pairs() -> None:
    assert calls(8_000) < 10 * calls(1_000)
