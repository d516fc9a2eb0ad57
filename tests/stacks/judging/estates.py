"""Estates of others that open exactly what is asked for, in the shapes that people write.

Resource types, names and the ways in which ids come to rules are those of the modules that are
named; see the links. Every estate of a cloud opens the same (`sites.ASKED`), so that the answer is
known without any code of Flowbridge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flowbridge.providers.meaning.foreign import Wearing
from tests.stacks.judging.shown_json import (
    Json,
    call,
    configured,
    module_of,
    plan,
    resource,
    state,
)
from tests.stacks.judging.sites import ASKED, C, E

GROUP: Final = "aws_security_group"
RULE: Final = "aws_security_group_rule"
NSG: Final = "azurerm_network_security_group"
NSG_RULE: Final = "azurerm_network_security_rule"
FIREWALL: Final = "google_compute_firewall"
VPC: Final = "vpc-0a1b2c3d4e5f60718"


@dataclass(frozen=True)
class Case:
    """`worn`: the mapping of interfaces."""

    name: str
    cloud: str
    document: Json
    worn: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    locals_: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    subnets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def wearing(self) -> Wearing:
        return Wearing(self.worn, self.subnets, self.locals_)


def both(*what: str) -> dict[str, tuple[str, ...]]:
    return {C: what, E: what}


# --- AWS ------------------------------------------------------------


def legacy(way: str, protocol: str, port: int, peer: str, /, **more: Any) -> Json:
    return {
        "type": way,
        "protocol": protocol,
        "from_port": port,
        "to_port": port,
        "cidr_blocks": [peer],
        "ipv6_cidr_blocks": None,
        "prefix_list_ids": [],
        "self": False,
        "description": None,
        **more,
    }


def inline(protocol: str, port: int, peer: str, **more: Any) -> Json:
    return {
        "protocol": protocol,
        "from_port": port,
        "to_port": port,
        "cidr_blocks": [peer],
        "ipv6_cidr_blocks": [],
        "prefix_list_ids": [],
        "security_groups": [],
        "self": False,
        "description": "",
        **more,
    }


def group(name: str = "edge", /, **more: Any) -> Json:
    return {
        "name": name,
        "vpc_id": VPC,
        "description": "Managed by Terraform",
        "tags": None,
        **more,
    }


def ways(way: str) -> list[Json]:
    return [inline(protocol, port, peer) for w, protocol, port, peer in ASKED if w == way]


NEW_GROUP: Final = {"id": True, "arn": True, "ingress": True, "egress": True, "owner_id": True}


def aws_inline() -> Case:
    """Rules inside the group, before the first apply."""
    body = group(ingress=ways("ingress"), egress=ways("egress"))
    made = resource(GROUP, "edge", body, unknown={"id": True, "arn": True})
    written = configured(GROUP, "edge", name="edge", ingress=["var.rules"], egress=["var.rules"])
    return Case("inline", "aws", plan([made], module_of(written)), both("aws_security_group.edge"))


def aws_module_v5() -> Case:
    """https://github.com/terraform-aws-modules/terraform-aws-security-group (main.tf)."""
    at = "module.edge"
    made = resource(GROUP, "this_name_prefix", group(), module=at, index=0, unknown=NEW_GROUP)
    rules, written = (
        [],
        [
            configured(GROUP, "this", name=["var.name"]),
            configured(GROUP, "this_name_prefix", name_prefix=["var.name"]),
        ],
    )
    for way in ("ingress", "egress"):
        name = f"{way}_with_cidr_blocks"
        written.append(
            configured(
                RULE,
                name,
                security_group_id=["local.this_sg_id"],
                cidr_blocks=[f"var.{name}", "count.index"],
            )
        )
        asked = [each for each in ASKED if each[0] == way]
        rules += [
            resource(
                RULE,
                name,
                legacy(*each),
                module=at,
                index=number,
                unknown={"id": True, "security_group_id": True, "source_security_group_id": True},
            )
            for number, each in enumerate(asked)
        ]
    inside = module_of(*written, outputs={"security_group_id": ["aws_security_group.this[0].id"]})
    source = "registry.terraform.io/terraform-aws-modules/security-group/aws"
    calls = {"edge": call(source, inside, name="edge", vpc_id=VPC)}
    return Case(
        "terraform-aws-modules", "aws", plan([made, *rules], module_of(calls=calls)), both("edge")
    )


