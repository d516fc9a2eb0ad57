"""Guide rules that the clouds look after: on every cloud a finding under one of their ids."""

from __future__ import annotations

import pytest

from flowbridge.catalog.guide_rule import guide
from flowbridge.catalog.load import load
from flowbridge.deployment.finding import Finding
from flowbridge.deployment.resolve import resolve
from flowbridge.policy.compiled import compile_policy
from flowbridge.providers.registry import provider_for
from tests.deployment.files import DUAL, Data, setting, site

ADDRESSES = {"addresses": ["10.9.0.0/24"]}
NETWORKS: dict[str, Data] = {
    "aws": {},
    "azure": {"network__resource_group": "uc", "network__vnet": "uc", "network__id": None},
    "gcp": {
        "network__project": "uc-edge-prod",
        "network__id": "inside",
        "network__networks": {"external": "outside", "internal": "inside"},
        "network__tiers__edge": {"cidrs": ["10.0.2.0/24"]},
        "network__tiers__dmz": {"cidrs": ["10.0.1.0/24"]},
        "expressway_e__internal_tier": "edge",
    },
}
REGIONS = {"aws": "eu-west-1", "azure": "westeurope", "gcp": "europe-west1"}


def findings(cloud: str, **changes: object) -> tuple[Finding, ...]:
    """What a cloud has to say of the contract's deployment."""
    data = setting(DUAL, cloud=cloud, region=REGIONS[cloud], **NETWORKS[cloud], **changes)
    described = site(data)
    resolution = resolve(described, "site.yaml", load())
    policy = compile_policy(resolution.interfaces, resolution.flows)
    return provider_for(described.cloud).lower(policy, described).findings


@pytest.mark.parametrize("cloud", NETWORKS)
def test_every_cloud_reports_the_rules_it_looks_after(cloud: str) -> None:
    reported = {finding.id for finding in findings(cloud)}
    for name, rule in guide().enforced("cloud"):
        assert reported & set(rule.findings), f"{name} is not reported on {cloud}"


@pytest.mark.parametrize("cloud", NETWORKS)
def test_two_hours_are_asked_for_signalling_only(cloud: str) -> None:
    (_, rule), *_ = guide().enforced("cloud")
    asked = [found for found in findings(cloud) if found.id in rule.findings]
    assert asked
    assert all("7200 s" in found.message for found in asked)
    web = findings(
        cloud, services=["cucm-web"], systems__browser=ADDRESSES, expressway_c=None
    )  # short requests only
    assert not [found for found in web if found.id in rule.findings]
