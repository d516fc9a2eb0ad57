"""Network ACLs as AWS enforces them: numbered, first match, stateless, between subnets only.

An entry names the remote side, and the destination port whichever way the packet goes; source
ports match nothing. Entries are tried by rising number, per direction; an IPv4 entry never
matches IPv6. What no entry matches is refused (VPC user guide, network ACLs). Packets between
two interfaces of one subnet never meet the ACL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import Any, Final

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import within
from flowbridge.deployment.file.site import Site, Tier
from flowbridge.deployment.interface import Interface, Member
from flowbridge.policy.filter import Filter, FilterRule, Order
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import ALL, EMPTY, PacketSet
from flowbridge.policy.point import Direction
from flowbridge.policy.surrounding import anyone_in
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.aws.meaning.protocol import (
    has_ports,
    icmp_types,
    ports_between,
    protocol_number,
)
from flowbridge.providers.meaning.members import across_members
from flowbridge.providers.meaning.odd import Odd
from flowbridge.providers.terraform.blocks import Block, network, refer, resources
from flowbridge.providers.terraform.tags import is_for_tier

HIGHEST_RULE_NUMBER: Final = 32766


@dataclass(frozen=True, slots=True)
class _Entry:
    number: int
    direction: Direction
    rule: FilterRule
    unknown: tuple[Unknown, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAcls:
    """All network ACLs of one file, and which subnet has which."""

    site: Site
    blocks: Mapping[str, Block]
    entries: Mapping[str, tuple[_Entry, ...]]
    of_subnet: Mapping[str, str]  # subnet id -> address in the file, or literal id
    default: str | None  # the adopted default ACL
    made: dict[tuple[str | None, Direction, PacketSet], Filter] = field(default_factory=dict)

    @classmethod
    def read(cls, terraform: Mapping[str, Any], site: Site, odd: Odd = Odd.REFUSE) -> NetworkAcls:
        """ValueError names an ACL, entry or association that cannot be understood; where such an
        entry is to be told, it leaves its meaning open."""
        default = resources(terraform, "aws_default_network_acl")
        blocks = resources(terraform, "aws_network_acl") | default
        return cls(
            site=site,
            blocks=blocks,
            entries=_entries(terraform, blocks, odd),
            of_subnet=_associations(terraform, blocks),
            default=next(iter(default), None),
        )

    def filter(self, interface: Interface, direction: Direction, asked: PacketSet) -> Filter | None:
        """The ACL that `interface` is behind; None where the file manages none for its tier.

        `asked`: the packets of the flows and the replies of those the other way.
        """
        tier = self.site.network.tiers[interface.tier]
        tagged = [
            address
            for address, block in self.blocks.items()
            if is_for_tier(block, interface.tier, self.site)
        ]
        subnets = _subnets_of(interface, tier)
        if not any(subnet in self.of_subnet for subnet in tier.subnets) and not tagged:
            return None
        if subnets:
            acls = [self.of_subnet.get(subnet) for subnet in subnets]
        elif len(tagged) > 1:
            raise ValueError(
                f"{' and '.join(tagged)} are both tagged for tier {interface.tier}, and the "
                "deployment names no subnets that would tell which one applies"
            )
        else:
            acls = [tagged[0]]
        bypass = _same_subnet(interface, tier)
        return across_members([self._stage(acl, direction, bypass) for acl in acls], asked)

    def _stage(self, acl: str | None, direction: Direction, bypass: PacketSet) -> Filter:
        """One ACL. Interfaces behind the same one share the filter."""
        key = (acl, direction, bypass)
        if key not in self.made:
            self.made[key] = self._make(acl or self.default, direction, bypass)
        return self.made[key]

    def _make(self, acl: str | None, direction: Direction, bypass: PacketSet) -> Filter:
        kind = "network-acl"
        if acl is None or acl not in self.blocks:
            name = acl or "default network ACL"
            return Filter(
                name=name,
                kind=kind,
                order=Order.FIRST_MATCH,
                stateful=False,
                rules=(),
                default_allow=True,
                bypassed_by=bypass,
                unknown=(Unknown(self.site.name, name, Why.DEFAULT_RULES),),
            )
        mine = [entry for entry in self.entries[acl] if entry.direction is direction]
        rules = (entry.rule for entry in mine)
        unknown = tuple(each for entry in mine for each in entry.unknown)
        return Filter(
            name=acl,
            kind=kind,
            order=Order.FIRST_MATCH,
            stateful=False,
            rules=tuple(rules),
            bypassed_by=bypass,
            unknown=unknown,
        )


def hosts_of_subnets(name: str, tier: Tier) -> tuple[Interface, ...]:
    """Whoever stands in the subnets of a tier: one interface for each subnet, or one for all where
    it is not known which CIDR is whose."""
    placed = _placed(tier)
    if not placed:
        return (anyone_in(name, "any subnet", tier.cidrs),)
    return tuple(anyone_in(name, subnet, cidrs) for subnet, cidrs in placed.items())


def _placed(tier: Tier) -> Mapping[str, tuple[Network, ...]]:
    """The CIDRs of each subnet: one id per CIDR, in order, or one per CIDR of each IP version;
    nothing where the counts differ."""
    placed: dict[str, tuple[Network, ...]] = {}
    ids = tier.subnets
    if len(ids) != len(tier.cidrs):
        each = {version: sum(cidr.version == version for cidr in tier.cidrs) for version in (4, 6)}
        if any(count not in (0, len(ids)) for count in each.values()):
            return {}
        ids = tuple(
            ids[sum(cidr.version == other.version for other in tier.cidrs[:place])]
            for place, cidr in enumerate(tier.cidrs)
        )
    for subnet, cidr in zip(ids, tier.cidrs, strict=True):
        placed[subnet] = (*placed.get(subnet, ()), cidr)
    return placed


def _subnet_of(member: Member, tier: Tier) -> str | None:
    """The subnet that `member` sits in, where that is known.

    A card sits in one subnet; a family for which the tier states no CIDR does not speak against.
    """
    for subnet, cidrs in _placed(tier).items():
        stated = {cidr.version for cidr in cidrs}
        telling = [address for address in member.private if address.version in stated]
        if telling and all(within(address, cidrs) for address in telling):
            return subnet
    return None


def _subnets_of(interface: Interface, tier: Tier) -> tuple[str, ...]:
    """The subnets of the members; every subnet of the tier where one member's is unknown."""
    known = [_subnet_of(member, tier) for member in interface.members]
    if None in known:
        return tier.subnets
    return tuple(dict.fromkeys(subnet for subnet in known if subnet is not None))


