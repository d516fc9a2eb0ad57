"""Sole ownership (`options.<cloud>.exclusive`): rules of others do not stay in what is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.stacks.pipeline import Built, build, judge, load
from tests.providers.mutations import changed_at

EXAMPLES = Path(__file__).parents[2] / "examples"
OWNERS = "aws_vpc_security_group_rules_exclusive"
GATE = "terraform_data.flowbridge_rules_in_place"


def built(example: str, **changes: str) -> Built:
    return build(load(EXAMPLES / f"{example}.yaml", changes))


@pytest.fixture(scope="module")
def owned() -> Built:
    return built("edge-cluster", **{"options.aws.exclusive": "true"})


def test_every_group_lists_exactly_its_own_rules(owned: Built) -> None:
    resources: Any = owned.document["resource"]
    assert resources[OWNERS].keys() == resources["aws_security_group"].keys()
    for name, owner in resources[OWNERS].items():
        for direction in ("ingress", "egress"):
            kind = f"aws_vpc_security_group_{direction}_rule"
            mine = {
                f"${{{kind}.{rule}.id}}"
                for rule, body in resources[kind].items()
                if body["security_group_id"] == owner["security_group_id"]
            }
            listed = owner[f"{direction}_rule_ids"]
            assert set(listed) == mine, name
            assert len(listed) == len(mine)


def test_rules_of_others_close_after_all_that_is_new_is_open(owned: Built) -> None:
    resources: Any = owned.document["resource"]
    assert all(owner["depends_on"] == [GATE] for owner in resources[OWNERS].values())


def test_only_providers_that_have_it_are_admitted(owned: Built) -> None:
    terraform: Any = owned.document["terraform"]
    assert terraform["required_providers"]["aws"]["version"] == ">= 6.29.0, < 7.0.0"
    with pytest.raises(BadFileError, match=r"allows no version from 6\.29\.0"):
        built("emea-edge", **{"options.aws.exclusive": "true", "provider.version": "~> 5.100"})


def test_it_is_off_by_default() -> None:
    resources: Any = built("emea-edge").document["resource"]
    assert OWNERS not in resources


def test_the_proof_misses_an_owner_and_a_rule_of_its_list(owned: Built) -> None:
    assert judge(owned).not_judged == ()
    resources: Any = owned.document["resource"]
    for name, owner in resources[OWNERS].items():
        fewer = owner["ingress_rule_ids"][1:]
        path = ("resource", OWNERS, name, "ingress_rule_ids")
        document = changed_at(json.loads(json.dumps(owned.document)), path, fewer)
        [told] = judge(owned, document).not_judged
        assert told.where == f"{OWNERS}.{name}: `ingress_rule_ids`"


def test_azure_owns_its_rules_in_any_case() -> None:
    with_it = built("azure-edge", **{"options.azure.exclusive": "true"})
    assert with_it.document == built("azure-edge").document


def test_google_owns_the_rules_of_a_policy_and_no_vpc_rules() -> None:
    with_it = built("gcp-policy", **{"options.gcp.exclusive": "true"})
    assert with_it.document == built("gcp-policy").document
    with pytest.raises(BadFileError, match="write `rules: network-policy`"):
        built("gcp-edge", **{"options.gcp.exclusive": "true"})
