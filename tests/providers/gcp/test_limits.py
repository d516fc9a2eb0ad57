"""Limits, obligations and provider settings of Google Cloud."""

from __future__ import annotations

from typing import Any

import pytest

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.finding import Severity
from flowbridge.deployment.flow import Flow
from flowbridge.policy.compiled import compile_policy
from flowbridge.providers.gcp import limits
from flowbridge.providers.gcp.cloud import PROVIDER
from flowbridge.providers.gcp.emit.rules import rules_of
from flowbridge.providers.gcp.quotas import default_quotas
from tests.providers.aws.policies import (
    CORE,
    CUCM,
    EXTERNAL,
    INTERFACES,
    INTERNAL,
    INTERNET,
    flow,
    here,
    outside,
)
from tests.providers.gcp.deployment import NETWORK, POLICIES, firewalls, lower, site

CALL = flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061)


def refused(*asked: Flow, **more: Any) -> set[str]:
    return {f.id for f in lower(*asked, **more).findings if f.severity is Severity.REFUSAL}


def told(*asked: Flow, **more: Any) -> set[str]:
    return {f.id for f in lower(*asked, **more).findings}


def test_more_rules_than_the_project_takes_are_refused() -> None:
    phones = flow(outside("phones", "10.30.0.0/24"), here(CUCM), Protocol.TCP, 2000)
    needed = len(firewalls(lower(CALL)))
    assert not refused(CALL, quotas={"firewall_rules": needed})
    assert refused(CALL, quotas={"firewall_rules": needed - 1}) == {"gcp/rules-do-not-fit"}
    (said,) = (
        f.message
        for f in lower(CALL, phones, quotas={"firewall_rules": needed}).findings
        if f.id == "gcp/rules-do-not-fit"
    )
    assert f"most are of {CUCM.key} (5), {EXTERNAL.key} (5), {CORE.key} (4)," in said, said
    (usage,) = (u for u in lower(CALL).usage if "per project" in u.limit)
    assert usage.used == needed


@pytest.mark.parametrize(("count", "fits"), [(5000, True), (5001, False)])
def test_more_ranges_than_a_rule_takes_are_refused(count: int, fits: bool) -> None:
    hosts = (f"10.{40 + n // 16384}.{n // 64 % 256}.{n % 64 * 4}" for n in range(count))
    asked = flow(outside("phones", *hosts), here(CUCM), Protocol.TCP, 2000)
    quotas = default_quotas()
    rules = rules_of(
        compile_policy([CUCM], [asked]), "lab", CUCM, "inside-net", quotas.ports_per_protocol
    )
    for in_policies in (False, True):
        found = {f.id for f in limits.refusals(rules, "lab", quotas, in_policies)}
        assert found == (set() if fits else {"gcp/too-many-ranges"})


def test_silent_connections_need_keepalives_below_ten_minutes() -> None:
    signalling = CALL._replace(signalling=True)
    (finding,) = (f for f in lower(signalling).findings if f.id == "gcp/idle-timeout")
    assert finding.severity is Severity.OBLIGATION
    assert "600 s" in finding.message
    assert EXTERNAL.key in finding.message
    assert "gcp/idle-timeout" not in told(CALL)


def test_the_deployer_is_told_what_only_he_can_do() -> None:
    assert {"gcp/tags-to-set", "gcp/rules-of-others", "gcp/two-networks"} <= told(CALL)
    in_policies = told(CALL, options=POLICIES)
    assert {"gcp/secure-tags-to-bind", "gcp/policy-order", "gcp/one-policy"} <= in_policies
    assert not {"gcp/tags-to-set", "gcp/rules-of-others"} & in_policies
    assert "gcp/path-mtu-ipv6" in told(
        flow(outside("x", "2001:db8:9::1"), here(CORE), Protocol.TCP, 1)
    )
    mail = flow(here(EXTERNAL), INTERNET, Protocol.TCP, 25)
    assert "gcp/smtp" in told(mail)
    assert "gcp/smtp" not in told(CALL)
    hairpin = flow(here(CUCM), here(EXTERNAL, translated=True), Protocol.TCP, 443)
    assert "gcp/translated" in told(hairpin)
    assert "gcp/translated" not in told(flow(here(CUCM), here(INTERNAL), Protocol.TCP, 443))


def test_outputs_name_the_tag_and_the_network_of_every_interface() -> None:
    for options, name in (({}, "network_tags"), (POLICIES, "secure_tags")):
        output = lower(CALL, options=options).terraform["output"]
        assert set(output[name]["value"]) == {interface.key for interface in INTERFACES}
        assert output["networks"]["value"]["expressway-e/external"] == "dmz-net"


def test_settings_name_project_region_and_the_versions_that_know_the_resources() -> None:
    settings = PROVIDER.settings(site())
    assert settings["provider"]["google"] == [
        {"region": "eu-west-1", "project": NETWORK["project"]}
    ]
    assert settings["terraform"]["required_providers"]["google"]["source"] == "hashicorp/google"
    stated = PROVIDER.settings(
        site(provider={"version": "~> 7.0", "endpoints": {"compute": "http://localhost:1/"}})
    )
    assert stated["terraform"]["required_providers"]["google"]["version"] == "~> 7.0"
    assert stated["provider"]["google"][0]["compute_custom_endpoint"] == "http://localhost:1/"
