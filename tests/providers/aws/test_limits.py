"""What a refusal of AWS says: what takes most, and only ways that are open."""

from __future__ import annotations

import pytest

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.flow import Flow
from flowbridge.policy.compiled import compile_policy
from flowbridge.providers.aws.cloud import PROVIDER
from tests.providers.aws.policies import (
    CUCM,
    EXTERNAL,
    INTERFACES,
    INTERNET,
    flow,
    here,
    outside,
    site,
)


def findings(*asked: Flow, **quotas: int) -> tuple[Finding, ...]:
    return PROVIDER.lower(compile_policy(INTERFACES, asked), site(quotas=quotas)).findings


def refusal(*asked: Flow, **quotas: int) -> str:
    """The one refusal."""
    (found,) = [f for f in findings(*asked, **quotas) if f.severity is Severity.REFUSAL]
    return found.message


def crowd(count: int, row: str = "cucm/6/7") -> list[Flow]:
    return [flow(INTERNET, here(EXTERNAL), Protocol.TCP, 1024 + n * 2, row) for n in range(count)]


def scattered(party: str, count: int, second: int) -> Flow:
    peers = outside(party, *(f"10.{second}.{2 * n}.0/24" for n in range(count)))
    return flow(peers, here(CUCM), Protocol.TCP, 2000, "cucm/6/1")


def test_the_flows_that_take_most_rules_are_named() -> None:
    said = refusal(*crowd(290), *crowd(301, "cucm/6/8")[290:])
    assert "needs 301 rules (ingress IPv4)" in said
    assert "most go to cucm/6/7 (internet, 290); cucm/6/8 (internet, 11):" in said


@pytest.mark.parametrize(
    ("quotas", "most"),
    [
        ({}, 200),
        ({"rules_per_security_group": 20}, 200),
        ({"rules_per_security_group": 60, "security_groups_per_interface": 10}, 100),
    ],
)
def test_the_rule_quota_is_raised_as_far_as_the_product_of_the_two_allows(
    quotas: dict[str, int], most: int
) -> None:
    assert f"(L-0EA8095F, at most {most})" in refusal(*crowd(601), **quotas)


@pytest.mark.parametrize(
    "quotas",
    [
        {"rules_per_security_group": 1000},
        {"rules_per_security_group": 200},
        {"rules_per_security_group": 62, "security_groups_per_interface": 16},
    ],
)
def test_no_quota_is_raised_where_an_interface_has_all_that_aws_allows(
    quotas: dict[str, int],
) -> None:
    said = refusal(*crowd(1001), **quotas)
    assert "raise the quota" not in said
    assert "ask for fewer addresses or services, or write addresses as fewer" in said
    assert "1000 at the very most" in said


def test_no_quota_is_raised_for_more_than_an_interface_can_ever_have() -> None:
    assert "raise the quota" in refusal(*crowd(1000))
    assert "raise the quota" not in refusal(*crowd(1001))


def test_lists_that_leave_room_unused_are_said_to_stay_whole() -> None:
    """Two lists of 25 go into a group of 60: five groups take ten of them, and 300 rules."""
    fits = [scattered(f"party-{n}", 25, 50 + n) for n in range(10)]
    assert not [f for f in findings(*fits) if f.id == "aws/rules-do-not-fit"]
    said = refusal(*fits, scattered("party-10", 25, 60))
    assert "needs 275 rules (ingress IPv4), in lists of up to 25 that stay whole" in said
    assert "take 300" in said


@pytest.mark.parametrize(("entries", "raised"), [(39, True), (40, False)])
def test_the_acl_quota_is_raised_only_where_it_can_be(entries: int, raised: bool) -> None:
    """Public administrators cannot be joined, so many of them do not fit; phones can."""
    admins = outside("admin-pc", *(f"4.{2 * n}.0.1" for n in range(40)))
    refused = refusal(
        flow(admins, here(CUCM), Protocol.TCP, 22, "cucm/4/1", management=True),
        network_acl_entries=entries,
        rules_per_security_group=200,
    )
    assert "cucm/4/1 (admin-pc to cucm/single, 40 entries)" in refused
    found = findings(
        scattered("phone", 50, 30), network_acl_entries=entries, rules_per_security_group=200
    )
    (widened, *_) = [f.message for f in found if f.id == "aws/network-acl-widened"]
    for said in (refused, widened):
        assert ("raise the quota" in said) is raised
        assert "move workloads to a tier of their own" in said


@pytest.mark.parametrize(("count", "warned"), [(60, False), (61, False), (300, True)])
def test_groups_that_have_to_be_filled_are_told_before_they_overflow(
    count: int, warned: bool
) -> None:
    found = [f for f in findings(*crowd(count)) if f.id == "aws/groups-filled"]
    assert bool(found) is warned
    for finding in found:
        assert finding.severity is Severity.WARNING
        assert EXTERNAL.key in finding.message
        assert "(L-0EA8095F, at most 200)" in finding.message


def test_one_group_that_is_just_full_moves_nothing() -> None:
    quotas = {"rules_per_security_group": 1000}
    assert not [f for f in findings(*crowd(1000), **quotas) if f.id == "aws/groups-filled"]
