"""Import blocks for what exists already, and what an apply would then do.

Only what Terraform can keep is imported. A group's name and description, the entries of a network
ACL and the kind of a rule's peer cannot be changed in place: Terraform would replace the thing,
and that means destroy it. Such things are told as conflicts or left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.compiled import Policy
from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.terraform import (
    ACL_ENTRY,
    ASSOCIATION,
    ATTACHMENT,
    EXCLUSIVE,
    GATE,
    GROUP,
    NETWORK_ACL,
    PREFIX_LIST,
    RULE,
)
from flowbridge.providers.aws.live.acl_identity import planned_entries
from flowbridge.providers.aws.live.answers import Answers, Part, marks, tags_of
from flowbridge.providers.aws.live.as_terraform import acl_entries, entry_name, groups_of
from flowbridge.providers.aws.live.faults import garbled
from flowbridge.providers.aws.live.rules import entry_text, rule_text
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access, Adoption, Import
from flowbridge.providers.live.unjudged import adoption_or_unread
from flowbridge.providers.terraform.blocks import Block, Reference, resources

_PEERS: Final = {
    "CidrIpv4": "cidr_ipv4",
    "CidrIpv6": "cidr_ipv6",
    "PrefixListId": "prefix_list_id",
    "ReferencedGroupInfo": "referenced_security_group_id",
}
# What AWS knows nothing of: an order of changes, and the list of rules that may stay in a group.
_STATE_ONLY: Final = (GATE, EXCLUSIVE)


def adoption(answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any]) -> Adoption:
    """See `LiveReader.adoption`. Where groups were not read nothing is imported."""
    if not answers.has(Part.GROUPS, Part.RULES, Part.ACLS, Part.CARDS, Part.SUBNETS):
        return Adoption(imports=(), creates=(), changes=(), left=(), unread=answers.judged_unread)
    return adoption_or_unread(
        answers.scope,
        lambda: _adoption(Situation.of(answers, policy, site, planned, Access())),
        garbled,
        answers.judged_unread,
    )


def _adoption(here: Situation) -> Adoption:
    planned = here.planned
    found = _Adopting(here)
    found.adopt()
    known = {each.to for each in found.imports} | {address for address, _ in found.conflicts}
    creates = tuple(
        address
        for kind in sorted(planned.get("resource", {}))
        if kind not in _STATE_ONLY
        for address in resources(planned, kind)
        if address not in known
    )
    return Adoption(
        imports=tuple(found.imports),
        creates=creates,
        changes=tuple(found.changes),
        left=tuple(found.left),
        unread=here.answers.judged_unread,
        conflicts=tuple(found.conflicts),
        removes=tuple(found.removes),
        state_only=tuple(address for kind in _STATE_ONLY for address in resources(planned, kind)),
    )


class _Adopting:
    """What is found, kind by kind."""

    def __init__(self, here: Situation) -> None:
        self.here = here
        self.imports: list[Import] = []
        self.changes: list[tuple[str, str]] = []
        self.left: list[str] = []
        self.removes: list[str] = []
        self.conflicts: list[tuple[str, str]] = []
        self._groups: dict[str, str] = {}

    def adopt(self) -> None:
        self._adopt_groups()
        self._adopt_lists()
        self._adopt_rules()
        self._adopt_acls()
        self._adopt_associations()
        self._adopt_attachments()

    def _planned(self, kind: str) -> Mapping[str, Block]:
        return resources(self.here.planned, kind)

    def _import(self, to: str, live: str, why: str, *changes: str) -> None:
        self.imports.append(Import(to, live, why))
        self.changes.extend((to, change) for change in changes if change)

    def _adopt_groups(self) -> None:
        blocks = self._planned(GROUP)
        for address, live in self.here.identity.groups.items():
            row, block = self.here.groups[live], blocks[address]
            if row.get("Description") != block.get("description"):
                why = (
                    f"{live} has this name and the description {row.get('Description')!r}, which "
                    "cannot be changed: Terraform would replace the group. Move its interfaces to "
                    "another group and delete it, or give the deployment another name"
                )
                self.conflicts.append((address, why))
                continue
            self._groups[address] = live
            self._import(address, live, "same name", _tags(block, row))

    def _adopt_lists(self) -> None:
        rows = {row["PrefixListId"]: row for row in self.here.answers.rows(Part.LISTS)}
        for address, live in self.here.identity.lists.items():
            block = self._planned(PREFIX_LIST)[address]
            cidrs = {str(entry.get("cidr")) for entry in block.blocks("entry")}
            there = {entry["Cidr"] for entry in self.here.answers.entries.get(live, ())}
            change = "" if cidrs == there else f"entries become {', '.join(sorted(cidrs))}"
            self._import(address, live, "same name", change, _tags(block, rows[live]))

    def _adopt_rules(self) -> None:
        blocks = {a: b for kind in RULE.values() for a, b in self._planned(kind).items()}
        same = self.here.identity.rules
        taken = set(same.values())
        by_description = {
            (block.get("description"), block.get("security_group_id")): address
            for address, block in blocks.items()
            if address not in taken
        }
        adopted = set(self._groups.values())
        turned = {live: f"${{{address}.id}}" for address, live in self._groups.items()}
        exclusive = {each.get("security_group_id") for each in self._planned(EXCLUSIVE).values()}
        for row in self.here.answers.rows(Part.RULES):
            if row["GroupId"] not in adopted:
                continue
            live = row["SecurityGroupRuleId"]
            address = same.get(live)
            if address is not None:
                block = blocks[address]
                said = row.get("Description") or ""
                told = "" if said == block.get("description") else "its description is set"
                self._import(address, live, "same content", told, _tags(block, row))
                continue
            was = by_description.pop((row.get("Description"), turned[row["GroupId"]]), None)
            if was is not None and _in_place(row, blocks[was]):
                self._import(was, live, "same description", "its ports or peer are set as planned")
            else:
                text = rule_text(row, self.here.groups[row["GroupId"]])
                owned = turned[row["GroupId"]] in exclusive
                (self.removes if owned else self.left).append(f"{live}: {text}")

    def _adopt_acls(self) -> None:
        blocks = self._planned(NETWORK_ACL)
        known = self.here.identity.network_acls
        wanted = planned_entries(self.here.planned)
        entries = self._planned(ACL_ENTRY)
        for address, live in known.acls.items():
            row = self.here.acls[live]
            self._import(address, live, "same tags or entries", _tags(blocks[address], row))
            numbers = {(e.direction, e.number): e.address for e in wanted[address]}
            for direction in Direction:
                for entry in acl_entries(row, direction):
                    name = entry_name(live, direction, entry)
                    there = numbers.get((direction, int(entry["rule_no"])))
                    if there is None:
                        self.left.append(f"{name}: {entry_text(live, direction, entry)}")
                    elif known.entries.get(name) == there:
                        egress = "true" if direction is Direction.EGRESS else "false"
                        protocol = entries[there].get("protocol")
                        self._import(
                            there, f"{live}:{entry['rule_no']}:{protocol}:{egress}", "same content"
                        )
                    else:
                        self.conflicts.append(
                            (there, f"{name} has its number and other content: delete it first")
                        )

    def _adopt_associations(self) -> None:
        acls = self.here.identity.network_acls.acls
        for address, block in self._planned(ASSOCIATION).items():
            subnet = str(block.get("subnet_id"))
            acl = Reference.parse(block.get("network_acl_id"))
            row = self.here.at_subnet.get(subnet)
            if acl is None or row is None:
                continue
            live = row["NetworkAclId"]
            if live == acls.get(acl.address):
                (own,) = [a for a in row["Associations"] if a["SubnetId"] == subnet]
                self._import(address, own["NetworkAclAssociationId"], "same subnet and ACL")
            else:
                self.changes.append((address, f"moves {subnet} from {live} to the planned ACL"))

    def _adopt_attachments(self) -> None:
        cards = {r["NetworkInterfaceId"]: r for r in self.here.answers.rows(Part.CARDS)}
        for address, block in self._planned(ATTACHMENT).items():
            card = str(block.get("network_interface_id"))
            group = Reference.parse(block.get("security_group_id"))
            live = self._groups.get(group.address) if group else None
            if live and card in cards and live in groups_of(cards[card]):
                self._import(address, f"{live}_{card}", "attached already")


def _tags(block: Block, row: Row) -> str:
    """The tags that an apply would set, in words; empty where they are all there."""
    wanted, there = marks(block.get("tags")), tags_of(row)
    differing = [key for key, value in wanted.items() if there.get(key) != value]
    return f"the tags {', '.join(differing)} are set" if differing else ""


def _in_place(row: Row, block: Block) -> bool:
    """Whether Terraform changes a live rule into the planned one without replacing it."""
    return any(row.get(field) and block.has(key) for field, key in _PEERS.items())
