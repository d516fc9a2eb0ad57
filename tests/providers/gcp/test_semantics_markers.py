"""The marker in a rule's description and the network tag, written and read back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowbridge.providers.gcp.markers import Marker, described, target_tag

NAME = st.from_regex(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", fullmatch=True)


@given(site=NAME, tier=NAME, workload=NAME, interface=NAME, rows=st.lists(NAME, max_size=300))
def test_a_description_gives_its_marker_back_and_keeps_to_the_limit(
    site: str, tier: str, workload: str, interface: str, rows: list[str]
) -> None:
    marker = Marker(site, tier, workload, interface)
    text = described(rows, "SIP [calls]", marker)
    assert Marker.parse(text) == marker
    assert len(text) <= 2048
    if rows:
        assert text.startswith(rows[0])


def test_rows_that_do_not_fit_are_counted() -> None:
    rows = [f"expressway/11/{number}" for number in range(1, 401)]
    text = described(rows, "calls", Marker("lab", "dmz"))
    match = re.search(r"\(\+(\d+) rows\)", text)
    assert match is not None
    assert len(re.findall(r"expressway/11/\d+", text)) + int(match[1]) == 400


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "by hand",
        "[flowbridge:site=lab]",
        "[flowbridge:site=a tier=b]",
        "[flowbridge:site=a flowbridge:tier=b flowbridge:x=c]",
    ],
)
def test_other_texts_have_no_marker(text: str | None) -> None:
    assert Marker.parse(text) is None


@given(left=st.tuples(NAME, NAME, NAME), right=st.tuples(NAME, NAME, NAME))
def test_a_tag_is_a_legal_label(left: tuple[str, str, str], right: tuple[str, str, str]) -> None:
    for parts in (left, right):
        assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", target_tag(*parts))


def test_names_that_are_cut_stay_apart() -> None:
    long = "x" * 40
    assert target_tag(long, "expressway-e", "external") != target_tag(
        long, "expressway-e", "internal"
    )
    assert target_tag("lab", "Web Proxy", "nic") != target_tag("lab", "web-proxy", "nic")
