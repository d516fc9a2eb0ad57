"""Which live thing is which planned one: groups and NSGs by name, rules by name and content.

A name cannot be changed and is unique in its resource group, so it identifies what lost its tags.
The name of a rule of ours is made from what it is for; what it matches is compared by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowbridge.providers.azure.emit.terraform import ASSOCIATION, GROUP, MEMBERSHIP, NSG
from flowbridge.providers.azure.live.answers import Answers, Part, properties, same
from flowbridge.providers.azure.live.as_terraform import rule_body, rules_of, terraform_id
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.attached import attached_places
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.providers.terraform.blocks import (
    Block,
    Reference,
    is_expression,
    network,
    resources,
)

MARK: Final = "flowbridge:"

# What decides what a rule matches, comparable between plan and cloud; its priority left out.
Content = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Live rows by planned address; `rules` are planned names by live rule id.

    `named` are planned names by live rule id, where only the name is the planned one's.
    """

    nsgs: Mapping[str, Row]
    groups: Mapping[str, Row]
    rules: Mapping[str, str]
    named: Mapping[str, str]
    tags: Mapping[str, Mapping[str, str]]  # the planned tags, by live id in lower case

    @property
    def managed(self) -> bool:
        """Whether anything of ours exists."""
        return bool(self.nsgs or self.groups)

    def planned(self, live: str) -> str | None:
        """The planned address of a live group or NSG."""
        for address, row in (*self.nsgs.items(), *self.groups.items()):
            if same(row["id"], live):
                return address
        return None


def identify(answers: Answers, planned: Mapping[str, Any]) -> Identity:
    """Needs the NSGs; application security groups where they were read."""
    nsgs = _by_name(answers.rows(Part.NSGS), resources(planned, NSG), answers)
    wanted = resources(planned, GROUP)
    groups = _by_name(answers.parts.get(Part.GROUPS, ()), wanted, answers)
    rules: dict[str, str] = {}
    named: dict[str, str] = {}
    for address, block in resources(planned, NSG).items():
        if address not in nsgs:
            continue
        theirs = _planned_group(groups)
        own = {
            rule.address: rule_content(rule.attributes, theirs)
            for rule in block.blocks("security_rule")
        }
        known = {content: rule for rule, content in own.items()}
        names = {rule.text("name"): rule.address for rule in block.blocks("security_rule")}
        for row in rules_of(nsgs[address]):
            live = rule_id(nsgs[address], row)
            content = _live_content(row)
            name = names.get(row.get("name"))
            if name is not None:
                named[live] = name
            if name is not None and own[name] == content:
                rules[live] = name
            elif content is not None and content in known:
                rules[live] = known[content]
    blocks = {**resources(planned, NSG), **wanted}
    tags = {
        row["id"].lower(): marks(blocks[address].get("tags"))
        for address, row in (nsgs | groups).items()
    }
    return Identity(nsgs, groups, rules, named, tags)


def _live_content(row: Row) -> Content | None:
    """What a live rule matches; None for one without a meaning, which is no planned one."""
    try:
        return rule_content(rule_body(row), _live_group(row))
    except ODD_SHAPE:
        return None


def rule_id(nsg: Row, rule: Row) -> str:
    """How a live rule is called: its NSG's name and its own."""
    return f"{nsg['name']}/{rule.get('name')}"


def marks(tags: Mapping[str, str] | None) -> dict[str, str]:
    """The tags that are Flowbridge's own."""
    return {key: value for key, value in (tags or {}).items() if key.startswith(MARK)}


def rule_content(body: Mapping[str, Any], group: Callable[[str], str]) -> Content:
    """What a rule matches, and whether it allows. `group` gives a reference's live id."""
    block = Block("rule", body)
    return (
        *((block.text(key) or "").lower() for key in ("direction", "access", "protocol")),
        *(_ports(block, end) for end in ("source", "destination")),
        *(_addresses(block, end, group) for end in ("source", "destination")),
    )


def planned_subnets(planned: Mapping[str, Any], answers: Answers) -> dict[str, tuple[str, ...]]:
    """The ids of the subnets that each planned NSG is for, by its address."""
    holder = "network_security_group_id"
    return attached_places(
        planned, ASSOCIATION, holder, "subnet_id", lambda subnet: in_subscription(subnet, answers)
    )


def planned_members(planned: Mapping[str, Any], answers: Answers) -> dict[str, tuple[str, str]]:
    """The id of the card and the planned address of the group of each planned membership."""
    found: dict[str, tuple[str, str]] = {}
    for address, block in resources(planned, MEMBERSHIP).items():
        reference = Reference.parse(block.get("application_security_group_id"))
        card = block.text("network_interface_id")
        if reference is not None and card is not None:
            found[address] = (in_subscription(card, answers), reference.address)
    return found


def in_subscription(text: str, answers: Answers) -> str:
    """An id whose subscription Terraform would ask its credentials."""
    if not is_expression(text):
        return text
    _, _, rest = text.partition("/resourceGroups/")
    return f"/subscriptions/{answers.place.subscription}/resourceGroups/{rest}"


def _by_name(
    rows: tuple[Row, ...], wanted: Mapping[str, Block], answers: Answers
) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for address, block in wanted.items():
        group = block.text("resource_group_name") or answers.place.resource_group
        for row in rows:
            here = _resource_group(str(row["id"]))
            if same(row.get("name"), block.text("name")) and same(here, group):
                found[address] = row
    return found


def _resource_group(resource: str) -> str:
    parts = resource.split("/")
    return parts[4] if len(parts) > 4 else ""


def _planned_group(groups: Mapping[str, Row]) -> Callable[[str], str]:
    def live(text: str) -> str:
        reference = Reference.parse(text)
        row = groups.get(reference.address) if reference else None
        return str(row["id"]).lower() if row else text

    return live


def _live_group(rule: Row) -> Callable[[str], str]:
    ids = {
        terraform_id(str(group["id"])): str(group["id"]).lower()
        for end in ("source", "destination")
        for group in properties(rule).get(f"{end}ApplicationSecurityGroups") or ()
    }

    def live(text: str) -> str:
        reference = Reference.parse(text)
        return ids.get(reference.name, text) if reference else text

    return live


def _ports(block: Block, end: str) -> frozenset[str]:
    texts = (*block.texts(f"{end}_port_range"), *block.texts(f"{end}_port_ranges"))
    return frozenset(texts) if "*" not in texts else frozenset({"*"})


def _addresses(block: Block, end: str, group: Callable[[str], str]) -> frozenset[str]:
    texts = (
        *block.texts(f"{end}_address_prefix"),
        *block.texts(f"{end}_address_prefixes"),
    )
    groups = block.texts(f"{end}_application_security_group_ids")
    return frozenset((*map(_prefix, texts), *(group(text) for text in groups)))


def _prefix(text: str) -> str:
    if text[:1].isdigit() or ":" in text:
        return str(network(text, Block("rule", {})))
    return "*" if text.lower() == "any" else text.lower()