def aws_cloudposse() -> Case:
    """https://github.com/cloudposse/terraform-aws-security-group (main.tf), keyed rules."""
    at = "module.sg"
    made = resource(GROUP, "cbd", group("edge-x"), module=at, index=0, unknown=NEW_GROUP)
    salt = resource("random_id", "rule_change_forces_new_security_group", {}, module=at, index=0)
    rules = [
        resource(
            RULE,
            "keyed",
            legacy(*each),
            module=at,
            index=f"{each[0]}-{each[1]}-{each[2]}",
            unknown={"security_group_id": True, "id": True},
        )
        for each in ASKED
    ]
    inside = module_of(
        configured(GROUP, "cbd", name_prefix=["local.sg_name_prefix"]),
        configured(GROUP, "default", name=["var.security_group_name"]),
        configured(
            RULE,
            "keyed",
            for_each=["local.rule_create_before_destroy", "local.keyed_resource_rules"],
            security_group_id=["local.cbd_security_group_id"],
            cidr_blocks=["each.value"],
            source_security_group_id=["each.value"],
        ),
    )
    calls = {"sg": call("cloudposse/security-group/aws", inside, vpc_id=VPC)}
    document = plan([made, salt, *rules], module_of(calls=calls))
    return Case("cloudposse", "aws", document, both("module.sg.aws_security_group.cbd[0]"))


def rule_of_vpc(way: str, protocol: str, port: int, peer: str, **more: Any) -> Json:
    return {
        "ip_protocol": protocol,
        "from_port": port,
        "to_port": port,
        "cidr_ipv4": peer,
        "cidr_ipv6": None,
        "prefix_list_id": None,
        "referenced_security_group_id": None,
        "description": way,
        "tags": None,
        **more,
    }


def aws_for_each() -> Case:
    """Groups and rules by `for_each`, one rule for each key."""
    rules = []
    groups = [
        resource(GROUP, "each", group(f"uc-{key}"), index=key, unknown=NEW_GROUP)
        for key in ("c", "e")
    ]
    written = [configured(GROUP, "each", for_each=["var.groups"], name=["each.key"])]
    for number, (way, protocol, port, peer) in enumerate(ASKED):
        kind = f"aws_vpc_security_group_{way}_rule"
        name = f"rule_{number}"
        written.append(
            configured(
                kind,
                name,
                for_each=["var.groups"],
                security_group_id=["aws_security_group.each", "each.key"],
            )
        )
        rules += [
            resource(
                kind,
                name,
                rule_of_vpc(way, protocol, port, peer),
                index=key,
                unknown={"security_group_id": True, "id": True, "arn": True},
            )
            for key in ("c", "e")
        ]
    worn = {C: ('aws_security_group.each["c"]',), E: ('aws_security_group.each["e"]',)}
    return Case("for_each", "aws", plan([*groups, *rules], module_of(*written)), worn)


