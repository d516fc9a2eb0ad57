"""Laws of reading and resolving: order never matters, and bad input never ends in a traceback."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from flowbridge.catalog.load import load
from flowbridge.catalog.reading.located_yaml import BadFileError, parse_yaml
from flowbridge.deployment.read import site_of
from flowbridge.deployment.selection.resolution import Resolution
from tests.deployment.files import DUAL, SINGLE, Data, resolved, setting

SERVICES = [name for name in load().services if name != "single-system"]
BASE = setting(
    DUAL,
    network__tiers__internal__nat=["198.51.100.7", "198.51.100.8"],
    expressway_e__peers=[
        {"external": f"10.0.1.{n}", "internal": f"10.0.2.{n}", "public": f"203.0.113.{n}"}
        for n in (11, 12, 13)
    ],
    expressway_c__peers=[{"address": f"10.0.10.{n}"} for n in (11, 12)],
    services=["traversal-pair", "sip-calls", "mra", "cluster", "cms-web-proxy", "tms"],
    systems__cms={"tier": "internal", "addresses": ["10.0.10.32", "10.0.10.31"]},
    systems__tms={"addresses": ["10.9.1.2", "10.9.1.1"]},
)


def shuffled(data: Any, draw: Any) -> Any:
    """The same file with every list and every mapping in another order."""
    if isinstance(data, dict):
        keys = draw(st.permutations(list(data)))
        return {key: shuffled(data[key], draw) for key in keys}
    if isinstance(data, list):
        return [shuffled(part, draw) for part in draw(st.permutations(data))]
    return data


def content(resolution: Resolution) -> Resolution:
    """A resolution without the file's own wording."""
    return replace(resolution, site=resolved(DUAL).site)


IN_ORDER = content(resolved(BASE))


@pytest.mark.slow
@given(data=st.data())
@hypothesis_settings(max_examples=12, deadline=None)
def test_order_never_matters(data: st.DataObject) -> None:
    """Lists, mappings and services in any order resolve to the same."""
    assert content(resolved(shuffled(BASE, data.draw))) == IN_ORDER


@pytest.mark.slow
@given(services=st.sets(st.sampled_from(SERVICES)))
@hypothesis_settings(max_examples=12, deadline=None)
def test_services_add_up(services: set[str]) -> None:
    """What several services select together is what each selects, and nothing besides."""
    every = {"traversal-pair", *services}
    together = resolved(setting(BASE, services=sorted(every)))
    alone = [resolved(setting(BASE, services=["traversal-pair", name])) for name in every]
    asked = {
        (row, flow.source, flow.destination)
        for one in alone
        for flow in one.flows
        for row in flow.rows
    }
    assert {
        (row, flow.source, flow.destination) for flow in together.flows for row in flow.rows
    } == asked
    assert {s.id for s in together.selected} == {s.id for one in alone for s in one.selected}


def test_flows_are_all_different_and_all_asked_for() -> None:
    resolution = resolved(BASE)
    without_rows = [
        flow._replace(rows=(), management=False, signalling=False) for flow in resolution.flows
    ]
    assert len(without_rows) == len(set(without_rows))
    carried = {flow for selected in resolution.selected for flow in selected.flows}
    assert carried == set(resolution.flows)
    for flow in resolution.flows:
        assert flow.rows == tuple(sorted(set(flow.rows)))
        assert flow.source.addresses
        assert flow.destination.addresses
        assert flow.source.interface or flow.destination.interface


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 70_000),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["10.0.0.0/8", "0.0.0.0/0", "::/0", "fe80::1", "36000-59999", "x/y", "🦊"]),
    st.lists(st.sampled_from(["a", 1, None, "10.0.1.1"]), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def places(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    here = [path] if path else []
    if isinstance(data, dict):
        return here + [p for key in data for p in places(data[key], (*path, key))]
    if isinstance(data, list):
        return here + [p for index in range(len(data)) for p in places(data[index], (*path, index))]
    return here


def put(data: Any, path: tuple[str | int, ...], value: Any) -> None:
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = value


@pytest.mark.slow
@given(
    base=st.sampled_from([BASE, SINGLE]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), JUNK), min_size=1, max_size=3),
)
@hypothesis_settings(max_examples=150, deadline=None)
def test_bad_input_never_ends_in_a_traceback(base: Data, changes: list[tuple[int, Any]]) -> None:
    """Any value anywhere is taken or refused in words; what is taken resolves."""
    data = json.loads(json.dumps(base))
    for number, junk in changes:
        known = places(data)
        put(data, known[number % len(known)], junk)
    try:
        resolved(data)
    except BadFileError as error:
        for problem in error.problems:
            assert problem.message
            assert "Error" not in problem.message
            assert "pydantic" not in problem.message


@given(text=st.text(alphabet=" \n\t-:{}[]&*!|>'\"%@`#,?abc01.é", max_size=60))
@hypothesis_settings(max_examples=300, deadline=None)
def test_any_text_is_a_site_or_refused(text: str) -> None:
    with suppress(BadFileError):
        site_of(parse_yaml(text, "site.yaml"), load())
