"""Terraform itself takes what is synthesized for every cloud, against the providers' own schemas.

The providers are in memory (`memory_provider`), the schemas real (`schemas/`). Terraform checks,
plans, applies and destroys; what a schema does not hold is in tests/providers.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flowbridge.stacks.pipeline import Built, build, load
from tests.providers import jabber_guest
from tests.providers.one_deployment import Deployment
from tests.terraform.conftest import REPOSITORY
from tests.terraform.memory_provider import SCHEMAS, Memory, memory_providers
from tests.terraform.message_pack import Unknown, pack, unpack
from tests.terraform.run import Terraform

Json = dict[str, Any]

pytestmark = pytest.mark.slow

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
# Every form of what a cloud can be told to emit, in one deployment of moderate size.
CLUSTER = Deployment(
    edge_peers=6,
    ipv6=True,
    cards=True,
    networks=12,
    services=("traversal-pair",),
)
POLICIES = Deployment(
    edge_peers=6,
    ipv6=True,
    cards=True,
    services=("traversal-pair", "smart-licensing"),
    options={"gcp": {"rules": "network-policy"}},
)
VARIANTS = {
    "aws cluster of six, IPv6, cards, prefix lists": ("aws", CLUSTER),
    "azure cluster of six, IPv6, cards": ("azure", CLUSTER),
    "gcp cluster of six, IPv6": ("gcp", CLUSTER),
    "gcp network policy, IPv6, tag bindings": ("gcp", POLICIES),
}
SHORT = {"aws": "aws", "azure": "azurerm", "gcp": "google"}


@dataclass(frozen=True)
class Cloudless:
    """Terraform with the providers in memory."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    providers: Mapping[str, Memory]

    def initialized(self, document: Json, folder: Path) -> Terraform:
        """Terraform in a stack's folder, as deep as the engine makes it."""
        stack = folder / "cdktf.out" / "stacks" / "one"
        stack.mkdir(parents=True)
        terraform = Terraform(self.command, stack, self.environment)
        write(terraform, document)
        terraform.init()
        return terraform


@pytest.fixture(scope="module")
def cloudless(
    terraform_command: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloudless]:
    settings = tmp_path_factory.mktemp("settings") / "terraform.rc"
    settings.write_text("", "utf-8")
    # Runs of a second need no garbage collection: a third of their time.
    environment = {"TF_CLI_CONFIG_FILE": str(settings), "TF_PLUGIN_CACHE_DIR": "", "GOGC": "off"}
    with memory_providers() as (attached, providers):
        yield Cloudless(terraform_command, environment | attached, providers)


def write(terraform: Terraform, document: Json) -> None:
    (terraform.folder / "cdk.tf.json").write_text(json.dumps(document), "utf-8")


def diagnostics(terraform: Terraform) -> list[str]:
    """What `terraform validate` finds wrong, a line each."""
    found = json.loads(terraform.run("validate", "-json", codes=(0, 1)))["diagnostics"]
    return [f"{one['summary']}: {one['detail']}" for one in found]


def addresses(built: Built) -> set[str]:
    return {
        f"{kind}.{name}" for kind, named in built.document["resource"].items() for name in named
    }