def aws_nested_modules() -> Case:
    """A group in one module, its rules in another, the id handed through variables."""
    made = resource(GROUP, "main", group(), module="module.uc.module.group", unknown=NEW_GROUP)
    rules = [
        resource(
            f"aws_vpc_security_group_{way}_rule",
            f"r{number}",
            rule_of_vpc(way, protocol, port, peer),
            module='module.uc.module.rules["all"]',
            unknown={"security_group_id": True},
        )
        for number, (way, protocol, port, peer) in enumerate(ASKED)
    ]
    inner = module_of(
        *(configured(each["type"], each["name"], security_group_id=["var.sg_id"]) for each in rules)
    )
    holding = module_of(
        configured(GROUP, "main", name="edge"), outputs={"id": ["aws_security_group.main.id"]}
    )
    outer = module_of(
        calls={
            "group": call("./group", holding),
            "rules": call("./rules", inner, sg_id=["module.group.id"]),
        }
    )
    document = plan([made, *rules], module_of(calls={"uc": call("./uc", outer)}))
    return Case(
        "nested-modules", "aws", document, both("module.uc.module.group.aws_security_group.main")
    )


def aws_own_local() -> Case:
    """A module of one's own: the local can only be the one group that the module sees."""
    at = "module.mine"
    made = resource(GROUP, "main", group(), module=at, unknown=NEW_GROUP)
    rules = [
        resource(
            RULE,
            "all",
            legacy(*each),
            module=at,
            index=number,
            unknown={"security_group_id": True},
        )
        for number, each in enumerate(ASKED)
    ]
    inside = module_of(
        configured(GROUP, "main", name="edge"),
        configured(RULE, "all", security_group_id=["local.id"]),
    )
    document = plan([made, *rules], module_of(calls={"mine": call("./mine", inside, name="x")}))
    return Case("own-local", "aws", document, both("module.mine.aws_security_group.main"))


def aws_told_local() -> Case:
    """The same with a second group in sight: the mapping file says what the local is."""
    case = aws_own_local()
    other = resource(GROUP, "other", group("o"), module="module.mine", unknown=NEW_GROUP)
    document = dict(case.document)
    child = document["planned_values"]["root_module"]["child_modules"][0]
    shown = {key: value for key, value in other.items() if key not in ("module", "unknown")}
    child["resources"].append(shown)
    calls = document["configuration"]["root_module"]["module_calls"]
    calls["mine"]["module"]["resources"].append(configured(GROUP, "other", name="o"))
    return Case(
        "told-local",
        "aws",
        document,
        case.worn,
        locals_={"id": ("aws_security_group.main",)},
    )


def aws_prefix_list() -> Case:
    """Administrators by a prefix list of the plan."""
    listed = resource(
        "aws_ec2_managed_prefix_list",
        "admins",
        {
            "name": "admins",
            "address_family": "IPv4",
            "max_entries": 2,
            "entry": [
                {"cidr": peer}
                for peer in sorted({each[3] for each in ASKED if each[0] == "ingress"})
            ],
        },
        unknown={"id": True},
    )
    groups = resource(GROUP, "edge", group(), unknown=NEW_GROUP)
    rules, written = [], [configured(GROUP, "edge", name="edge")]
    for number, (way, protocol, port, peer) in enumerate(ASKED):
        kind, name = f"aws_vpc_security_group_{way}_rule", f"r{number}"
        expressions = {"security_group_id": ["aws_security_group.edge.id"]}
        unknown = {"security_group_id": True}
        body = rule_of_vpc(way, protocol, port, peer)
        if way == "ingress":
            body["cidr_ipv4"] = None
            unknown["prefix_list_id"] = True
            expressions["prefix_list_id"] = ["aws_ec2_managed_prefix_list.admins.id"]
        rules.append(resource(kind, name, body, unknown=unknown))
        written.append(configured(kind, name, **expressions))
    document = plan([listed, groups, *rules], module_of(*written))
    return Case("prefix-list", "aws", document, both("aws_security_group.edge"))


def _state_groups(identity: str = "sg-0aaa") -> list[Json]:
    """A group after its apply: its rules are resources, and repeated in the group."""
    body = group(
        id=identity, arn=f"arn:aws:ec2:::{identity}", ingress=ways("ingress"), egress=ways("egress")
    )
    rules = [
        resource(
            RULE, f"r{number}", legacy(*each, security_group_id=identity, id=f"sgrule-{number}")
        )
        for number, each in enumerate(ASKED)
    ]
    return [resource(GROUP, "edge", body), *rules]


