"""Settings, outputs, usage and what AWS leaves to the deployer."""

from __future__ import annotations

import re

import pytest

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.account import AwsQuotas
from flowbridge.deployment.finding import Severity
from flowbridge.policy.compiled import compile_policy
from flowbridge.providers.aws.cloud import PROVIDER
from flowbridge.providers.aws.emit.naming import rows_tag, rule_description
from flowbridge.providers.aws.quotas import default_quotas, quotas_for
from tests.providers.aws.policies import EXTERNAL, INTERFACES, INTERNET, flow, here, site
from tests.providers.sites import interface


def test_settings_name_a_provider_range_that_takes_both_majors() -> None:
    settings = PROVIDER.settings(site())
    required = settings["terraform"]["required_providers"]["aws"]
    assert required == {"source": "hashicorp/aws", "version": ">= 5.100.0, < 7.0.0"}
    assert settings["provider"]["aws"] == [{"region": "eu-west-1"}]


def test_settings_of_the_deployment_file_reach_the_provider_block() -> None:
    given = {
        "profile": "edge",
        "assume_role": "arn:aws:iam::123456789012:role/net",
        "default_tags": {"owner": "uc"},
        "endpoints": {"ec2": "http://127.0.0.1:5000"},
        "version": "~> 6.2",
    }
    settings = PROVIDER.settings(site(provider=given))
    assert settings["terraform"]["required_providers"]["aws"]["version"] == "~> 6.2"
    assert settings["provider"]["aws"] == [
        {
            "region": "eu-west-1",
            "profile": "edge",
            "assume_role": [{"role_arn": "arn:aws:iam::123456789012:role/net"}],
            "default_tags": [{"tags": {"owner": "uc"}}],
            "endpoints": [{"ec2": "http://127.0.0.1:5000"}],
        }
    ]


def test_a_network_id_of_an_app_replaces_the_file_s_own() -> None:
    policy = compile_policy(INTERFACES, [flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061)])
    resources = PROVIDER.lower(policy, site(), network_id="${TfToken[7]}").terraform["resource"]
    for kind in ("aws_security_group", "aws_network_acl"):
        assert {body["vpc_id"] for body in resources[kind].values()} == {"${TfToken[7]}"}


def test_a_site_without_a_vpc_is_refused() -> None:
    tiers = site().network.model_dump()["tiers"]
    found = PROVIDER.lower(compile_policy(INTERFACES, []), site(network={"tiers": tiers})).findings
    assert [f.key for f in found if f.severity is Severity.REFUSAL] == ["network.id"]


def test_outputs_give_group_ids_by_interface_and_acl_ids_by_tier() -> None:
    lowered = PROVIDER.lower(compile_policy(INTERFACES, []), site())
    outputs = lowered.terraform["output"]
    assert outputs["security_group_ids"]["value"]["cucm/single"] == [
        "${aws_security_group.cucm_single.id}"
    ]
    assert set(outputs["network_acl_ids"]["value"]) == {"dmz", "internal"}


def test_group_names_and_descriptions_never_change_and_names_do_not_start_with_sg() -> None:
    groups = PROVIDER.lower(compile_policy(INTERFACES, []), site(name="sg-edge")).terraform[
        "resource"
    ]["aws_security_group"]
    assert groups["cucm_single"]["name"] == "flowbridge/sg-edge/cucm/single"
    assert len({group["description"] for group in groups.values()}) == 1


def obligations(**more: object) -> set[str]:
    call = flow(INTERNET, here(EXTERNAL), Protocol.TCP, 5061)
    signalling = call._replace(signalling=True)
    return {
        f.id
        for f in PROVIDER.lower(compile_policy(INTERFACES, [signalling]), site(**more)).findings
    }


def test_a_nat_gateway_on_the_way_is_an_obligation_only_where_there_is_one() -> None:
    tiers = site().network.model_dump(mode="json")["tiers"]
    assert "aws/idle-timeout" in obligations()
    assert "aws/idle-timeout-nat-gateway" not in obligations()
    tiers["dmz"]["nat"] = ["198.51.100.1"]
    assert "aws/idle-timeout-nat-gateway" in obligations(network={"id": "vpc-1", "tiers": tiers})


def test_existing_cards_and_missing_ones_are_both_told() -> None:
    edge = interface("edge/single", "dmz", "10.0.1.21", "10.0.1.22", cards=["eni-1", None])
    found = PROVIDER.lower(compile_policy([edge], []), site()).findings
    told = {f.id: f.message for f in found}
    assert "eni-1" in told["aws/other-groups"]
    assert "edge/single" in told["aws/groups-to-attach"]
    assert all(f.source for f in found)


def test_every_quota_has_a_source_and_a_raised_one_counts() -> None:
    for name in AwsQuotas.model_fields:
        quotas = quotas_for(AwsQuotas.model_validate({name: 7}))
        changed = [
            field
            for field in type(quotas).__dataclass_fields__
            if getattr(quotas, field) != getattr(default_quotas(), field)
        ]
        assert changed == ([name] if hasattr(quotas, name) else [])
    for field in type(default_quotas()).__dataclass_fields__:
        assert getattr(default_quotas(), field).source


@pytest.mark.parametrize("count", [1, 12, 20, 60, 400])
def test_descriptions_start_with_row_ids_and_never_cut_one(count: int) -> None:
    rows = [f"expressway/{table}/{row}" for table in range(3, 31) for row in range(1, 16)][:count]
    text = rule_description(rows, "from internet")
    assert len(text) <= 255
    assert text.startswith("expressway/3/1")
    listed = re.sub(r"( \(\+(\d+) rows\))?(: from internet)?$", "", text)
    left_out = re.search(r"\(\+(\d+) rows\)", text)
    found = []
    for part in listed.split(", "):
        table, _, numbers = part.rpartition("/")
        found += [f"{table}/{number}" for number in numbers.split(",")]
    assert found == rows[: len(found)]
    assert len(found) + (int(left_out[1]) if left_out else 0) == count
    assert (rows_tag(rows) is None) == (len(" ".join(rows)) > 256)


def test_characters_that_aws_refuses_are_replaced() -> None:
    assert rule_description(["own/1/1"], "from café & söhne") == "own/1/1: from caf_ _ s_hne"
