"""What a plan does not tell is a finding, and the rest of it is judged."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from flowbridge.providers.meaning.foreign import BadMappingError, Wearing
from flowbridge.stacks.judging import Judged, judge_plan
from tests.stacks.judging import estates
from tests.stacks.judging.estates import Case
from tests.stacks.judging.shown_json import Json, configured, module_of, plan, resource, state
from tests.stacks.judging.sites import built


def judged(case: Case) -> Judged:
    return judge_plan(built(case.cloud), case.document, case.wearing)


def said(case: Case) -> str:
    found = judged(case)
    assert not found.holds
    return "\n".join(map(str, found.untold))


def changed(case: Case, change: Callable[[Json], None]) -> Case:
    document = copy.deepcopy(case.document)
    change(document)
    return replace(case, document=document)


def resources(document: Json) -> Iterator[Json]:
    def of(module: Json) -> Iterator[Json]:
        yield from module["resources"]
        for child in module["child_modules"]:
            yield from of(child)

    values = document.get("planned_values") or document["values"]
    return of(values["root_module"])


def also(case: Case, *more: Json) -> Case:
    def add(document: Json) -> None:
        values = document.get("planned_values") or document["values"]
        values["root_module"]["resources"] += [
            {key: value for key, value in each.items() if key not in ("module", "unknown")}
            for each in more
        ]

    return changed(case, add)


def test_a_local_that_nobody_tells_is_no_group() -> None:
    case = estates.aws_told_local()
    text = said(replace(case, locals_={}))
    assert "module.mine.aws_security_group_rule.all[0]" in text
    assert "local.id" in text
    assert "mapping file (`locals`)" in text


def test_a_module_from_elsewhere_may_mean_anything_by_its_local() -> None:
    case = estates.aws_module_v5()

    def elsewhere(document: Json) -> None:
        [call] = document["configuration"]["root_module"]["module_calls"].values()
        call["source"] = "git::https://example.com/other.git"
        call["expressions"]["vpc_id"] = {"references": ["aws_vpc.main.id", "aws_vpc.main"]}

    # Still one group in sight, and a VPC that a first reading of the plan does not have.
    assert judged(changed(case, elsewhere)).holds

    def also_a_group(document: Json) -> None:
        elsewhere(document)
        [call] = document["configuration"]["root_module"]["module_calls"].values()
        call["expressions"]["other"] = {"references": ["aws_security_group.x.id"]}

    other = resource("aws_security_group", "x", {"name": "x"}, unknown={"id": True})
    assert "local.this_sg_id" in said(also(changed(case, also_a_group), other))


def test_a_rule_without_configuration_belongs_to_nobody_known() -> None:
    case = estates.aws_for_each()

    def forget(document: Json) -> None:
        document["configuration"]["root_module"]["resources"] = []

    assert "security_group_id" in said(changed(case, forget))
    assert judged(changed(case, forget)).missing


def test_two_groups_that_a_reference_can_mean_are_two() -> None:
    case = estates.aws_for_each()

    def by_value(document: Json) -> None:
        for body in document["configuration"]["root_module"]["resources"]:
            if "security_group_id" in body["expressions"]:
                references = ["aws_security_group.each", "each.value"]
                body["expressions"]["security_group_id"] = {"references": references}

    text = said(changed(case, by_value))
    assert 'aws_security_group.each["c"].id, aws_security_group.each["e"].id' in text


def test_an_index_of_its_own_beside_one_that_moves_tells_nothing() -> None:
    case = estates.aws_for_each()

    def conditional(document: Json) -> None:
        for body in document["configuration"]["root_module"]["resources"]:
            if "security_group_id" in body["expressions"]:
                body["expressions"]["security_group_id"] = {
                    "references": [
                        'aws_security_group.each["c"].id',
                        'aws_security_group.each["c"]',
                        "aws_security_group.each",
                        "each.value",
                    ]
                }

    assert "security_group_id" in said(changed(case, conditional))


def test_an_unordered_list_of_new_groups_may_hold_more() -> None:
    card = resource(
        "aws_network_interface",
        "edge",
        {"private_ips": ["10.0.1.11"]},
        unknown={"id": True, "security_groups": True},
    )
    core = resource(
        "aws_instance",
        "core",
        {"private_ip": "10.0.10.11"},
        unknown={"id": True, "vpc_security_group_ids": True},
    )
    groups = estates.aws_inline()
    made = [
        resource("aws_security_group", "edge", each["values"], unknown={"id": True})
        for each in resources(groups.document)
    ]
    reference = ["aws_security_group.edge.id"]
    written = module_of(
        configured("aws_security_group", "edge", name="edge"),
        configured("aws_network_interface", "edge", security_groups=reference),
        configured("aws_instance", "core", vpc_security_group_ids=reference),
    )
    document = plan([*made, card, core], written)
    text = said(Case("cards", "aws", document))
    assert "aws_network_interface.edge" in text
    assert "written out beside groups" in text
    found = judge_plan(built("aws"), document, Wearing())
    assert not found.opened  # what the groups open is judged all the same
    assert not found.missing
    told = Wearing(
        {
            "expressway-c/single": ("aws_instance.core", "aws_security_group.edge"),
            "expressway-e/single": ("aws_network_interface.edge", "aws_security_group.edge"),
        }
    )
    assert judge_plan(built("aws"), document, told).holds


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"cidr_ipv4": None, "prefix_list_id": "pl-6da54004"}, "pl-6da54004"),
        ({"cidr_ipv4": None, "referenced_security_group_id": "sg-0elsewhere"}, "sg-0elsewhere"),
        ({"cidr_ipv4": "not-a-cidr"}, "not-a-cidr"),
        ({"ip_protocol": "quic"}, "quic"),
        ({"from_port": None}, "from_port"),
        ({"until_when": "later"}, "until_when"),
    ],
)
def test_a_rule_of_our_group_that_says_what_cannot_be_told(
    values: dict[str, Any], text: str
) -> None:
    case = estates.aws_state()
    body = estates.rule_of_vpc("ingress", "tcp", 22, "10.9.0.0/24", **values)
    odd = resource(
        "aws_vpc_security_group_ingress_rule", "odd", {**body, "security_group_id": "sg-0aaa"}
    )
    assert text in said(also(case, odd))
    assert "aws_vpc_security_group_ingress_rule.odd" in said(also(case, odd))


def test_what_cannot_be_told_of_groups_of_others_is_nobodys_business() -> None:
    body = estates.rule_of_vpc("ingress", "quic", 22, "10.9.0.0/24", security_group_id="sg-0b")
    odd = resource("aws_vpc_security_group_ingress_rule", "odd", body)
    other = resource("aws_security_group", "other", estates.group("other", id="sg-0b"))
    assert judged(also(estates.aws_state(), other, odd)).holds


def test_a_group_that_is_not_in_the_plan_has_rules_that_nobody_sees() -> None:
    case = estates.aws_state()
    worn = dict.fromkeys(case.worn, ("sg-0aaa", "sg-0elsewhere"))
    assert "sg-0elsewhere" in said(replace(case, worn=worn))


def test_a_group_as_peer_whose_members_no_plan_tells() -> None:
    case = estates.aws_state()
    other = resource("aws_security_group", "lb", estates.group("lb", id="sg-0lb"))
    rule = estates.legacy("ingress", "tcp", 22, "", security_group_id="sg-0aaa")
    rule |= {"cidr_blocks": [], "source_security_group_id": "sg-0lb"}
    asks = resource("aws_security_group_rule", "lb", rule)
    assert "which nothing in this plan wears" in said(also(case, other, asks))
    balancer = resource("aws_lb", "lb", {"id": "lb", "security_groups": ["sg-0lb"]})
    assert "aws_lb.lb" in said(also(case, other, asks, balancer))


def test_interfaces_that_nothing_tells_of() -> None:
    case = estates.aws_state()
    text = said(replace(case, worn={}))
    assert "expressway-c/single: what it wears is not known: say it in a mapping file" in text
    one = {"expressway-c/single": ("sg-0aaa",)}
    found = judged(replace(case, worn=one))
    assert not found.holds
    assert not found.missing
    assert {each.point.interface for each in found.open} == {"expressway-c/single"}


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (estates.aws_state, "aws_networkfirewall_firewall"),
        (estates.azure_state, "azurerm_network_manager_admin_rule"),
        (estates.gcp_machines, "google_compute_firewall_policy_rule"),
    ],
)
def test_filters_above_the_rules_are_not_judged(make: Callable[[], Case], kind: str) -> None:
    assert f"{kind}.above" in said(also(make(), resource(kind, "above", {"id": "x"})))


def test_an_nsg_of_azure_that_is_before_nobody() -> None:
    case = estates.azure_cards()

    def let_go(document: Json) -> None:
        root = document["values"]["root_module"]
        kind = "azurerm_network_interface_security_group_association"
        root["resources"] = [each for each in root["resources"] if each["type"] != kind]

    assert "no NSG of this plan stands before it" in said(changed(case, let_go))


def test_service_tags_and_groups_of_azure() -> None:
    case = estates.azure_state()
    rule = {
        **next(estates.nsg_rules()),
        "name": "tag",
        "priority": 150,
        "source_address_prefix": "Storage",
        "network_security_group_name": "edge",
        "resource_group_name": "uc",
    }
    assert "Storage" in said(also(case, resource("azurerm_network_security_rule", "tag", rule)))


def test_two_nsgs_of_one_name_are_told_apart_by_their_resource_groups() -> None:
    case = estates.azure_avm()
    other = resource(
        "azurerm_network_security_group",
        "other",
        {"name": "edge", "resource_group_name": "lab", "location": "westeurope"},
    )
    assert judged(also(case, other)).holds


def test_a_tag_of_others_as_source_of_a_rule_for_us() -> None:
    case = estates.gcp_factory()
    body = {
        "name": "odd",
        "network": "uc",
        "direction": "INGRESS",
        "source_tags": ["jump-host"],
        "target_tags": ["uc"],
        "allow": [{"protocol": "tcp", "ports": ["22"]}],
    }
    assert "jump-host" in said(also(case, resource("google_compute_firewall", "odd", body)))
    theirs = resource("google_compute_firewall", "odd", {**body, "target_tags": ["theirs"]})
    assert judged(also(case, theirs)).holds


def test_plans_that_are_not_whole() -> None:
    case = estates.aws_for_each()

    def errored(document: Json) -> None:
        document["errored"] = True

    assert "ended in an error" in said(changed(case, errored))

    def forgotten(document: Json) -> None:
        document["resource_changes"][0]["change"]["actions"] = ["forget"]

    assert "Terraform forgets it" in said(changed(case, forgotten))


def test_modules_of_terraform_json_are_not_in_it() -> None:
    document = {"module": {"edge": {"source": "./edge"}}, "resource": {}}
    found = judge_plan(built("aws"), document, Wearing())
    assert any("module.edge" in str(each) for each in found.untold)


def test_for_each_in_terraform_json_is_not_counted_out() -> None:
    body = estates.group(ingress=estates.ways("ingress"), for_each={"a": 1})
    document = {"resource": {"aws_security_group": {"edge": body}}}
    found = judge_plan(
        built("aws"), document, Wearing({"expressway-c/single": ("aws_security_group.edge",)})
    )
    assert any("for_each" in str(each) for each in found.untold)


def test_names_that_are_not_in_the_plan_or_are_there_twice() -> None:
    case = estates.aws_state()
    worn = Wearing({"expressway-c/single": ("aws_security_group.egde",)})
    with pytest.raises(BadMappingError, match=r"did you mean aws_security_group\.edge"):
        judge_plan(built("aws"), case.document, worn)
    twice = also(case, resource("aws_security_group", "x", estates.group("edge", id="sg-0x")))
    with pytest.raises(BadMappingError, match="write one of these"):
        judge_plan(built("aws"), twice.document, Wearing({"expressway-c/single": ("edge",)}))


def test_what_is_no_output_of_terraform() -> None:
    with pytest.raises(ValueError, match="neither what"):
        judge_plan(built("aws"), {"hello": 1}, Wearing())
    with pytest.raises(ValueError, match="format_version"):
        judge_plan(built("aws"), {**state([]), "format_version": "9.0"}, Wearing())


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("values", "root_module", "resources", 0, "address"), []),
        (("values", "root_module", "resources", 0, "values", "ingress", 0), [[1]]),
        (("values", "root_module", "resources", 1, "values", "cidr_blocks"), True),
        (("values", "root_module", "resources", 1, "type"), 3),
        (("values", "root_module", "child_modules"), {"a": 1}),
    ],
)
def test_a_file_that_was_cut_or_edited(place: tuple[str | int, ...], value: object) -> None:
    case = estates.aws_state()

    def spoil(document: Json) -> None:
        here: Any = document
        for key in place[:-1]:
            here = here[key]
        here[place[-1]] = value

    spoilt = changed(case, spoil)
    with pytest.raises(ValueError, match="does not write"):
        judged(spoilt)