def aws_state() -> Case:
    """A state: ids are known, and rules stand twice."""
    return Case("state", "aws", state(_state_groups()), both("sg-0aaa"))


def aws_by_address() -> Case:
    """A state with the machines: cards are found by their addresses."""
    cards = [
        resource(
            "aws_instance",
            "core",
            {"id": "i-1", "private_ip": "10.0.10.11", "vpc_security_group_ids": ["sg-0aaa"]},
        ),
        resource(
            "aws_network_interface",
            "edge",
            {"id": "eni-1", "private_ips": ["10.0.1.11"], "security_groups": ["sg-0aaa"]},
        ),
    ]
    return Case("by-address", "aws", state([*_state_groups(), *cards]))


def aws_attachments() -> Case:
    """Groups that are attached to cards by resources of their own."""
    cards = [
        resource(
            "aws_network_interface",
            name,
            {"id": f"eni-{name}", "private_ips": [address], "security_groups": []},
        )
        for name, address in (("core", "10.0.10.11"), ("edge", "10.0.1.11"))
    ]
    attached = [
        resource(
            "aws_network_interface_sg_attachment",
            name,
            {"network_interface_id": f"eni-{name}", "security_group_id": "sg-0aaa"},
        )
        for name in ("core", "edge")
    ]
    return Case("attachments", "aws", state([*_state_groups(), *cards, *attached]))


def aws_names() -> Case:
    """Groups that are called as the interfaces are."""
    named = []
    for number, name in enumerate(("expressway-c", "tiny_expressway-e")):
        body = group(name, id=f"sg-0{number}", ingress=ways("ingress"), egress=ways("egress"))
        named.append(resource(GROUP, f"g{number}", body))
    return Case("names", "aws", state(named))


def aws_default_group() -> Case:
    """The default group of the VPC, taken over."""
    body = {"id": "sg-0d", "vpc_id": VPC, "ingress": ways("ingress"), "egress": ways("egress")}
    made = resource("aws_default_security_group", "this", body)
    return Case("default-group", "aws", state([made]), both("sg-0d"))


def _entries() -> dict[str, list[Json]]:
    """An ACL that lets what is asked for and its replies through."""
    asked = {
        "ingress": [("6", 22, 22, "10.9.0.0/24"), ("6", 443, 443, "10.9.0.0/24")],
        "egress": [("6", 53, 53, "10.0.10.2/32"), ("17", 53, 53, "10.0.10.2/32")],
    }
    asked["egress"] += [("17", 123, 123, "10.0.10.3/32"), ("6", 1024, 65535, "10.9.0.0/24")]
    asked["ingress"] += [
        ("6", 30000, 35999, "10.0.10.2/32"),
        ("17", 30000, 35999, "10.0.10.2/32"),
        ("17", 123, 123, "10.0.10.3/32"),
    ]
    return {
        way: [
            {
                "rule_no": 100 + number,
                "action": "allow",
                "protocol": protocol,
                "from_port": first,
                "to_port": last,
                "cidr_block": peer,
                "ipv6_cidr_block": "",
                "icmp_type": 0,
                "icmp_code": 0,
            }
            for number, (protocol, first, last, peer) in enumerate(listed)
        ]
        for way, listed in asked.items()
    }


def _subnets() -> list[Json]:
    return [
        resource("aws_subnet", name, {"id": f"subnet-{name}", "cidr_block": cidr, "vpc_id": VPC})
        for name, cidr in (("dmz", "10.0.1.0/24"), ("internal", "10.0.10.0/24"))
    ]


def aws_acl_inline() -> Case:
    """A network ACL with its entries inside, on subnets of the state; NTP and DNS of the tier
    `internal` stand in its own subnet and never meet it."""
    acl = resource(
        "aws_network_acl",
        "main",
        {
            "id": "acl-1",
            "vpc_id": VPC,
            "subnet_ids": ["subnet-dmz", "subnet-internal"],
            **_entries(),
        },
    )
    return Case("acl-inline", "aws", state([*_state_groups(), *_subnets(), acl]), both("sg-0aaa"))


