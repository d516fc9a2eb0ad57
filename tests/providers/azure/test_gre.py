"""GRE to voice gateways: Azure cannot say it, and a deployment that does not use it can."""

from __future__ import annotations

from flowbridge.catalog.load import load
from flowbridge.deployment.finding import Severity
from flowbridge.deployment.resolve import resolve
from flowbridge.policy.compiled import compile_policy
from flowbridge.providers.registry import provider_for
from tests.deployment.files import DUAL, Data, setting, site

GATEWAYS: Data = setting(
    DUAL,
    cloud="azure",
    region="westeurope",
    network__id=None,
    network__resource_group="uc-network",
    network__vnet="uc-vnet",
    services=["cucm-gateways"],
    systems__gateway={"addresses": ["10.50.0.1"]},
)


def refusals(data: Data) -> dict[str, str]:
    described = site(data)
    resolution = resolve(described, "site.yaml", load())
    policy = compile_policy(resolution.interfaces, resolution.flows)
    findings = provider_for(described.cloud).lower(policy, described).findings
    return {found.id: found.message for found in findings if found.severity is Severity.REFUSAL}


def test_gre_is_refused_with_the_option_that_leaves_it_out() -> None:
    refused = refusals(GATEWAYS)
    assert set(refused) == {"azure/no-gre"}
    assert "options.cucm.ipsec_protocols" in refused["azure/no-gre"]


def test_without_gre_the_gateways_are_served() -> None:
    assert not refusals(setting(GATEWAYS, options__cucm__ipsec_protocols=["esp", "ah"]))