def _same_subnet(interface: Interface, tier: Tier) -> PacketSet:
    """Packets of peers that share the subnet of every member."""
    placed = _placed(tier)
    neighbours = []
    for member in interface.members:
        subnet = _subnet_of(member, tier)
        neighbours.append(EMPTY if subnet is None else PacketSet.of(placed[subnet], None))
    return reduce(lambda left, right: left & right, neighbours, ALL) if neighbours else EMPTY


def _associations(terraform: Mapping[str, Any], blocks: Mapping[str, Block]) -> dict[str, str]:
    found: dict[str, str] = {}

    def attach(subnet: str, acl: str, asking: Block) -> None:
        if found.setdefault(subnet, acl) != acl:
            raise asking.refusal(f"{subnet} has the network ACL {found[subnet]} already")

    for block in resources(terraform, "aws_network_acl_association").values():
        subnet, acl = block.text("subnet_id"), block.text("network_acl_id")
        if subnet is None or acl is None:
            raise block.refusal("`subnet_id` and `network_acl_id` are both needed")
        attach(subnet, refer(acl, blocks, block, "network_acl_id") or acl, block)
    for address, block in blocks.items():
        for subnet in block.texts("subnet_ids"):
            attach(subnet, address, block)
    return found


def _entries(
    terraform: Mapping[str, Any], blocks: Mapping[str, Block], odd: Odd
) -> dict[str, tuple[_Entry, ...]]:
    entries: dict[str, list[_Entry]] = {address: [] for address in blocks}
    for address, block in blocks.items():
        for direction in Direction:
            entries[address] += [
                odd.read(
                    f"{address} {direction} {inline.get('rule_no')}",
                    partial(_entry, inline, direction, "rule_no", "action", address),
                    partial(_meaningless, inline, direction),
                )
                for inline in block.blocks(direction.value)
            ]
    for block in resources(terraform, "aws_network_acl_rule").values():
        known = refer(block.get("network_acl_id"), blocks, block, "network_acl_id")
        direction = Direction.EGRESS if block.flag("egress") else Direction.INGRESS
        entry = _entry(block, direction, "rule_number", "rule_action")
        if known is not None:
            entries[known].append(entry)
    return {address: _in_order(of_acl) for address, of_acl in entries.items()}


