"""Path MTU messages on AWS: one type and code, through groups and network ACL, both ways."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from flowbridge.policy.filter import passes
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.point import Direction, Point
from flowbridge.stacks.pipeline import Checked, build, judge, load

EXAMPLE = Path(__file__).parents[3] / "examples" / "emea-edge.yaml"
OUTER, INNER = "expressway-e/external", "expressway-c/single"
ROUTER = "198.51.100.200"
TOO_BIG = 3 * 256 + 4


def checked(on: str) -> Checked:
    roomy = {"quotas": "{network_acl_entries: 40}"}
    return judge(build(load(EXAMPLE, {"options.platform.path_mtu": on, **roomy})))


@pytest.fixture(scope="module")
def opened() -> Checked:
    return checked("true")


def lets(found: Checked, interface: str, direction: Direction, message: int) -> bool:
    point = Point(interface, direction)
    return Packet(ip_address(ROUTER), 1, 0, message) in passes(found.enforcement[point])


def test_it_is_proved(opened: Checked) -> None:
    assert opened.exit_code == 0


@pytest.mark.parametrize("direction", Direction)
def test_only_the_outer_card_and_only_this_message(opened: Checked, direction: Direction) -> None:
    assert lets(opened, OUTER, direction, TOO_BIG)
    assert not lets(opened, INNER, direction, TOO_BIG)
    for other in (TOO_BIG - 1, TOO_BIG + 1, 8 * 256):
        assert not lets(opened, OUTER, direction, other)


def test_the_network_acl_has_an_entry_more_each_way(opened: Checked) -> None:
    closed = checked("false")

    def entries(found: Checked) -> dict[tuple[str, str], int]:
        rules = [rule for rule in found.built.lowered.rules if rule.stage == "network-acl"]
        keys = {(rule.scope, rule.direction) for rule in rules}
        return {key: sum((r.scope, r.direction) == key for r in rules) for key in keys}

    before, after = entries(closed), entries(opened)
    assert {key: after[key] - before[key] for key in before if after[key] != before[key]} == {
        ("dmz", "ingress"): 1,
        ("dmz", "egress"): 1,
    }


def test_what_is_left_to_the_deployer_changes_with_the_switch(opened: Checked) -> None:
    closed = {finding.id for finding in checked("false").built.findings}
    now = {finding.id for finding in opened.built.findings}
    assert {"aws/path-mtu"} == {name for name in closed if "path-mtu" in name}
    assert {"aws/path-mtu-inside"} == {name for name in now if "path-mtu" in name}