def lifecycle(built: Built, cloudless: Cloudless, folder: Path) -> None:
    """Validate, plan, apply, plan again and destroy, and see that each does what it has to."""
    assert not built.refusals
    provider = cloudless.providers[SHORT[built.resolution.site.cloud]]
    terraform = cloudless.initialized(built.document, folder)
    assert diagnostics(terraform) == []
    assert terraform.apply() == dict.fromkeys(addresses(built), "create")
    theirs = [each for each in addresses(built) if not each.startswith("terraform_data.")]
    assert len(provider.objects) == len(theirs)
    assert terraform.plan() == {}
    terraform.destroy()
    assert provider.objects == {}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_lives_and_dies(example: Path, cloudless: Cloudless, tmp_path: Path) -> None:
    lifecycle(build(load(example)), cloudless, tmp_path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_lives_and_dies(variant: str, cloudless: Cloudless, tmp_path: Path) -> None:
    cloud, deployment = VARIANTS[variant]
    built = deployment.built(cloud, tmp_path)
    if "prefix lists" in variant:
        assert "aws_ec2_managed_prefix_list" in built.document["resource"]
    if "tag bindings" in variant:
        assert "google_tags_location_tag_binding" in built.document["resource"]
    lifecycle(built, cloudless, tmp_path)


@pytest.mark.parametrize("cloud", jabber_guest.FILES)
def test_a_port_translator_lives_and_dies(cloud: str, cloudless: Cloudless, tmp_path: Path) -> None:
    built = jabber_guest.built(tmp_path, jabber_guest.deployment(cloud))
    balancers = {"aws": "aws_lb", "azure": "azurerm_lb", "gcp": "google_compute_backend_service"}
    assert balancers[cloud] in built.document["resource"]
    lifecycle(built, cloudless, tmp_path)


# --- Mistakes that Terraform has to find -----------------------------------------------------

Change = Callable[[Json], None]


def first(document: Json, kind: str) -> Json:
    """The body of the first resource of this type."""
    body: Json = next(iter(document["resource"][kind].values()))
    return body


def renamed(old: str, new: str) -> Change:
    def change(body: Json) -> None:
        body[new] = body.pop(old)

    return change


def dropped(key: str) -> Change:
    def change(body: Json) -> None:
        del body[key]

    return change


def written(key: str, value: object) -> Change:
    def change(body: Json) -> None:
        body[key] = value

    return change


def inside(key: str, deeper: Change) -> Change:
    """`deeper` in the first block `key`."""

    def change(body: Json) -> None:
        deeper(body[key][0])

    return change


MISTAKES: list[tuple[str, str, Change, str]] = [
    # cloud, resource type, mistake, Terraform's own words
    (
        "aws",
        "aws_vpc_security_group_ingress_rule",
        renamed("ip_protocol", "ip_protcol"),
        'No argument or block type is named "ip_protcol". Did you mean "ip_protocol"?',
    ),
    (
        "aws",
        "aws_vpc_security_group_egress_rule",
        dropped("security_group_id"),
        'The argument "security_group_id" is required',
    ),
    (
        "aws",
        "aws_vpc_security_group_egress_rule",
        written("to_port", "https"),
        'Inappropriate value for attribute "to_port": a number is required',
    ),
    ("aws", "aws_network_acl", dropped("vpc_id"), 'The argument "vpc_id" is required'),
    (
        "aws",
        "aws_network_acl_association",
        renamed("network_acl_id", "acl_id"),
        'No argument or block type is named "acl_id"',
    ),
    (
        "aws",
        "aws_security_group",
        written("tags", ["edge"]),
        'Inappropriate value for attribute "tags": map of string required',
    ),
    (
        "azure",
        "azurerm_network_security_group",
        inside("security_rule", dropped("source_port_ranges")),
        'attribute "source_port_ranges" is required',
    ),
    (
        "azure",
        "azurerm_network_security_group",
        # More keys than an inline rule has are dropped in silence; see test_rules_beyond_schema.
        inside("security_rule", renamed("source_address_prefix", "source_adress_prefix")),
        'attribute "source_address_prefix" is required',
    ),
    (
        "azure",
        "azurerm_network_security_group",
        inside("security_rule", written("priority", "high")),
        "a number is required",
    ),
    (
        "azure",
        "azurerm_application_security_group",
        dropped("location"),
        'The argument "location" is required',
    ),
    (
        "azure",
        "azurerm_subnet_network_security_group_association",
        renamed("subnet_id", "subnet"),
        'No argument or block type is named "subnet"',
    ),
    (
        "gcp",
        "google_compute_firewall",
        renamed("network", "networks"),
        'No argument or block type is named "networks". Did you mean "network"?',
    ),
    ("gcp", "google_compute_firewall", dropped("network"), 'The argument "network" is required'),
    (
        "gcp",
        "google_compute_firewall",
        written("priority", "low"),
        'Inappropriate value for attribute "priority": a number is required',
    ),
    (
        "gcp",
        "google_compute_firewall",
        written("allow", [{"ports": ["443"]}]),
        'The argument "protocol" is required',
    ),
    (
        "gcp",
        "google_compute_network_firewall_policy_with_rules",
        inside("rule", dropped("match")),
        'At least 1 "match" blocks are required',
    ),
    (
        "gcp",
        "google_compute_network_firewall_policy_with_rules",
        inside("rule", inside("match", renamed("layer4_config", "layer4_configs"))),
        'No argument or block type is named "layer4_configs". Did you mean "layer4_config"?',
    ),
    (
        "gcp",
        "google_tags_tag_key",
        written("purpose_data", "network"),
        'Inappropriate value for attribute "purpose_data": map of string required',
    ),
]


@pytest.fixture(scope="module")
def right(
    cloudless: Cloudless, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], tuple[Terraform, Json]]:
    """An initialized stack of a cloud that has resources of a type, and its right document."""
    stacks: dict[str, tuple[Terraform, Json]] = {}

    def stack(cloud: str, kind: str) -> tuple[Terraform, Json]:
        in_policies = kind.startswith(("google_compute_network_firewall", "google_tags"))
        name = f"{cloud}-policies" if in_policies else cloud
        if name not in stacks:
            folder = tmp_path_factory.mktemp(name)
            deployment = POLICIES if in_policies else Deployment()
            document = deployment.built(cloud, folder).document
            terraform = cloudless.initialized(document, folder)
            assert diagnostics(terraform) == []
            stacks[name] = terraform, document
        return stacks[name]

    return stack