def aws_acl_rules() -> Case:
    """An ACL with entries and subnets as resources of their own, all of them new."""
    acl = resource(
        "aws_network_acl", "main", {"vpc_id": VPC}, unknown={"id": True, "ingress": True}
    )
    subnets = [
        resource("aws_subnet", name, {"cidr_block": cidr}, unknown={"id": True})
        for name, cidr in (("dmz", "10.0.1.0/24"), ("internal", "10.0.10.0/24"))
    ]
    written = [configured("aws_network_acl", "main", vpc_id=VPC)]
    parts: list[Json] = []
    for subnet in subnets:
        written.append(configured("aws_subnet", subnet["name"], cidr_block="x"))
        written.append(
            configured(
                "aws_network_acl_association",
                subnet["name"],
                subnet_id=[f"aws_subnet.{subnet['name']}.id"],
                network_acl_id=["aws_network_acl.main.id"],
            )
        )
        unknown = {"subnet_id": True, "network_acl_id": True}
        parts.append(resource("aws_network_acl_association", subnet["name"], {}, unknown=unknown))
    for way, entries in _entries().items():
        for entry in entries:
            name = f"{way}_{entry['rule_no']}"
            body = {
                "rule_number": entry["rule_no"],
                "rule_action": entry["action"],
                "egress": way == "egress",
                "protocol": entry["protocol"],
                "from_port": entry["from_port"],
                "to_port": entry["to_port"],
                "cidr_block": entry["cidr_block"],
            }
            parts.append(
                resource("aws_network_acl_rule", name, body, unknown={"network_acl_id": True})
            )
            written.append(
                configured("aws_network_acl_rule", name, network_acl_id=["aws_network_acl.main.id"])
            )
    groups = aws_for_each()
    more = groups.document["configuration"]["root_module"]["resources"]
    made = [
        {**each, "module": "", "unknown": _unknown(groups.document, each["address"])}
        for each in groups.document["planned_values"]["root_module"]["resources"]
    ]
    document = plan([acl, *subnets, *parts, *made], module_of(*written, *more))
    return Case("acl-rules", "aws", document, groups.worn)


def _unknown(document: Json, address: str) -> Json:
    changes: list[Json] = document["resource_changes"]
    found: Json = next(c for c in changes if c["address"] == address)["change"]["after_unknown"]
    return found


# --- Azure ------------------------------------------------------------

_SOURCES: Final = {22: "1024-65535", 443: "1024-65535", 53: "30000-35999", 123: "123"}


def nsg_rules() -> Iterator[Json]:
    """What is asked for, and the deny rules that keep the default ones from opening the network."""
    for number, (way, protocol, port, peer) in enumerate(ASKED):
        inbound = way == "ingress"
        yield {
            "name": f"rule-{number}",
            "priority": 200 + number,
            "direction": "Inbound" if inbound else "Outbound",
            "access": "Allow",
            "protocol": protocol.title(),
            "source_port_range": _SOURCES.get(port, "1024-65535"),
            "source_port_ranges": None,
            "destination_port_range": str(port),
            "destination_port_ranges": None,
            "source_address_prefix": peer if inbound else "*",
            "source_address_prefixes": None,
            "destination_address_prefix": "*" if inbound else peer,
            "destination_address_prefixes": None,
            "description": "",
        }
    for direction in ("Inbound", "Outbound"):
        yield {
            "name": f"deny-{direction}",
            "priority": 4096,
            "direction": direction,
            "access": "Deny",
            "protocol": "*",
            "source_port_range": "*",
            "destination_port_range": "*",
            "source_address_prefix": "*",
            "destination_address_prefix": "*",
        }


