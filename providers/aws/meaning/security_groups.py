"""Security groups as AWS enforces them: the union of every rule of every group on an interface.

A group is on an interface when the file attaches it to the network cards that the deployment
names, or, for cards that it does not name, when the group's tags `flowbridge:workload` and
`flowbridge:interface` say so. Groups have no deny and no order, match no source port, and let
replies pass. A reference to a group stands for the private addresses of the cards in that group,
never for public ones (EC2 user guide, security group rules); to a prefix list, for its entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface, Member
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Filter, FilterRule, Order
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.policy.point import Direction
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.policy.unknown import address as unknown_address
from flowbridge.providers.aws.meaning.protocol import (
    has_ports,
    icmp_types,
    ports_between,
    protocol_number,
)
from flowbridge.providers.meaning.members import across_members
from flowbridge.providers.meaning.odd import Odd
from flowbridge.providers.terraform.blocks import (
    Block,
    is_expression,
    network,
    refer,
    resources,
    row_ids,
)
from flowbridge.providers.terraform.tags import is_for_interface

_GROUP_TYPES: Final = ("aws_security_group", "aws_default_security_group")
_STANDALONE: Final = {
    Direction.INGRESS: "aws_vpc_security_group_ingress_rule",
    Direction.EGRESS: "aws_vpc_security_group_egress_rule",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """A rule of one group, before its peers are known as addresses."""

    block: Block
    group: str
    direction: Direction
    protocol: int | None
    ports: PortRange | None
    cidrs: tuple[str, ...]
    prefix_lists: tuple[str, ...]
    groups: tuple[str, ...]
    unknown: tuple[Unknown, ...] = ()


class CardKey(NamedTuple):
    """A member of an interface: its key, and the member's name."""

    interface: str
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroups:
    """All groups of one file. A group is known by its Terraform address or its literal id."""

    blocks: Mapping[str, Block]
    rules: tuple[_Rule, ...]
    attached: Mapping[CardKey, tuple[str, ...]]  # the groups of each
    addresses: Mapping[str, tuple[Network, ...]]  # group -> private addresses of its members
    prefix_lists: Mapping[str, tuple[Network, ...]]
    prefix_blocks: Mapping[str, Block]
    odd_lists: Mapping[str, Unknown]  # lists with an entry that is no address range

    @classmethod
    def read(
        cls, terraform: Mapping[str, Any], policy: Policy, site: Site, odd: Odd = Odd.REFUSE
    ) -> SecurityGroups:
        """ValueError names a group, rule or prefix list that cannot be understood; where such a
        rule is to be told, it leaves its meaning open."""
        blocks: dict[str, Block] = {}
        for kind in _GROUP_TYPES:
            blocks |= resources(terraform, kind)
        attached = _attachments(terraform, policy, site, blocks)
        addresses: dict[str, tuple[Network, ...]] = dict.fromkeys(blocks, ())
        for interface in policy.interfaces:
            for member in interface.members:
                for group in attached[CardKey(interface.key, member.name)]:
                    addresses[group] = (*addresses.get(group, ()), *member.private)
        lists, list_blocks, odd_lists = _prefix_lists(terraform, odd)
        rules = _all_rules(terraform, blocks, odd)
        return cls(
            blocks=blocks,
            rules=rules,
            attached=attached,
            addresses=addresses,
            prefix_lists=lists,
            prefix_blocks=list_blocks,
            odd_lists=odd_lists,
        )

    def filter(self, interface: Interface, direction: Direction, asked: PacketSet) -> Filter:
        """The groups of `interface` in `direction`; with none attached, nothing passes."""
        return across_members(
            [self._of_member(interface, member, direction) for member in interface.members],
            asked,
        )

    def _of_member(self, interface: Interface, member: Member, direction: Direction) -> Filter:
        groups = self.attached[CardKey(interface.key, member.name)]
        unknown = [
            Unknown(interface.key, group, Why.RULES) for group in groups if group not in self.blocks
        ]
        rules: list[FilterRule] = []
        for rule in self.rules:
            if rule.group in groups and rule.direction is direction:
                unknown += rule.unknown
                peers = self._peers(rule, unknown)
                description = rule.block.text("description") or ""
                rules.append(
                    FilterRule(
                        name=rule.block.address,
                        allow=True,
                        packets=PacketSet.of(
                            peers, rule.protocol, None, None if rule.ports is None else [rule.ports]
                        )
                        if peers
                        else EMPTY,
                        rows=row_ids(description, _rows_tag(rule.block)),
                        description=description,
                    )
                )
        return Filter(
            name=f"security groups of {interface.key}",
            kind="security-group",
            order=Order.UNION,
            stateful=True,
            rules=tuple(rules),
            unknown=tuple(unknown),
        )

    def _peers(self, rule: _Rule, unknown: list[Unknown]) -> tuple[Network, ...]:
        peers: list[Network] = []
        address = rule.block.address
        for cidr in rule.cidrs:
            if is_expression(cidr):
                unknown.append(unknown_address(cidr).of(address))
            else:
                peers.append(network(cidr, rule.block))
        for value in rule.prefix_lists:
            known = refer(value, self.prefix_blocks, rule.block, "prefix_list_id")
            if known is None:
                unknown.append(Unknown(address, f"the entries of prefix list {value}", Why.PEERS))
            elif known in self.odd_lists:
                unknown.append(self.odd_lists[known].of(address))
            else:
                peers.extend(self.prefix_lists[known])
        for group in rule.groups:
            if group not in self.addresses:
                unknown.append(Unknown(address, f"the members of group {group}", Why.PEERS))
            peers.extend(self.addresses.get(group, ()))
        return tuple(peers)


