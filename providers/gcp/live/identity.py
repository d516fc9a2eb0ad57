"""Which live rule is which planned one: by name (or, in a policy, priority), and by content.

The name of a VPC firewall rule cannot be changed and is unique in its project, so it identifies a
rule whose description was changed. What it matches is compared by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.deployment.file.site import Site
from flowbridge.providers.gcp.emit.network_policy import ASSOCIATION, POLICY
from flowbridge.providers.gcp.emit.vpc_rules import FIREWALL
from flowbridge.providers.gcp.live.answers import Answers, Part, network_parts
from flowbridge.providers.gcp.live.as_terraform import (
    firewall_body,
    firewalls,
    policies,
    policy_name,
    policy_rule_body,
    policy_rule_id,
)
from flowbridge.providers.gcp.markers import Marker
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.attached import attached_places
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.providers.terraform.blocks import Block, network, resources

Content = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """`rules` are planned names by live rule id; `named` those that only have the planned name.

    `firewalls` and `policies` are live rows by planned address. `ours` are live rules that their
    name or their text says are this site's.
    """

    rules: Mapping[str, str]
    named: Mapping[str, str]
    ours: frozenset[str]
    firewalls: Mapping[str, Row]
    policies: Mapping[str, Row]

    @property
    def managed(self) -> bool:
        """Whether anything of ours exists."""
        return bool(self.ours or self.policies)


def identify(answers: Answers, site: Site, planned: Mapping[str, Any]) -> Identity:
    """Needs the firewall rules; policies where they were read."""
    wanted = resources(planned, FIREWALL)
    home = answers.place.project
    names = {(block.text("project") or home, block.text("name")): a for a, block in wanted.items()}
    own = {a: rule_content(block.attributes, home) for a, block in wanted.items()}
    contents = {content: address for address, content in own.items()}
    rules: dict[str, str] = {}
    named: dict[str, str] = {}
    ours: set[str] = set()
    found: dict[str, Row] = {}
    for row in firewalls(answers):
        live = str(row["name"])
        address = names.get((row["project"], live))
        content = _live_content(row)
        if address is not None:
            named[live] = address
            found[address] = row
        if address is not None and own[address] == content:
            rules[live] = address
        elif content is not None and content in contents:
            rules[live] = contents[content]
        marker = Marker.parse(row.get("description"))
        if address is not None or (marker is not None and marker.site == site.name):
            ours.add(live)
    holders = _policies(answers, planned, rules, named, ours)
    return Identity(rules, named, frozenset(ours), found, holders)


def _live_content(row: Row) -> Content | None:
    """What a live rule matches; None for one without a meaning, which is no planned one."""
    try:
        return rule_content(firewall_body(row), row["project"])
    except ODD_SHAPE:
        return None


def rule_content(body: Mapping[str, Any], project: str) -> Content:
    """What a VPC firewall rule matches, for whom, and whether it allows; its priority left out."""
    block = Block("rule", body)
    lists = ("source_tags", "target_tags", "source_service_accounts", "target_service_accounts")
    return (
        network_parts(block.text("network") or "", project),
        (block.text("direction") or "INGRESS").upper(),
        block.flag("disabled"),
        *(_ranges(block, key) for key in ("source_ranges", "destination_ranges")),
        *(frozenset(block.texts(key)) for key in lists),
        *(_layers(block.blocks(key), "protocol") for key in ("allow", "deny")),
    )


def policy_content(body: Mapping[str, Any]) -> Content:
    """What a rule of a policy matches; its priority and its secure tags left out, which have
    other names in the plan than in the cloud."""
    block = Block("rule", body)
    [match] = block.blocks("match")
    layers = (*match.blocks("layer4_configs"), *match.blocks("layer4_config"))
    return (
        block.text("action"),
        (block.text("direction") or "").upper(),
        block.flag("disabled"),
        *(_ranges(match, f"{end}_ip_ranges") for end in ("src", "dest")),
        *(frozenset(match.texts(f"{end}_fqdns")) for end in ("src", "dest")),
        frozenset(block.texts("target_service_accounts")),
        _layers(layers, "ip_protocol"),
    )


def _live_policy_content(rule: Row, network: tuple[str, str]) -> Content | None:
    try:
        body, doubt = policy_rule_body(rule, network)
        return None if body is None or doubt else policy_content(body)
    except ODD_SHAPE:
        return None


def _ranges(block: Block, key: str) -> frozenset[str]:
    return frozenset(
        text if "${" in text else str(network(text, block)) for text in block.texts(key)
    )


def _layers(blocks: tuple[Block, ...], key: str) -> frozenset[tuple[str, frozenset[str]]]:
    return frozenset(((b.text(key) or "").lower(), frozenset(b.texts("ports"))) for b in blocks)


def planned_policies(planned: Mapping[str, Any], project: str) -> dict[str, tuple[str, str]]:
    """The network (project and name) that each planned policy is for, by its address."""
    places = attached_places(planned, ASSOCIATION, "firewall_policy", "attachment_target")
    return {address: network_parts(where[-1], project) for address, where in places.items()}


def other_associations(answers: Answers, planned: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Networks that are associated already, under another name or with another policy: the API
    refuses a second association, and the provider would replace the first."""
    home = answers.place.project
    for address, block in resources(planned, ASSOCIATION).items():
        mine = network_parts(block.text("attachment_target") or "", home)
        for row in answers.parts.get(Part.POLICIES, ()):
            for each in row.get("associations") or ():
                there = network_parts(str(each.get("attachmentTarget")), home)
                if there == mine and each.get("name") != block.text("name"):
                    why = f"network {mine[1]} has the policy {row['name']} as {each.get('name')}"
                    yield address, f"{why}: take it off before the apply"


def _policies(
    answers: Answers,
    planned: Mapping[str, Any],
    rules: dict[str, str],
    named: dict[str, str],
    ours: set[str],
) -> dict[str, Row]:
    """The policies of ours that are in force, with what each of their rules is."""
    found: dict[str, Row] = {}
    for address, block in resources(planned, POLICY).items():
        for row in policies(answers):
            if policy_name(row) != block.text("name") or address in found:
                continue
            found[address] = row
            wanted = {b.required_number("priority"): b for b in block.blocks("rule")}
            contents = {policy_content(b.attributes): b.address for b in wanted.values()}
            for rule in row.get("rules") or ():
                live = policy_rule_id(row, rule)
                own = wanted.get(int(rule.get("priority", 0)))
                if own is not None:
                    named[live] = own.address
                if own is not None or Marker.parse(rule.get("description")) is not None:
                    ours.add(live)
                content = _live_policy_content(rule, row["network"])
                if content is not None and content in contents:
                    # Several interfaces may have rules that differ in their secure tag alone.
                    same = own is not None and policy_content(own.attributes) == content
                    rules[live] = own.address if same and own else contents[content]
    return found