def _nsg(name: str = "edge", **more: Any) -> Json:
    return {
        "name": name,
        "location": "westeurope",
        "resource_group_name": "uc",
        "tags": None,
        **more,
    }


def azure_avm() -> Case:
    """https://github.com/Azure/terraform-azurerm-avm-res-network-networksecuritygroup."""
    at = "module.nsg"
    made = resource(NSG, "this", _nsg(), module=at, unknown={"id": True, "security_rule": True})
    rules = [
        resource(
            NSG_RULE,
            "this",
            {**rule, "network_security_group_name": "edge", "resource_group_name": "uc"},
            module=at,
            index=rule["name"],
            unknown={"id": True},
        )
        for rule in nsg_rules()
    ]
    inside = module_of(
        configured(NSG, "this", name=["var.name"]),
        configured(
            NSG_RULE,
            "this",
            for_each=["var.security_rules"],
            network_security_group_name=["azurerm_network_security_group.this.name"],
        ),
    )
    source = "Azure/avm-res-network-networksecuritygroup/azurerm"
    document = plan([made, *rules], module_of(calls={"nsg": call(source, inside, name="edge")}))
    return Case("avm", "azure", document, both("module.nsg.azurerm_network_security_group.this"))


def azure_inline() -> Case:
    made = resource(NSG, "edge", _nsg(id=_AZURE_ID, security_rule=list(nsg_rules())))
    return Case("inline", "azure", state([made]), both("azurerm_network_security_group.edge"))


_AZURE: Final = "/subscriptions/0/resourceGroups/uc/providers/Microsoft.Network"
_AZURE_ID: Final = f"{_AZURE}/networkSecurityGroups/edge"


def _azure_state() -> list[Json]:
    """An NSG whose rules are resources, and repeated in it."""
    made = resource(NSG, "edge", _nsg(id=_AZURE_ID, security_rule=list(nsg_rules())))
    rules = [
        resource(
            NSG_RULE,
            f"r{number}",
            {**rule, "network_security_group_name": "edge", "resource_group_name": "uc"},
        )
        for number, rule in enumerate(nsg_rules())
    ]
    return [made, *rules]


def azure_state() -> Case:
    return Case("state", "azure", state(_azure_state()), both(_AZURE_ID))


def azure_subnets() -> Case:
    """NSGs on subnets, which are found by their address ranges."""
    parts = []
    for name, cidr in (("dmz", "10.0.1.0/24"), ("internal", "10.0.10.0/24")):
        at = f"{_AZURE}/virtualNetworks/uc-vnet/subnets/{name}"
        parts.append(
            resource("azurerm_subnet", name, {"id": at, "name": name, "address_prefixes": [cidr]})
        )
        body = {"subnet_id": at, "network_security_group_id": _AZURE_ID}
        kind = "azurerm_subnet_network_security_group_association"
        parts.append(resource(kind, name, body))
    return Case("subnets", "azure", state([*_azure_state(), *parts]))


def azure_cards() -> Case:
    """NSGs on cards, which are found by their addresses."""
    parts = []
    for name, address in (("core", "10.0.10.11"), ("edge", "10.0.1.11")):
        at = f"{_AZURE}/networkInterfaces/{name}"
        card = {"id": at, "name": name, "ip_configuration": [{"private_ip_address": address}]}
        parts.append(resource("azurerm_network_interface", name, card))
        body = {"network_interface_id": at, "network_security_group_id": _AZURE_ID}
        kind = "azurerm_network_interface_security_group_association"
        parts.append(resource(kind, name, body))
    return Case("cards", "azure", state([*_azure_state(), *parts]))