def _meaningless(block: Block, direction: Direction, unknown: Unknown) -> _Entry:
    """An entry that neither allows nor refuses anything for sure."""
    return _Entry(
        block.required_number("rule_no"),
        direction,
        FilterRule(name=unknown.rule, allow=False, packets=EMPTY),
        unknown=(replace(unknown, what=unknown.what.removeprefix(f"{block.address}: ")),),
    )


def _in_order(entries: Iterable[_Entry]) -> tuple[_Entry, ...]:
    seen: dict[tuple[Direction, int], _Entry] = {}
    for entry in entries:
        other = seen.setdefault((entry.direction, entry.number), entry)
        if other is not entry:
            raise ValueError(
                f"{entry.rule.name}: the number {entry.number} is taken by {other.rule.name}"
            )
    return tuple(sorted(seen.values(), key=lambda entry: entry.number))


def _entry(
    block: Block, direction: Direction, number_key: str, action_key: str, acl: str | None = None
) -> _Entry:
    """An entry, inline in `acl` or a resource of its own. Inline ones go by their number."""
    number = block.required_number(number_key)
    if not 1 <= number <= HIGHEST_RULE_NUMBER:
        raise block.refusal(f"`{number_key}` is {number}, not 1 to {HIGHEST_RULE_NUMBER}")
    action = (block.literal(action_key) or "").lower()
    if action not in ("allow", "deny"):
        raise block.refusal(f"`{action_key}` is {action!r}, not allow or deny")
    given = [key for key in ("cidr_block", "ipv6_cidr_block") if block.has(key)]
    if len(given) != 1:
        raise block.refusal("needs exactly one of cidr_block and ipv6_cidr_block")
    cidr = block.literal(given[0])
    peer = network(cidr or "", block)
    if peer.version != (4 if given[0] == "cidr_block" else 6):
        raise block.refusal(f"`{given[0]}` is {cidr}")
    protocol = protocol_number(block, "protocol")
    ports = _ports(block, protocol, peer)
    packets = PacketSet.of([peer], protocol, None, None if ports is None else [ports])
    name = f"{acl} {direction} {number}" if acl else block.address
    return _Entry(
        number, direction, FilterRule(name=name, allow=action == "allow", packets=packets)
    )


def _ports(block: Block, protocol: int | None, peer: Network) -> PortRange | None:
    if protocol is None:
        return None
    if has_ports(protocol):
        return ports_between(block, block.number("from_port"), block.number("to_port"))
    if protocol == Protocol.ICMP or (protocol == Protocol.ICMPV6 and peer.version == 6):
        kind, code = block.number("icmp_type"), block.number("icmp_code")
        if kind is None:
            raise block.refusal(f"protocol {protocol} needs `icmp_type` and `icmp_code`")
        return icmp_types(block, kind, code)
    return None
