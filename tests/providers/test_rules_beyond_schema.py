"""What no schema holds and a cloud refuses: `limits.yaml`, over everything that is emitted."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.flow import Flow
from flowbridge.policy.compiled import compile_policy
from flowbridge.providers.aws.cloud import PROVIDER as AWS
from flowbridge.providers.azure.cloud import PROVIDER as AZURE
from flowbridge.stacks.pipeline import build, load
from tests.providers.aws import policies as aws
from tests.providers.azure import policies as azure
from tests.providers.gcp import deployment as gcp
from tests.providers.limits import RULES, Rule, broken, concerned, title
from tests.providers.one_deployment import Deployment

Json = dict[str, Any]

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
SCHEMAS = REPOSITORY / "tests" / "terraform" / "schemas"
EVERYTHING = Deployment(
    edge_peers=6,
    core_peers=2,
    ipv6=True,
    cards=True,
    networks=12,
    services=("traversal-pair", "cluster", "sip-calls"),
)
POLICIES = Deployment(
    cards=True,
    ipv6=True,
    services=("traversal-pair", "smart-licensing"),
    options={"gcp": {"rules": "network-policy"}},
)
VARIANTS = (
    ("aws", EVERYTHING),
    ("azure", EVERYTHING),
    ("gcp", EVERYTHING),
    ("gcp", POLICIES),
)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Json]:
    """Every example and every variant, by a name of its own."""
    folder = tmp_path_factory.mktemp("variants")
    found = {path.stem: build(load(path)).document for path in EXAMPLES}
    for number, (cloud, deployment) in enumerate(VARIANTS):
        found[f"{cloud} {number}"] = deployment.built(cloud, folder).document
    sources = ("1024-2000", "3000-65535")
    asked = azure.flow(azure.ADMIN, azure.inside(azure.CORE), Protocol.UDP, sources, (161,))
    found["azure flow"] = AZURE.lower(azure.policy(asked), azure.site()).terraform
    return found


def test_examples_and_variants_keep_every_rule(documents: dict[str, Json]) -> None:
    faults = [f"{name}: {text}" for name, one in documents.items() for text in broken(one)]
    assert faults == []


def _ranked(document: Json) -> Iterator[tuple[str, int, bool]]:
    """Where a rule stands (first match wins there), its priority, and whether it denies all."""
    resources = document["resource"]
    for name, body in resources.get("azurerm_network_security_group", {}).items():
        for rule in body["security_rule"]:
            yield (
                f"{name} {rule['direction']}",
                rule["priority"],
                rule["name"].startswith("deny-all"),
            )
    for body in resources.get("google_compute_firewall", {}).values():
        yield f"{body['network']} {body['direction']}", body["priority"], _all(body)
    policies = "google_compute_network_firewall_policy_with_rules"
    for name, body in resources.get(policies, {}).items():
        for rule in body["rule"]:
            yield f"{name} {rule['direction']}", rule["priority"], _all(rule)


def _all(rule: Json) -> bool:
    """Whether a rule of Google Cloud denies all that no other allows."""
    return "deny what no other rule allows" in rule["description"]


def test_what_denies_comes_after_all_that_allows(documents: dict[str, Json]) -> None:
    checked = 0
    for document in documents.values():
        allowing: dict[str, int] = {}
        denying: dict[str, int] = {}
        for place, priority, denies in _ranked(document):
            if denies:
                denying[place] = min(priority, denying.get(place, priority))
            else:
                allowing[place] = max(priority, allowing.get(place, priority))
        for place, last in allowing.items():
            assert last < denying[place], place
            checked += 1
    assert checked


def test_inline_blocks_have_the_keys_of_their_attribute(documents: dict[str, Json]) -> None:
    """Terraform drops a key too many in a block that is an attribute; nobody else would see it."""
    checked = 0
    for document in documents.values():
        for kind, key, members in _inline_attributes():
            for body in document["resource"].get(kind, {}).values():
                for block in body.get(key) or ():
                    assert block.keys() == members, f"{kind}.{key}"
                    checked += 1
    assert checked


def _inline_attributes() -> Iterator[tuple[str, str, set[str]]]:
    for file in sorted(SCHEMAS.glob("*.json")):
        [schema] = json.loads(file.read_text("utf-8"))["provider_schemas"].values()
        for kind, resource in schema["resource_schemas"].items():
            for key, attribute in resource["block"].get("attributes", {}).items():
                match attribute["type"]:
                    case ["set" | "list", ["object", members]]:
                        yield kind, key, set(members)


@settings(max_examples=20, deadline=None)
@given(st.lists(aws.flows(), max_size=8))
def test_any_policy_on_aws(asked: list[Flow]) -> None:
    lowered = AWS.lower(compile_policy(aws.INTERFACES, asked), aws.site())
    assert list(broken(lowered.terraform)) == []


@settings(max_examples=20, deadline=None)
@given(st.lists(azure.flows(), max_size=8))
def test_any_policy_on_azure(asked: list[Flow]) -> None:
    lowered = AZURE.lower(azure.policy(*asked), azure.site())
    assert list(broken(lowered.terraform)) == []


@settings(max_examples=20, deadline=None)
@given(st.lists(gcp.flows(), max_size=8), st.sampled_from([{}, gcp.POLICIES]))
def test_any_policy_on_google_cloud(asked: list[Flow], options: Json) -> None:
    lowered = gcp.lower(*asked, options=options)
    assert list(broken(lowered.terraform)) == []


@pytest.mark.parametrize("name", ["a", "a" + "-very" * 7 + "-long"])
@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_names_of_any_length(name: str, cloud: str, tmp_path: Path) -> None:
    """The longest and the shortest names that a deployment file takes."""
    data = Deployment(cards=True).data(cloud)
    data["name"] = name.ljust(2, "b")[:40]
    tiers = data["network"]["tiers"]
    tiers["d" * 21] = tiers.pop("dmz")
    data["expressway_e"]["tier"] = "d" * 21
    (tmp_path / "site.yaml").write_text(json.dumps(data), "utf-8")
    assert list(broken(build(load(tmp_path / "site.yaml")).document)) == []


# --- Every rule of the table can fail ---------------------------------------------------------


def _worse(rule: Rule) -> Callable[[Json], None]:
    """A change to a block that breaks `rule`."""

    def change(block: Json) -> None:
        if keys := rule.get("exactly_one_of") or rule.get("at_most_one_of"):
            for key in keys:
                block[key] = block.get(key) or ["x"]
        elif keys := rule.get("ordered"):
            block[keys[0]], block[keys[1]] = 2, 1
        elif keys := rule.get("needs"):
            block[keys[0]] = None
        elif keys := rule.get("forbids"):
            block[keys[0]] = ["x"]
        elif keys := rule.get("one_family"):
            both = ["10.0.0.0/8", "2001:db8::/32"]
            block[keys[-1]] = [{"cidr": c} for c in both] if keys == ["entry"] else both
        else:
            block[rule["key"]] = _worse_value(block[rule["key"]], rule)

    return change


def _worse_value(value: Any, rule: Rule) -> Any:
    if "between" in rule:
        return rule["between"][1] + 1
    item = next(
        bad
        for key, bad in (
            ("canonical", "10.0.0.1/8"),
            ("longest", "x" * (rule.get("longest", 0) + 1)),
            ("matches", "é→"),
            ("at_most", "x"),
        )
        if key in rule
    )
    if isinstance(value, dict):
        return {item: "x"} if rule.get("map_keys") else {"x": item}
    if isinstance(value, list):
        return [item] * (rule.get("at_most", 0) + 1)
    return item


@pytest.mark.parametrize("rule", RULES, ids=title)
def test_a_rule_of_the_table_is_about_something_and_can_fail(
    rule: Rule, documents: dict[str, Json]
) -> None:
    document = next((d for d in documents.values() if concerned(d, rule)), None)
    assert document is not None, "no example and no variant has what this rule is about"
    wrong = copy.deepcopy(document)
    if "unique" in rule or "at_most_blocks" in rule:
        times = rule.get("at_most_blocks", 1) + 1
        for kind in rule["types"]:
            _repeat(wrong["resource"].get(kind, {}), rule.get("in"), times)
    else:
        _worse(rule)(dict_of(concerned(wrong, rule)[0]))
    assert list(broken(wrong, [rule]))
    assert not list(broken(document, [rule]))


def dict_of(block: Any) -> Json:
    assert isinstance(block, dict)
    return block


def _repeat(named: Json, block: str | None, times: int) -> None:
    """The first resource, or the first block of each, so many times more."""
    if block is None:
        named.update({f"again-{n}": body for n, body in enumerate([*named.values()][:1])})
        return
    for body in named.values():
        body[block] = [*body[block], *[body[block][0]] * times]
