"""Keys of another cloud are refused where they stand, with what to write instead."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from flowbridge.catalog.load import load
from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.deployment.file.site import AwsSite, AzureSite, Cloud, site_type
from flowbridge.deployment.pages.schema import deployment_schema
from flowbridge.deployment.read import resolve_file
from tests.deployment.files import DUAL, Data, setting

NETWORKS: dict[str, dict[str, Any]] = {
    "aws": {"id": "vpc-0a1b2c3d4e5f60718"},
    "azure": {"resource_group": "uc", "vnet": "uc-vnet"},
    "gcp": {"project": "uc-edge-prod", "networks": {"external": "dmz-net", "internal": "in-net"}},
}
BALANCER = "options.jabber_guest.load_balancer"
# Cloud of the file, key, value, and what the message says.
FOREIGN: tuple[tuple[str, str, Any, str], ...] = (
    ("aws", "network.resource_group", "uc", "for Azure, and the file is for AWS"),
    ("aws", "network.vnet", "uc-vnet", "network.id (vpc-...)"),
    ("aws", "network.project", "uc-edge-prod", "for Google Cloud"),
    ("aws", "network.networks", {"external": "dmz-net"}, "write its tier"),
    ("aws", "network.tiers.dmz.network", "dmz-net", "for Google Cloud"),
    ("aws", "options.gcp", {"priority": 800}, "leave it out"),
    ("aws", "quotas.nsg_rules", 900, "write quotas.rules_per_security_group"),
    ("aws", "quotas.firewall_policy_tuples", 900, "for Google Cloud"),
    ("aws", "provider.subscription", "0-1", "provider.profile"),
    ("azure", "network.project", "uc-edge-prod", "write network.resource_group"),
    ("azure", "network.tiers.dmz.network", "dmz-net", "for Google Cloud"),
    ("azure", "quotas.network_acl_entries", 40, "write quotas.nsg_rules"),
    ("azure", "provider.assume_role", "arn:aws:iam::1:role/x", "write provider.subscription"),
    ("gcp", "network.resource_group", "uc", "write network.project"),
    ("gcp", "network.vnet", "uc-vnet", "as network.id"),
    ("gcp", "quotas.rules_per_security_group", 90, "write quotas.firewall_rules"),
    ("gcp", "provider.profile", "uc", "for AWS"),
    ("aws", f"{BALANCER}.public_ip", "pip", f"write {BALANCER}.subnets"),
    ("aws", f"{BALANCER}.instance_groups", ["edge"], "for Google Cloud"),
    ("azure", f"{BALANCER}.subnets", ["subnet-0cb"], "for AWS, and the file is for Azure"),
    ("gcp", f"{BALANCER}.public_ip", "pip", f"write {BALANCER}.instance_groups"),
)


def file_of(cloud: str) -> Data:
    data = copy.deepcopy(setting(DUAL, cloud=cloud))
    tiers = {name: {"cidrs": tier["cidrs"]} for name, tier in data["network"]["tiers"].items()}
    data["network"] = {**NETWORKS[cloud], "tiers": tiers}
    data.pop("quotas", None)
    if cloud == "gcp":
        data["network"]["id"] = "in-net"
    return data


def with_key(data: Data, key: str, value: Any) -> Data:
    out = copy.deepcopy(data)
    *path, last = key.split(".")
    here = out
    for part in path:
        here = here.setdefault(part, {})
    here[last] = value
    return out


@pytest.mark.parametrize(("cloud", "key", "value", "words"), FOREIGN)
def test_a_key_of_another_cloud_is_refused(
    tmp_path: Path, cloud: str, key: str, value: Any, words: str
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(with_key(file_of(cloud), key, value), sort_keys=False))
    with pytest.raises(BadFileError) as refusal:
        resolve_file(file)
    (problem,) = refusal.value.problems
    assert problem.key == key
    assert problem.line is not None
    assert key.rpartition(".")[2] in file.read_text().splitlines()[problem.line - 1]
    assert words in problem.message


@pytest.mark.parametrize(("cloud", "key", "value", "words"), FOREIGN)
def test_editors_refuse_it_too(cloud: str, key: str, value: Any, words: str) -> None:
    validator = jsonschema.Draft202012Validator(deployment_schema(load()))
    assert not list(validator.iter_errors(file_of(cloud)))
    assert list(validator.iter_errors(with_key(file_of(cloud), key, value)))


def test_a_file_of_an_unknown_cloud_has_that_one_problem(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump({**file_of("gcp"), "cloud": "gpc"}))
    with pytest.raises(BadFileError) as refusal:
        resolve_file(file)
    (problem,) = refusal.value.problems
    assert problem.key == "cloud"
    assert "did you mean 'gcp'?" in problem.message


def test_a_site_of_another_cloud_is_none_of_this_one() -> None:
    site = site_type(Cloud.AZURE).model_validate(file_of("azure"))
    assert AzureSite.of(site) is site
    with pytest.raises(TypeError, match="azure"):
        AwsSite.of(site)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("network.tiers.dmz.place", "dmz"),
        ("network.tiers.dmz.network", "vpc-0bbbbbbbbbbbbbbbb"),
    ],
)
def test_several_networks_in_one_file_are_refused_with_what_to_write(
    tmp_path: Path, key: str, value: Any
) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(with_key(file_of("aws"), key, value), sort_keys=False))
    with pytest.raises(BadFileError) as refusal:
        resolve_file(file)
    (problem,) = refusal.value.problems
    assert problem.key == key
    assert problem.line is not None
    assert "write each VPC, VNet or network as a place with its tiers" in problem.message
