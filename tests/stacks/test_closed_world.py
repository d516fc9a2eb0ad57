"""What is around the rules of a document: nothing unknown is taken for fine, on three clouds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowbridge.stacks.pipeline import Built, NotJudgedError, build, judge, load
from tests.providers import jabber_guest

EXAMPLES = Path(__file__).parents[2] / "examples"
Document = dict[str, Any]
Spoil = Callable[[Document], object]

AWS, NAMED, AZURE, GCP, POLICY = (
    "emea-edge",
    "emea-edge with cards",
    "azure-edge",
    "gcp-edge",
    "gcp-policy",
)
OUTER = "${aws_security_group.expressway-e_external.id}"
OPEN = {"ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"}
GROUP = "aws_security_group.expressway-e_external"
INGRESS = "aws_vpc_security_group_ingress_rule"
NSG = "azurerm_network_security_group"
RULES = "google_compute_network_firewall_policy_with_rules"
BINDING = "google_tags_location_tag_binding"
CARD = "eni-0123456789abcdef0"


@pytest.fixture(scope="module")
def deployments() -> dict[str, Built]:
    found = {name: build(load(EXAMPLES / f"{name}.yaml")) for name in (AWS, AZURE, GCP, POLICY)}
    found[NAMED] = build(
        load(EXAMPLES / f"{AWS}.yaml", {"expressway_e.peers.0.external_eni": CARD})
    )
    return found


def failures(built: Built, spoil: Spoil) -> tuple[str, ...]:
    document = json.loads(json.dumps(built.document))
    spoil(document)
    try:
        return judge(built, document).failures
    except NotJudgedError as error:
        return error.reasons


def add(kind: str, **body: Any) -> Spoil:
    return lambda document: document["resource"].setdefault(kind, {}).update({"by_hand": body})


def drop(*kinds: str) -> Spoil:
    return lambda document: [document["resource"].pop(kind) for kind in kinds]


def first(kind: str, **changes: Any) -> Spoil:
    return lambda document: next(iter(document["resource"][kind].values())).update(changes)


def top(**blocks: Any) -> Spoil:
    return lambda document: document.update(blocks)


def provider(name: str, **changes: Any) -> Spoil:
    return lambda document: document["provider"][name][0].update(changes)


def source(name: str) -> Spoil:
    def other(document: Document) -> None:
        document["terraform"]["required_providers"][name]["source"] = "someone/else"

    return other


ACLS = ("aws_network_acl", "aws_network_acl_rule", "aws_network_acl_association")
HARMFUL: list[tuple[str, str, Spoil]] = [
    (AWS, "all ACLs gone", drop(*ACLS)),
    (AWS, "ACLs nowhere attached", drop(ACLS[2])),
    (AWS, "owner of a variable", add(INGRESS, security_group_id="${var.group}", **OPEN)),
    (
        AWS,
        "owner from a data source",
        add(INGRESS, security_group_id="${data.aws_security_group.x.id}", **OPEN),
    ),
    (AWS, "owner by a live id", add(INGRESS, security_group_id="sg-0123456789abcdef0", **OPEN)),
    (
        AWS,
        "owner from a module",
        add("aws_security_group_rule", security_group_id="${module.m.id}", type="ingress",
            protocol="-1", cidr_blocks=["0.0.0.0/0"]),
    ),
    (AWS, "owner picked by index", add(INGRESS, security_group_id="${values(local.g)[0]}", **OPEN)),
    (AWS, "other VPC", first("aws_security_group", vpc_id="vpc-0ffffffffffffffff")),
    (AWS, "ACL in another VPC", first("aws_network_acl", vpc_id="vpc-0ffffffffffffffff")),
    (AWS, "region of a resource", first("aws_security_group", region="us-east-1")),
    (AWS, "region of a rule", first(INGRESS, region="us-east-1")),
    (AWS, "region of the provider", provider("aws", region="us-east-1")),
    (AWS, "other account", provider("aws", profile="someone")),
    (AWS, "other role", provider("aws", assume_role=[{"role_arn": "arn:aws:iam::1:role/x"}])),
    (AWS, "only an aliased provider", provider("aws", alias="west")),
    (AWS, "no provider", top(provider={})),
    (AWS, "provider source", source("aws")),
    (AWS, "ignore_changes", first(INGRESS, lifecycle={"ignore_changes": ["cidr_ipv4"]})),
    (AWS, "every change ignored", first("aws_security_group", lifecycle={"ignore_changes": "all"})),
    (AWS, "aliased provider", first("aws_security_group", provider="aws.west")),
    (AWS, "count", first(INGRESS, count=0)),
    (AWS, "for_each", first(INGRESS, for_each="${var.each}")),
    (AWS, "provisioner", first("aws_security_group", provisioner=[{"local-exec": {}}])),
    (AWS, "module", top(module={"more": {"source": "./more"}})),
    (AWS, "import of what is not here", top(**{"import": [{"to": "aws_vpc.x", "id": "vpc-1"}]})),
    (AWS, "import of many", top(**{"import": [{"to": GROUP, "id": "sg-1", "for_each": ["a"]}]})),
    (AWS, "import of an expression", top(**{"import": [{"to": GROUP, "id": "${var.id}"}]})),
    (AWS, "import by another provider", top(**{"import": [
        {"to": GROUP, "id": "sg-1", "provider": "aws.us"}]})),
    (AWS, "removed", top(removed=[{"from": "aws_network_acl.x", "lifecycle": {"destroy": False}}])),
    (AWS, "a block of later", top(firewall={"x": {}})),
    (AWS, "attribute of later", first("aws_security_group", mode="open")),
    (AWS, "block public access", add("aws_vpc_block_public_access_options", x="off")),
    (AWS, "network firewall", add("aws_networkfirewall_firewall", vpc_id="vpc-1")),
    (
        AWS,
        "a machine in our group at another address",
        add("aws_instance", vpc_security_group_ids=[OUTER], private_ip="10.0.1.99"),
    ),
    (AWS, "a machine in our group anywhere", add("aws_instance", vpc_security_group_ids=[OUTER])),
    (
        AWS,
        "our address in another group",
        add("aws_network_interface", private_ips=["10.0.1.11"], security_groups=["sg-0abc"]),
    ),
    (
        AWS,
        "a machine in a group of a variable",
        add("aws_instance", vpc_security_group_ids=["${var.groups}"]),
    ),
    (
        AWS,
        "a template of machines in our group",
        add("aws_launch_template", vpc_security_group_ids=[OUTER]),
    ),
    (
        NAMED,
        "an open group on our card",
        lambda document: (
            add("aws_security_group", name="open", vpc_id="vpc-0a1b2c3d4e5f60718",
                ingress=[{"protocol": "-1", "from_port": 0, "to_port": 0,
                          "cidr_blocks": ["0.0.0.0/0"]}])(document),
            add("aws_network_interface_sg_attachment",
                security_group_id="${aws_security_group.by_hand.id}",
                network_interface_id=CARD)(document),
        ),
    ),
    (
        NAMED,
        "a group of elsewhere on our card",
        add("aws_network_interface_sg_attachment", security_group_id="sg-0123456789abcdef0",
            network_interface_id=CARD),
    ),
    (
        NAMED,
        "a group on a card of a variable",
        add("aws_network_interface_sg_attachment", security_group_id="sg-0123456789abcdef0",
            network_interface_id="${var.card}"),
    ),
    (
        NAMED,
        "our group on a stranger's card",
        add("aws_network_interface_sg_attachment", security_group_id=OUTER,
            network_interface_id="eni-0fffffffffffffff0"),
    ),
    (AZURE, "location", first(NSG, location="eastus")),
    (AZURE, "resource group", first(NSG, resource_group_name="another")),
    (AZURE, "subscription", provider("azurerm", subscription_id="11111111")),
    (AZURE, "subscription gone", lambda d: d["provider"]["azurerm"][0].pop("subscription_id")),
    (AZURE, "provider source", source("azurerm")),
    (AZURE, "NSGs nowhere attached", drop("azurerm_subnet_network_security_group_association")),
    (AZURE, "ignore_changes", first(NSG, lifecycle={"ignore_changes": ["security_rule"]})),
    (AZURE, "dynamic rules", first(NSG, dynamic=[{"security_rule": {"for_each": "${var.r}"}}])),
    (
        AZURE,
        "a rule of an NSG of a variable",
        add("azurerm_network_security_rule", network_security_group_name="${var.nsg}", name="x",
            priority=100, direction="Inbound", access="Allow", protocol="*", source_port_range="*",
            destination_port_range="*", source_address_prefix="*", destination_address_prefix="*"),
    ),
    (
        AZURE,
        "an NSG on a subnet of a variable",
        add("azurerm_subnet_network_security_group_association", subnet_id="${var.subnet}",
            network_security_group_id="${azurerm_network_security_group.dmz.id}"),
    ),
    (
        AZURE,
        "our group on a stranger's card",
        add("azurerm_network_interface_application_security_group_association",
            network_interface_id="/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/"
            "networkInterfaces/stranger",
            application_security_group_id="${azurerm_application_security_group.cucm_single.id}"),
    ),
    (AZURE, "admin rules", add("azurerm_network_manager_admin_rule", action="AlwaysAllow")),
    (
        AZURE,
        "our subnets written in the network",
        add("azurerm_virtual_network", subnet=[{"name": "dmz", "security_group": "${var.n}"}]),
    ),
    (AZURE, "another subnet's NSG by azapi", add("azapi_update_resource", type="x")),
    (GCP, "project of a rule", first("google_compute_firewall", project="another")),
    (GCP, "project of the provider", provider("google", project="another")),
    (GCP, "network of a variable", first("google_compute_firewall", network="${var.net}")),
    (GCP, "provider source", source("google")),
    (GCP, "endpoint", provider("google", compute_custom_endpoint="https://elsewhere.example/")),
    (GCP, "ignore_changes", first("google_compute_firewall", lifecycle={"ignore_changes": ["x"]})),
    (
        GCP,
        "a policy of elsewhere on our network",
        add("google_compute_network_firewall_policy_association", name="x",
            attachment_target="projects/uc-edge-prod/global/networks/dmz-net",
            firewall_policy="projects/uc-edge-prod/global/firewallPolicies/open"),
    ),
    (
        GCP,
        "a machine with our tag",
        add("google_compute_instance", name="x", tags=["fb-gcp-edge-expressway-e-external"]),
    ),
    (
        GCP,
        "a template of machines with our tag",
        add("google_compute_instance_template", tags=["fb-gcp-edge-expressway-e-external"]),
    ),
    (
        GCP,
        "a hierarchical policy",
        add("google_compute_firewall_policy_association", attachment_target="folders/1"),
    ),
    (
        GCP,
        "policies before rules",
        add("google_compute_network", name="dmz-net", project="another"),
    ),
    (POLICY, "tag bound to another machine", first(BINDING, parent="//compute.googleapis.com/x")),
    (POLICY, "tag bound to nobody", drop(BINDING)),
    (POLICY, "tag bound in another zone", first(BINDING, location="europe-west3-b")),
    (
        POLICY,
        "tag bound twice",
        add(BINDING, parent="//compute.googleapis.com/x", location="europe-west3-a",
            tag_value="${google_tags_tag_value.cucm_single_75582155.id}"),
    ),
    (POLICY, "policy nowhere attached", drop("google_compute_network_firewall_policy_association")),
    (POLICY, "project of the policy", first(RULES, project="another")),
    (POLICY, "network of the tags", first("google_tags_tag_key", purpose_data={"network": "a/b"})),
    (POLICY, "project of the tags", first("google_tags_tag_key", parent="projects/another")),
]  # fmt: skip

HARMLESS: list[tuple[str, str, Spoil]] = [
    (AWS, "an instance of others", add("aws_instance", ami="ami-1", subnet_id="subnet-0aa")),
    (
        AWS,
        "an instance in a group of its own",
        lambda document: (
            add("aws_security_group", name="bastion", vpc_id="vpc-0a1b2c3d4e5f60718",
                timeouts={"create": "5m"})(document),
            add(INGRESS, security_group_id="${aws_security_group.by_hand.id}", **OPEN)(document),
            add("aws_instance", vpc_security_group_ids=["${aws_security_group.by_hand.id}"],
                subnet_id="subnet-0aa", private_ip="10.0.1.99")(document),
        ),
    ),
    (
        AWS,
        "our machine with its group",
        add("aws_instance", vpc_security_group_ids=[OUTER], private_ip="10.0.1.11"),
    ),
    (AWS, "a bucket", add("aws_s3_bucket", bucket="${var.name}", tags={"tier": "dmz"})),
    (AWS, "a name for our address", add("aws_route53_record", records=["203.0.113.11"])),
    (AWS, "outputs, variables and data", top(output={}, variable={"x": {}}, locals={"y": 1})),
    (AWS, "what `adopt` writes", top(**{"import": [{"to": GROUP, "id": "sg-$${1}"}]})),
    (AWS, "another region for others", lambda d: d["provider"]["aws"].append({"alias": "us"})),
    (AWS, "another provider", lambda d: d["terraform"]["required_providers"].update(
        {"random": {"source": "hashicorp/random"}})),
    (AWS, "prevent_destroy", first("aws_security_group", lifecycle={"prevent_destroy": True})),
    (AWS, "more to wait for", first("aws_security_group", depends_on=["aws_s3_bucket.x"])),
    (NAMED, "our card in a machine", add("aws_instance", network_interface=[
        {"network_interface_id": CARD, "device_index": 0}])),
    (AZURE, "a machine of others", add("azurerm_linux_virtual_machine", name="x")),
    (AZURE, "an NSG of others", add(NSG, name="mine", location="eastus",
                                    resource_group_name="mine")),
    (GCP, "a machine of others", add("google_compute_instance", name="x", tags=["web"])),
    (GCP, "our machine with its tags", add("google_compute_instance", name="x", tags=[
        "fb-gcp-edge-cucm-single"], network_interface=[{"network_ip": "10.0.10.21"}])),
    (GCP, "a rule of another network", add("google_compute_firewall", name="x", network="web",
                                           allow=[{"protocol": "all"}])),
    (POLICY, "a bucket", add("google_storage_bucket", name="x")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "spoil"), [(n, s) for n, _, s in HARMFUL],
                         ids=[f"{n}: {what}" for n, what, _ in HARMFUL])  # fmt: skip
def test_what_is_not_known_is_not_fine(
    name: str, spoil: Spoil, deployments: dict[str, Built]
) -> None:
    assert failures(deployments[name], spoil)


@pytest.mark.parametrize(("name", "spoil"), [(n, s) for n, _, s in HARMLESS],
                         ids=[f"{n}: {what}" for n, what, _ in HARMLESS])  # fmt: skip
def test_others_may_live_in_the_same_document(
    name: str, spoil: Spoil, deployments: dict[str, Built]
) -> None:
    assert failures(deployments[name], spoil) == ()


def test_what_we_emit_has_no_attribute_outside_the_proof(deployments: dict[str, Built]) -> None:
    """Also with named cards and with a firewall policy's secure tags."""
    for built in deployments.values():
        assert judge(built).not_judged == ()


@pytest.mark.parametrize("cloud", jabber_guest.FILES)
def test_the_load_balancer_of_jabber_guest_is_in_the_proof(cloud: str, tmp_path: Path) -> None:
    """No example has it."""
    built = jabber_guest.built(tmp_path, jabber_guest.deployment(cloud))
    assert judge(built).not_judged == ()