@pytest.mark.parametrize(
    ("cloud", "kind", "mistake", "words"),
    MISTAKES,
    ids=[f"{kind} {number}" for number, (_, kind, _, _) in enumerate(MISTAKES)],
)
def test_terraform_finds_the_mistake(
    cloud: str,
    kind: str,
    mistake: Change,
    words: str,
    right: Callable[[str, str], tuple[Terraform, Json]],
) -> None:
    terraform, document = right(cloud, kind)
    wrong = copy.deepcopy(document)
    mistake(first(wrong, kind))
    write(terraform, wrong)
    found = diagnostics(terraform)
    assert any(words in " ".join(line.split()) for line in found), found


# --- The parts that stand for a cloud ---------------------------------------------------------


def test_what_is_in_use_is_not_deleted(cloudless: Cloudless, tmp_path: Path) -> None:
    """An id that is written out hides a dependency from Terraform; a cloud refuses then."""
    built = Deployment().built("aws", tmp_path)
    document = copy.deepcopy(built.document)
    provider = cloudless.providers["aws"]
    terraform = cloudless.initialized(document, tmp_path)
    terraform.apply()
    [(group, _), *_] = [key[::-1] for key in provider.objects if key[0] == "aws_security_group"]
    provider.objects["aws_network_interface", "eni-1"] = {"security_groups": [group]}
    try:
        said = terraform.run("destroy", "-auto-approve", "-no-color", codes=(1,))
        assert "aws_security_group" in said
        assert ("aws_security_group", group) in provider.objects
    finally:
        provider.objects.clear()


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        [0, -1, 127, 128, -33, 65535, 2**40, 0.5],
        {"é" * 300: ["x" * 70000], "": {}},
        [Unknown(), Unknown(12, b"\x81\x01\xc3"), b"raw"],
    ],
)
def test_values_cross_the_protocol_unchanged(value: object) -> None:
    assert unpack(pack(value)) == value


def test_short_forms_are_read() -> None:
    """As the MessagePack specification writes them out."""
    data = bytes.fromhex("85a16101a162e0a163cc80a164920102a165d40000")
    assert unpack(data) == {"a": 1, "b": -32, "c": 128, "d": [1, 2], "e": Unknown()}
    with pytest.raises(ValueError, match="ends too early"):
        unpack(data[:-1])


def test_the_extracted_schema_is_the_real_one(
    offline: dict[str, str], terraform_command: tuple[str, ...], tmp_path: Path
) -> None:
    """What the bindings say of AWS, held to the real provider of this machine.

    Only what both versions have is compared; later ones add arguments.
    """
    needed = {"required_providers": {"aws": {"source": "hashicorp/aws"}}}
    (tmp_path / "main.tf.json").write_text(json.dumps({"terraform": needed}), "utf-8")
    terraform = Terraform(terraform_command, tmp_path, offline)
    terraform.init()
    [real] = json.loads(terraform.run("providers", "schema", "-json"))["provider_schemas"].values()
    text = (SCHEMAS / "aws.json").read_text("utf-8")
    [ours] = json.loads(text)["provider_schemas"].values()
    compared = 0
    for kind, schema in ours["resource_schemas"].items():
        compared += _compare(kind, schema["block"], real["resource_schemas"][kind]["block"])
    assert compared > 200


def _compare(where: str, ours: Json, real: Json) -> int:
    flags = ("type", "required", "optional", "computed")
    mine, theirs = ours.get("attributes", {}), real.get("attributes", {})
    both = sorted(mine.keys() & theirs.keys())
    for name in both:
        pair = [{flag: one[name].get(flag) for flag in flags} for one in (mine, theirs)]
        assert pair[0] == pair[1], f"{where}.{name}"
    count = len(both)
    mine, theirs = ours.get("block_types", {}), real.get("block_types", {})
    for name in sorted(mine.keys() & theirs.keys()):
        assert mine[name]["nesting_mode"] == theirs[name]["nesting_mode"], f"{where}.{name}"
        assert (mine[name].get("max_items") == 1) == (theirs[name].get("max_items") == 1), name
        assert mine[name].get("min_items", 0) == min(theirs[name].get("min_items", 0), 1), name
        count += _compare(f"{where}.{name}", mine[name]["block"], theirs[name]["block"])
    return count
