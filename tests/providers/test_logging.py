"""`options.logging`: what each cloud makes of it, and that nothing else changes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from flowbridge.stacks.pipeline import Built, build, judge, load

EXAMPLES = Path(__file__).parents[2] / "examples"
BUCKET = "arn:aws:s3:::uc-flow-logs"
ACCOUNT = (
    "/subscriptions/0a1b/resourceGroups/logs/providers/Microsoft.Storage/storageAccounts/uclogs"
)


@cache
def built(example: str, *changes: tuple[str, str]) -> Built:
    return build(load(EXAMPLES / f"{example}.yaml", dict(changes)))


def made(example: str, *changes: tuple[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(built(example, *changes).document["resource"]))
    return found


def proved(example: str, *changes: tuple[str, str]) -> bool:
    return judge(built(example, *changes)).proof.holds


def test_google_rules_that_deny_log() -> None:
    ask = ("options.logging.rules", "denied")
    rules = made("gcp-edge", ask)["google_compute_firewall"]
    assert {"deny" in body for body in rules.values()} == {True, False}
    assert all(("log_config" in body) == ("deny" in body) for body in rules.values())
    for body in rules.values():
        body.pop("log_config", None)
    assert rules == made("gcp-edge")["google_compute_firewall"]
    assert proved("gcp-edge", ask)


def test_every_rule_of_a_google_policy_logs() -> None:
    ask = ("options.logging.rules", "all")
    (policy,) = made("gcp-policy", ask)[
        "google_compute_network_firewall_policy_with_rules"
    ].values()
    assert all(rule["enable_logging"] for rule in policy["rule"])
    assert proved("gcp-policy", ask)


def test_aws_flow_logs_of_every_subnet() -> None:
    ask = (("options.logging.to", BUCKET), ("options.logging.traffic", "reject"))
    resources = made("emea-edge", *ask)
    logs = resources.pop("aws_flow_log").values()
    subnets = {body["subnet_id"] for body in resources["aws_network_acl_association"].values()}
    assert {body["subnet_id"] for body in logs} == subnets
    assert {body["log_destination_type"] for body in logs} == {"s3"}
    assert {body["traffic_type"] for body in logs} == {"REJECT"}
    assert resources == made("emea-edge")
    assert proved("emea-edge", *ask)


def test_a_log_group_needs_a_role() -> None:
    group = "arn:aws:logs:eu-west-1:123456789012:log-group:uc"
    (refused,) = built("emea-edge", ("options.logging.to", group)).refusals
    assert refused.id == "aws/flow-log-role"
    assert refused.key == "options.logging.to"
    role = ("options.logging.role", "arn:aws:iam::123456789012:role/flow-logs")
    assert not built("emea-edge", ("options.logging.to", group), role).refusals


def test_azure_flow_logs_of_every_subnet() -> None:
    ask = ("options.logging.to", ACCOUNT)
    resources = made("azure-edge", ask)
    logs = resources.pop("azurerm_network_watcher_flow_log").values()
    placed = resources["azurerm_subnet_network_security_group_association"].values()
    assert {body["target_resource_id"] for body in logs} == {body["subnet_id"] for body in placed}
    assert {body["storage_account_id"] for body in logs} == {ACCOUNT}
    assert resources == made("azure-edge")
    assert proved("azure-edge", ask)
    required = built("azure-edge", ask).document["terraform"]["required_providers"]
    assert required["azurerm"]["version"].startswith(">= 4.13.0")


@pytest.mark.parametrize(
    ("example", "key", "value"),
    [("emea-edge", "rules", "all"), ("gcp-edge", "to", BUCKET), ("azure-edge", "to", BUCKET)],
)
def test_what_a_cloud_does_not_know_is_refused(example: str, key: str, value: str) -> None:
    from flowbridge.catalog.reading.located_yaml import BadFileError

    with pytest.raises(BadFileError) as refused:
        load(EXAMPLES / f"{example}.yaml", {f"options.logging.{key}": value})
    assert f"options.logging.{key}" in str(refused.value)