def azure_new_cards() -> Case:
    """The same before the first apply: every id is known only after it."""
    document = azure_avm().document
    planned = [
        {**each, "module": "module.nsg", "unknown": _unknown(document, each["address"])}
        for each in document["planned_values"]["root_module"]["child_modules"][0]["resources"]
    ]
    written: list[Json] = []
    for name, address in (("core", "10.0.10.11"), ("edge", "10.0.1.11")):
        card = {"name": name, "ip_configuration": [{"private_ip_address": address}]}
        planned.append(resource("azurerm_network_interface", name, card, unknown={"id": True}))
        written.append(configured("azurerm_network_interface", name, name=name))
        kind = "azurerm_network_interface_security_group_association"
        unknown = {"network_interface_id": True, "network_security_group_id": True}
        planned.append(resource(kind, name, {}, unknown=unknown))
        written.append(
            configured(
                kind,
                name,
                network_interface_id=[f"azurerm_network_interface.{name}.id"],
                network_security_group_id=["module.nsg.resource_id"],
            )
        )
    calls = document["configuration"]["root_module"]["module_calls"]
    inside = calls["nsg"]["module"]
    inside["outputs"] = module_of(
        outputs={"resource_id": ["azurerm_network_security_group.this.id"]}
    )["outputs"]
    return Case("new-cards", "azure", plan(planned, module_of(*written, calls=calls)))


def azure_groups() -> Case:
    """Rules for an application security group in place of addresses."""
    asg = f"{_AZURE}/applicationSecurityGroups/uc"
    rules = []
    for rule in nsg_rules():
        if rule["access"] == "Allow":
            end = "destination" if rule["direction"] == "Inbound" else "source"
            rule = {
                **rule,
                f"{end}_address_prefix": None,
                f"{end}_application_security_group_ids": [asg],
            }
        rules.append(rule)
    made = [
        resource(NSG, "edge", _nsg(id=_AZURE_ID, security_rule=rules)),
        resource(
            "azurerm_application_security_group",
            "uc",
            {"id": asg, "name": "uc", "location": "westeurope", "resource_group_name": "uc"},
        ),
    ]
    return Case("groups", "azure", state(made), both("azurerm_network_security_group.edge", asg))


# --- Google Cloud ------------------------------------------------------------


def firewall_rules() -> Iterator[tuple[str, Json]]:
    """What is asked for, and the refusal of what else would leave."""
    for number, (way, protocol, port, peer) in enumerate(ASKED):
        key = "source_ranges" if way == "ingress" else "destination_ranges"
        yield (
            f"rule-{number}",
            {
                "name": f"rule-{number}",
                "network": "uc",
                "direction": way.upper(),
                "priority": 1000,
                key: [peer],
                "target_tags": ["uc"],
                "allow": [{"protocol": protocol, "ports": [str(port)]}],
                "deny": [],
                "disabled": False,
                "description": None,
                "log_config": [],
            },
        )
    for version, everywhere in (("4", "0.0.0.0/0"), ("6", "::/0")):
        yield (
            f"deny-{version}",
            {
                "name": f"deny-{version}",
                "network": "uc",
                "direction": "EGRESS",
                "priority": 65000,
                "destination_ranges": [everywhere],
                "target_tags": ["uc"],
                "allow": [],
                "deny": [{"protocol": "all", "ports": []}],
                "disabled": False,
            },
        )


def gcp_factory() -> Case:
    """https://github.com/GoogleCloudPlatform/cloud-foundation-fabric, modules/net-vpc-firewall."""
    at = "module.firewall"
    made = [
        resource(FIREWALL, "custom-rules", body, module=at, index=name, unknown={"id": True})
        for name, body in firewall_rules()
    ]
    inside = module_of(
        configured(FIREWALL, "custom-rules", for_each=["local.rules"], network=["var.network"])
    )
    calls = {"firewall": call("github.com/x//modules/net-vpc-firewall", inside, network="uc")}
    return Case("factory", "gcp", plan(made, module_of(calls=calls)), both("uc"))