def _rows_tag(rule: Block) -> str | None:
    """Further row ids. Tags that are not written out tell none, and no packet goes by them."""
    return rule.tag("flowbridge:rows") if isinstance(rule.get("tags"), Mapping) else None


def _identity(value: str, blocks: Mapping[str, Block], asking: Block, key: str) -> str:
    """A group's address in this file, or the value itself for a group elsewhere."""
    if "/" in value and value.split("/")[-1].startswith("sg-"):
        value = value.split("/")[-1]  # account-id/sg-id and ARNs of groups elsewhere
    return refer(value, blocks, asking, key) or value


def _attachments(
    terraform: Mapping[str, Any], policy: Policy, site: Site, blocks: Mapping[str, Block]
) -> dict[CardKey, tuple[str, ...]]:
    cards: dict[str, list[str]] = {}
    for block in resources(terraform, "aws_network_interface_sg_attachment").values():
        card, group = block.text("network_interface_id"), block.text("security_group_id")
        if card is None or group is None:
            raise block.refusal("`network_interface_id` and `security_group_id` are both needed")
        cards.setdefault(card, []).append(_identity(group, blocks, block, "security_group_id"))
    out: dict[CardKey, tuple[str, ...]] = {}
    for interface in policy.interfaces:
        tagged = tuple(
            address for address, block in blocks.items() if is_for_interface(block, interface, site)
        )
        for member in interface.members:
            if member.attachment is None:
                out[CardKey(interface.key, member.name)] = tagged
            else:
                out[CardKey(interface.key, member.name)] = tuple(
                    dict.fromkeys(cards.get(member.attachment, ()))
                )
    return out


def _prefix_lists(
    terraform: Mapping[str, Any], odd: Odd
) -> tuple[dict[str, tuple[Network, ...]], dict[str, Block], dict[str, Unknown]]:
    blocks = resources(terraform, "aws_ec2_managed_prefix_list")
    without_meaning: dict[str, Unknown] = {}
    entries: dict[str, list[Network]] = {}
    for address, block in blocks.items():

        def doubted(unknown: Unknown, address: str = address) -> list[Network]:
            without_meaning[address] = unknown
            return []

        entries[address] = odd.read(address, partial(_entries_of, block), doubted)
    for block in resources(terraform, "aws_ec2_managed_prefix_list_entry").values():
        listing = refer(block.get("prefix_list_id"), blocks, block, "prefix_list_id")
        if listing is not None:
            entries[listing].append(_entry(block))
    listed = {address: tuple(networks) for address, networks in entries.items()}
    return listed, blocks, without_meaning


def _entries_of(block: Block) -> list[Network]:
    return [_entry(each) for each in block.blocks("entry")]


def _entry(block: Block) -> Network:
    cidr = block.literal("cidr")
    if cidr is None:
        raise block.refusal("`cidr` is missing")
    return network(cidr, block)


