"""Blocks inside a resource are called by names that stay, and everywhere alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowbridge.providers.terraform.nested_address import nested_addresses
from flowbridge.stacks.pipeline import build_all, judge

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def test_a_block_is_called_by_its_name_wherever_it_stands() -> None:
    dns, web = {"name": "allow-dns"}, {"rule_name": "allow-web"}
    assert nested_addresses("p.x", "rule", [dns, web]) == (
        "p.x.rule[allow-dns]",
        "p.x.rule[allow-web]",
    )
    assert nested_addresses("p.x", "rule", [web, dns])[1] == "p.x.rule[allow-dns]"


def test_without_a_name_of_its_own_a_block_is_called_by_its_place() -> None:
    twice = {"name": "allow-dns"}
    assert nested_addresses("p.x", "rule", [twice, {}, twice, {"name": 7}]) == tuple(
        f"p.x.rule[{place}]" for place in range(4)
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_was_written_and_what_was_read_back_are_called_alike(example: Path) -> None:
    (built,) = build_all([example])
    read = {
        rule.name
        for filters in judge(built).enforcement.values()
        for each in filters
        for rule in each.rules
    }
    assert {rule.address for rule in built.lowered.rules} <= read