def gcp_new_network() -> Case:
    """The network is made in the same plan, and named by what is known after the apply only."""
    at = "module.firewall"
    network = resource(
        "google_compute_network", "vpc", {"name": "uc"}, unknown={"id": True, "self_link": True}
    )
    made = []
    for name, body in firewall_rules():
        rest = {key: value for key, value in body.items() if key != "network"}
        unknown = {"network": True, "id": True}
        made.append(
            resource(FIREWALL, "custom-rules", rest, module=at, index=name, unknown=unknown)
        )
    inside = module_of(
        configured(FIREWALL, "custom-rules", for_each=["local.rules"], network=["var.network"])
    )
    link = ["google_compute_network.vpc.self_link"]
    calls = {"firewall": call("github.com/x//modules/net-vpc-firewall", inside, network=link)}
    written = module_of(configured("google_compute_network", "vpc", name="uc"), calls=calls)
    return Case("new-network", "gcp", plan([network, *made], written), both("uc"))


def gcp_machines() -> Case:
    """A state with machines, which are found by their addresses."""
    machines = [
        resource(
            "google_compute_instance",
            name,
            {
                "id": name,
                "name": name,
                "tags": ["uc"],
                "network_interface": [{"network_ip": address, "network": "uc"}],
            },
        )
        for name, address in (("core", "10.0.10.11"), ("edge", "10.0.1.11"))
    ]
    rules = [resource(FIREWALL, name, body) for name, body in firewall_rules()]
    return Case("machines", "gcp", state([*rules, *machines]))


def gcp_accounts() -> Case:
    """Rules for a service account in place of a tag."""
    account = "uc@uc-edge-test.iam.gserviceaccount.com"
    rules = [
        resource(
            FIREWALL, name, {**body, "target_tags": None, "target_service_accounts": [account]}
        )
        for name, body in firewall_rules()
    ]
    return Case("accounts", "gcp", state(rules), both(account))


def gcp_every_machine() -> Case:
    """Rules without targets, for every machine of the network."""
    rules = [
        resource(FIREWALL, name, {**body, "target_tags": None}) for name, body in firewall_rules()
    ]
    return Case("every-machine", "gcp", state(rules), both("uc"))


def gcp_policy() -> Case:
    """A global network firewall policy with its rules inside."""
    rules = []
    for number, (_, body) in enumerate(firewall_rules()):
        inbound = body["direction"] == "INGRESS"
        key, end = ("source_ranges", "src") if inbound else ("destination_ranges", "dest")
        layers = body["allow"] or body["deny"]
        rules.append(
            {
                "action": "allow" if body["allow"] else "deny",
                "direction": body["direction"],
                "priority": 100 + number,
                "match": [
                    {
                        f"{end}_ip_ranges": body[key],
                        "layer4_config": [
                            {"ip_protocol": layer["protocol"], "ports": layer["ports"]}
                            for layer in layers
                        ],
                    }
                ],
            }
        )
    policy = "google_compute_network_firewall_policy_with_rules"
    made = [
        resource(policy, "uc", {"name": "uc-policy", "rule": rules}),
        resource(
            "google_compute_network_firewall_policy_association",
            "uc",
            {
                "name": "uc",
                "firewall_policy": "uc-policy",
                "attachment_target": "projects/uc-edge-test/global/networks/uc",
            },
        ),
    ]
    return Case("policy", "gcp", state(made), both("uc"))


RIGHT: Final[tuple[Callable[[], Case], ...]] = (
    aws_inline,
    aws_module_v5,
    aws_cloudposse,
    aws_for_each,
    aws_nested_modules,
    aws_own_local,
    aws_told_local,
    aws_prefix_list,
    aws_state,
    aws_by_address,
    aws_attachments,
    aws_names,
    aws_default_group,
    aws_acl_inline,
    aws_acl_rules,
    azure_avm,
    azure_inline,
    azure_state,
    azure_subnets,
    azure_cards,
    azure_new_cards,
    azure_groups,
    gcp_factory,
    gcp_new_network,
    gcp_machines,
    gcp_accounts,
    gcp_every_machine,
    gcp_policy,
)