def _all_rules(
    terraform: Mapping[str, Any], blocks: Mapping[str, Block], odd: Odd
) -> tuple[_Rule, ...]:
    rules: list[_Rule] = []
    for address, block in blocks.items():
        for direction in Direction:
            rules.extend(
                _legacy(inline, address, direction, blocks)
                for inline in block.blocks(direction.value)
            )
    for direction, kind in _STANDALONE.items():
        rules.extend(
            odd.read(
                block.address,
                partial(_standalone, block, direction, blocks),
                partial(_meaningless, block, direction, blocks),
            )
            for block in resources(terraform, kind).values()
        )
    for block in resources(terraform, "aws_security_group_rule").values():
        named = block.literal("type")
        if named not in ("ingress", "egress"):
            raise block.refusal(f"`type` is {named!r}, not ingress or egress")
        rules.append(_legacy(block, _owner(block, blocks), Direction(named), blocks))
    return tuple(rules)


def _owner(block: Block, blocks: Mapping[str, Block]) -> str:
    group = block.text("security_group_id")
    if group is None:
        raise block.refusal("`security_group_id` is missing")
    return _identity(group, blocks, block, "security_group_id")


def _meaningless(
    block: Block, direction: Direction, blocks: Mapping[str, Block], unknown: Unknown
) -> _Rule:
    owner = _owner(block, blocks)
    return _Rule(
        block=block,
        group=owner,
        direction=direction,
        protocol=None,
        ports=None,
        cidrs=(),
        prefix_lists=(),
        groups=(),
        unknown=(unknown,),
    )


def _standalone(block: Block, direction: Direction, blocks: Mapping[str, Block]) -> _Rule:
    """A rule resource with exactly one peer."""
    peers = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
    given = [key for key in peers if block.has(key)]
    if len(given) != 1:
        raise block.refusal(f"needs exactly one of {', '.join(peers)}; it has {given or 'none'}")
    protocol = protocol_number(block, "ip_protocol")
    cidr = block.text("cidr_ipv4") or block.text("cidr_ipv6")
    if cidr and not is_expression(cidr):
        _expect_family(block, cidr, 4 if block.has("cidr_ipv4") else 6)
    prefix_list = block.text("prefix_list_id")
    group = block.text("referenced_security_group_id")
    return _Rule(
        block=block,
        group=_owner(block, blocks),
        direction=direction,
        protocol=protocol,
        ports=_ports(block, protocol),
        cidrs=(cidr,) if cidr else (),
        prefix_lists=(prefix_list,) if prefix_list else (),
        groups=(_identity(group, blocks, block, "referenced_security_group_id"),) if group else (),
    )


def _legacy(block: Block, owner: str, direction: Direction, blocks: Mapping[str, Block]) -> _Rule:
    """An inline block or an `aws_security_group_rule`: lists of peers, and `self`."""
    protocol = protocol_number(block, "protocol")
    groups = [*block.texts("security_groups")]
    source = block.text("source_security_group_id")
    if source:
        groups.append(source)
    resolved = [_identity(group, blocks, block, "security_groups") for group in groups]
    if block.flag("self"):
        resolved.append(owner)
    for key, version in (("cidr_blocks", 4), ("ipv6_cidr_blocks", 6)):
        for cidr in block.texts(key):
            if not is_expression(cidr):
                _expect_family(block, cidr, version)
    return _Rule(
        block=block,
        group=owner,
        direction=direction,
        protocol=protocol,
        ports=_ports(block, protocol),
        cidrs=(*block.texts("cidr_blocks"), *block.texts("ipv6_cidr_blocks")),
        prefix_lists=block.texts("prefix_list_ids"),
        groups=tuple(resolved),
    )


def _expect_family(block: Block, cidr: str, version: int) -> None:
    if network(cidr, block).version != version:
        raise block.refusal(f"{cidr} stands where an IPv{version} range is due")


def _ports(block: Block, protocol: int | None) -> PortRange | None:
    """None where every port, type or the whole protocol matches."""
    if protocol is None:
        return None
    first, last = block.number("from_port"), block.number("to_port")
    if has_ports(protocol):
        return ports_between(block, first, last)
    if protocol in (1, 58):
        return icmp_types(block, first, last)
    return None
