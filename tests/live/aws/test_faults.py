"""Whatever AWS does, an audit says what it could not read, and never says clean or drift for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flowbridge.policy.audit.audit import Verdict
from flowbridge.policy.audit.estate import Cause
from tests.live import faults
from tests.live.aws.estates import LiveSite
from tests.live.aws.tampering import add_rule
from tests.live.faults import Fault, Faults, faulty, without

pytestmark = pytest.mark.slow

READS = (
    "DescribeVpcs",
    "DescribeSubnets",
    "DescribeNetworkInterfaces",
    "DescribeNetworkAcls",
    "DescribeSecurityGroups",
    "DescribeSecurityGroupRules",
)
LASTING: dict[str, tuple[Fault, set[Cause]]] = {
    "throttled": (faults.refusing(503, "RequestLimitExceeded"), {Cause.THROTTLED}),
    "status 429": (faults.refusing(429, "SomethingNew"), {Cause.THROTTLED}),
    "status 500": (faults.refusing(500, "InternalError"), {Cause.FAILED}),
    "reset": (faults.reset, {Cause.UNREACHABLE}),
    "slow": (faults.slow(1.5), {Cause.TIMED_OUT}),
    "cut short": (faults.cut_short, {Cause.GARBLED}),
    "broken off": (faults.broken_off, {Cause.GARBLED}),
    "login page": (faults.page_of_a_proxy, {Cause.GARBLED}),
    "empty": (faults.empty, {Cause.GARBLED}),
    "expired": (faults.refusing(400, "RequestExpired"), {Cause.EXPIRED}),
    "denied": (faults.refusing(403, "UnauthorizedOperation"), {Cause.DENIED}),
    "bad key": (faults.refusing(401, "AuthFailure"), {Cause.NO_CREDENTIALS}),
}


@pytest.fixture
def between(edge: LiveSite) -> Iterator[Faults]:
    with faulty(edge.url) as server:
        yield server


@pytest.mark.parametrize("kind", LASTING)
def test_a_lasting_fault_is_never_a_verdict(edge: LiveSite, between: Faults, kind: str) -> None:
    fault, causes = LASTING[kind]
    # Where slowness is not the fault, a busy machine is none either.
    patience = 0.7 if kind == "slow" else 30.0
    # Which call fails and how it fails are told apart: one kind for all calls is enough.
    for call in (
        READS if kind == "denied" else ("DescribeNetworkAcls", "DescribeSecurityGroupRules")
    ):
        between.by_call.clear()
        between.set(call, fault)
        found = edge.audit(through=between.url, read_timeout=patience)
        assert found.verdict is Verdict.INCOMPLETE, (call, found.as_plain())
        assert f"ec2:{call}" in {unread.call for unread in found.unread}
        assert {unread.cause for unread in found.unread} == causes, call


@pytest.mark.parametrize("call", READS)
def test_what_could_not_be_read_never_hides_drift_as_clean(
    edge: LiveSite, between: Faults, call: str
) -> None:
    add_rule(edge)
    between.set(call, faults.refusing(403, "UnauthorizedOperation"))
    found = edge.audit(through=between.url)
    assert found.verdict is not Verdict.CLEAN
    if call in ("DescribeNetworkAcls", "DescribeNetworkInterfaces"):
        assert found.verdict is Verdict.DRIFT


@pytest.mark.parametrize("kind", ["throttled", "status 500", "reset", "cut short", "broken off"])
def test_a_passing_storm_changes_nothing(edge: LiveSite, between: Faults, kind: str) -> None:
    fault, _ = LASTING[kind]
    for call in READS:
        between.set(call, fault, times=2)
    found = edge.audit(through=between.url, attempts=5)
    assert (found.verdict, found.unread) == (Verdict.CLEAN, ())
    assert between.seen["DescribeVpcs"] == 3


def test_a_lost_page_of_rules_shows(edge: LiveSite, between: Faults) -> None:
    rules = rb"<securityGroupRuleSet>(.*)</securityGroupRuleSet>"
    between.set("DescribeSecurityGroupRules", without(rules))
    found = edge.audit(through=between.url)
    assert found.verdict is Verdict.INCOMPLETE
    assert {unread.cause for unread in found.unread} == {Cause.GARBLED}


def test_a_page_that_comes_again_shows(edge: LiveSite, between: Faults) -> None:
    between.set(
        "DescribeSecurityGroupRules",
        faults.changed(
            lambda body: body.replace(
                b"</DescribeSecurityGroupRulesResponse>",
                b"<nextToken>again</nextToken></DescribeSecurityGroupRulesResponse>",
            )
        ),
    )
    found = edge.audit(through=between.url)
    assert found.verdict is Verdict.INCOMPLETE


def test_a_place_is_given_up_in_time(edge: LiveSite, between: Faults) -> None:
    between.set("*", faults.slow(0.4))
    found = edge.audit(through=between.url, deadline=1.0)
    assert found.verdict is Verdict.INCOMPLETE
    assert {unread.cause for unread in found.unread} == {Cause.TIMED_OUT}
    assert sum(between.seen.values()) < 5


def test_an_endpoint_that_is_not_there(edge: LiveSite) -> None:
    found = edge.audit(through="http://127.0.0.1:9")
    assert {unread.cause for unread in found.unread} == {Cause.UNREACHABLE}
    assert found.verdict is Verdict.INCOMPLETE


def test_an_account_without_the_vpc(edge: LiveSite) -> None:
    site = edge.built.resolution.site
    network = site.network.model_copy(update={"id": "vpc-0000000000000000f"})
    found = edge.audit(site=site.model_copy(update={"network": network}))
    assert [unread.cause for unread in found.unread] == [Cause.ABSENT]
    assert found.verdict is Verdict.INCOMPLETE


def test_a_lost_page_of_subnets_is_no_drift(edge: LiveSite, between: Faults) -> None:
    """Network ACLs and cards name subnets that the list does not have."""
    between.set("DescribeSubnets", without(rb"<subnetSet>(.*)</subnetSet>"))
    found = edge.audit(through=between.url)
    assert found.verdict is Verdict.INCOMPLETE, found.as_plain()
    assert {unread.cause for unread in found.unread} == {Cause.GARBLED}


def test_what_was_never_asked_for_is_not_counted_as_none(edge: LiveSite, between: Faults) -> None:
    between.set("DescribeSecurityGroupRules", faults.refusing(403, "UnauthorizedOperation"))
    assert "prefix lists" not in edge.audit(through=between.url).read
    between.by_call.clear()
    assert edge.audit(through=between.url).read["prefix lists"] == 0
