"""Addresses that lie in each other, held against every pair of them."""

from __future__ import annotations

import time
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


def test_tens_of_thousands_take_no_time() -> None:
    networks = [IPv4Network(((10 << 24) + (at << 8), 24)) for at in range(20_000)]
    start = time.perf_counter()
    assert set(first_overlaps(networks)) == {None}
    assert time.perf_counter() - start < 5
