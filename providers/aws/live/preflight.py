"""What would fail half-way through an apply, told from the account before it.

Terraform creates resources one by one: a name that is taken, a subnet of another VPC or a quota
that is reached ends an apply with some of them made. All of these can be read beforehand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import AwsSite, Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.interfaces import interfaces_of
from flowbridge.policy.audit.estate import Unread
from flowbridge.policy.compiled import Policy
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.terraform import ATTACHMENT, GROUP, NETWORK_ACL, PREFIX_LIST
from flowbridge.providers.aws.live.acl_identity import planned_entries
from flowbridge.providers.aws.live.answers import Answers, Part, marks, tags_of
from flowbridge.providers.aws.live.as_terraform import acl_entries, groups_of
from flowbridge.providers.aws.live.faults import garbled
from flowbridge.providers.aws.live.fetch import BLOCK_CALL, QUOTA_CALL
from flowbridge.providers.aws.live.identity import planned_rules
from flowbridge.providers.aws.live.placement import addresses_of, cidrs_of, planned_subnets
from flowbridge.providers.aws.live.public_access import cut_off, mode_of
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.aws.quotas import Quota, quotas_for
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access, Preflight
from flowbridge.providers.live.exceeded import exceeded
from flowbridge.providers.live.reading import split_absent
from flowbridge.providers.live.unjudged import preflight_or_unread
from flowbridge.providers.provider import Usage
from flowbridge.providers.terraform.blocks import Reference, resources

# Quotas have defaults that an account can only raise; the other says nothing about an apply.
_NOT_NEEDED: Final = (QUOTA_CALL, BLOCK_CALL)
_BLOCK: Final = "VPC user guide, Block public access to VPCs and subnets"
_QUOTAS: Final = "Amazon VPC user guide, Amazon VPC quotas"


def preflight(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any]
) -> Preflight:
    """See `providers.live.contract.LiveReader.preflight`."""
    unread = tuple(each for each in answers.unread if each.call not in _NOT_NEEDED)
    if not answers.has(Part.GROUPS, Part.RULES):
        absent, rest = split_absent(unread, "ec2:DescribeVpcs")
        return Preflight(tuple(_absent(answers, each.message) for each in absent), (), rest)
    return preflight_or_unread(
        answers.scope,
        lambda: _preflight(Situation.of(answers, policy, site, planned, Access()), unread),
        garbled,
        unread,
    )


def _preflight(here: Situation, unread: tuple[Unread, ...]) -> Preflight:
    usage = (*_usage(here),)
    findings = (
        *_subnets(here),
        *_acls_of_others(here),
        *_cards(here),
        *_names(here),
        *_public(here),
        *_blocked(here),
        *_unknown_quotas(here.answers),
        *(_refusal("quota", told, each.source) for each, told in exceeded(usage)),
    )
    return Preflight(findings, usage, unread)


def _blocked(here: Situation) -> Iterator[Finding]:
    """No apply fails by it, and nothing works behind it."""
    region = here.answers.place.region
    for direction, keys in cut_off(here).items():
        way = "from the internet into" if direction is Direction.INGRESS else "to it out of"
        yield _warning(
            "public-access",
            f"VPC Block Public Access of {region} is {mode_of(here.answers)}: nothing passes {way} "
            f"{', '.join(keys)}, whatever the groups let through; exclude the VPC or its subnets, "
            "or turn it off",
            _BLOCK,
            "network.id",
        )
    for each in here.answers.unread:
        if each.call == BLOCK_CALL:
            yield _warning(
                "public-access",
                f"whether VPC Block Public Access of {region} is on cannot be told ({each.call}: "
                f"{each.message})",
                _BLOCK,
                "network.id",
            )


def _absent(answers: Answers, message: str) -> Finding:
    return _refusal(
        "vpc",
        f"{message}: {answers.scope} is not where the deployment belongs, or network.id is wrong",
        "EC2 API, CreateSecurityGroup",
        "network.id",
    )


def _refusal(name: str, message: str, source: str, key: str = "") -> Finding:
    return Finding(
        id=f"aws/live/{name}", severity=Severity.REFUSAL, message=message, source=source, key=key
    )


def _warning(name: str, message: str, source: str, key: str = "") -> Finding:
    return Finding(
        id=f"aws/live/{name}", severity=Severity.WARNING, message=message, source=source, key=key
    )


def _subnets(here: Situation) -> Iterator[Finding]:
    if not here.answers.has(Part.SUBNETS):
        return
    live = {row["SubnetId"]: row for row in here.answers.rows(Part.SUBNETS)}
    for name, tier in here.site.network.tiers.items():
        said = PacketSet.of(tier.cidrs, None)
        for subnet in dict.fromkeys(tier.subnets):
            row = live.get(subnet)
            if row is None:
                yield _refusal(
                    "subnet",
                    f"subnet {subnet} is not in {here.answers.place.vpc}: its network ACL cannot "
                    "be attached",
                    "EC2 API, ReplaceNetworkAclAssociation",
                    f"network.tiers.{name}.subnets",
                )
            elif not PacketSet.of(cidrs_of(row), None) & said:
                has = ", ".join(map(str, cidrs_of(row)))
                yield _warning(
                    "subnet-cidr",
                    f"subnet {subnet} is {has}, and tier {name} names no such range",
                    "EC2 API, DescribeSubnets",
                    f"network.tiers.{name}.cidrs",
                )


def _cards(here: Situation) -> Iterator[Finding]:
    if not here.answers.has(Part.CARDS):
        return
    for key, name in here.placement.missing:
        yield _refusal(
            "interface",
            f"the network interface {name} of {key} is not in {here.answers.place.vpc}",
            "EC2 API, ModifyNetworkInterfaceAttribute",
        )
    for interface in interfaces_of(here.site):
        members = {member.name: member for member in interface.members}
        for member, card in here.on(interface.key):
            said = PacketSet.of(members[member].private, None)
            if not PacketSet.of(addresses_of(card), None) & said:
                has = ", ".join(str(each.network_address) for each in addresses_of(card))
                yield _warning(
                    "address",
                    f"{card['NetworkInterfaceId']} of {interface.key} has {has}, not {member}",
                    "EC2 API, DescribeNetworkInterfaces",
                )


def _names(here: Situation) -> Iterator[Finding]:
    """Groups have unique names in a VPC, whatever their case."""
    blocks = resources(here.planned, GROUP)
    for address, live in here.identity.groups.items():
        row, block = here.groups[live], blocks[address]
        if row.get("Description") != block.get("description"):
            yield _refusal(
                "group-name",
                f"{live} has the name {row['GroupName']} already and is not ours: delete it, or "
                "give the deployment another name",
                "EC2 API, CreateSecurityGroup",
                "name",
            )
        else:
            owned = marks(tags_of(row)).get("flowbridge:site") == here.site.name
            yield Finding(
                id="aws/live/exists",
                severity=Severity.NOTE,
                message=f"{live} ({row['GroupName']}) exists"
                f"{' and is ours' if owned else ''}: where Terraform's state does not have it, "
                "`flowbridge adopt` first",
                source="EC2 API, CreateSecurityGroup",
            )


def _public(here: Situation) -> Iterator[Finding]:
    if not here.answers.has(Part.ADDRESSES):
        return
    there = {row.get("PublicIp") for row in here.answers.rows(Part.ADDRESSES)}
    for interface in here.policy.interfaces:
        for network in interface.public:
            text = str(network.network_address)
            if network.num_addresses == 1 and network.version == 4 and text not in there:
                yield _warning(
                    "public-address",
                    f"{text} of {interface.key} is no Elastic IP address of this account and "
                    "region: rules for it will match nothing until it is",
                    "EC2 API, DescribeAddresses",
                )


def _unknown_quotas(answers: Answers) -> Iterator[Finding]:
    failed = [each for each in answers.aside_unread if each.call == QUOTA_CALL]
    if failed:
        yield Finding(
            id="aws/live/quotas-unknown",
            severity=Severity.NOTE,
            message="not all quotas of the account could be read: for the others what `quotas` in "
            "the "
            "deployment file says is assumed, else AWS's default, which is the least that an "
            f"account has: {failed[0]}",
            source=_QUOTAS,
        )


def _usage(here: Situation) -> Iterator[Usage]:
    quotas = quotas_for(AwsSite.of(here.site).quotas)
    yield from _rules_per_group(here, quotas.rules_per_security_group)
    yield from _groups_per_card(here, quotas.security_groups_per_interface)
    yield from _entries_per_acl(here, quotas.network_acl_entries)
    made = resources(here.planned, GROUP).keys() - here.identity.groups.keys()
    groups = here.answers.region_groups
    if groups is not None:
        yield _used(here, quotas.groups_per_region, here.answers.scope, groups + len(made))
    if here.answers.has(Part.ACLS):
        new = resources(here.planned, NETWORK_ACL).keys() - here.identity.network_acls.acls.keys()
        acls = len(here.acls) + len(new)
        yield _used(here, quotas.acls_per_vpc, here.answers.place.vpc, acls)


def _used(here: Situation, quota: Quota, scope: str, used: int) -> Usage:
    """Beside what the account has, else what the file states, else AWS's default."""
    allowed = int(here.answers.quotas.get(quota.code, quota.value))
    return Usage(quota.limit, scope, used, allowed, quota.source)


def _rules_per_group(here: Situation, quota: Quota) -> Iterator[Usage]:
    """Planned rules and those beside them that Terraform does not know and will leave."""
    sizes = {
        address: block.required_number("max_entries")
        for address, block in resources(here.planned, PREFIX_LIST).items()
    }
    used: Counter[tuple[str, str, int]] = Counter()
    for _, direction, block in planned_rules(here.planned):
        group = Reference.parse(block.get("security_group_id"))
        if group is None:
            continue
        names = Reference.parse(block.get("prefix_list_id"))
        weight = sizes.get(names.address, 1) if names else 1
        families = (4,) if block.has("cidr_ipv4") else (6,) if block.has("cidr_ipv6") else (4, 6)
        for family in families:
            used[group.address, str(direction), family] += weight
    for row in here.answers.rows(Part.RULES):
        address = here.identity.planned(row["GroupId"])
        if address is not None and row["SecurityGroupRuleId"] not in here.identity.rules:
            way = str(Direction.EGRESS if row["IsEgress"] else Direction.INGRESS)
            for family, weight in _weights(here, row).items():
                used[address, way, family] += weight
    names_of = {a: str(b.get("name")) for a, b in resources(here.planned, GROUP).items()}
    for (address, way, family), count in sorted(used.items()):
        scope = f"{names_of.get(address, address)} {way} IPv{family}"
        yield _used(here, quota, scope, count)


def _weights(here: Situation, row: Row) -> dict[int, int]:
    """What a live rule takes of the quota of each address family: one that names a group counts
    in both, one that names a prefix list with the most entries that the list may have."""
    if row.get("CidrIpv4"):
        return {4: 1}
    if row.get("CidrIpv6"):
        return {6: 1}
    lists = {each["PrefixListId"]: each for each in here.answers.parts.get(Part.LISTS, ())}
    named = lists.get(row.get("PrefixListId"), {})
    # AWS's own lists say no maximum; their weights are not in the API.
    weight = int(named.get("MaxEntries") or 1)
    family = {"IPv4": (4,), "IPv6": (6,)}.get(str(named.get("AddressFamily")), (4, 6))
    return dict.fromkeys(family, weight)


def _groups_per_card(here: Situation, quota: Quota) -> Iterator[Usage]:
    if not here.answers.has(Part.CARDS):
        return
    cards = {row["NetworkInterfaceId"]: row for row in here.answers.rows(Part.CARDS)}
    wanted: dict[str, set[str]] = {}
    for block in resources(here.planned, ATTACHMENT).values():
        group = Reference.parse(block.get("security_group_id"))
        if group is not None:
            live = here.identity.groups.get(group.address, group.address)
            wanted.setdefault(str(block.get("network_interface_id")), set()).add(live)
    for card, groups in sorted(wanted.items()):
        if card in cards:
            used = len(groups | set(groups_of(cards[card])))
            yield _used(here, quota, card, used)


def _entries_per_acl(here: Situation, quota: Quota) -> Iterator[Usage]:
    """Planned entries, and those beside them in the same ACL that Terraform will leave."""
    for address, entries in planned_entries(here.planned).items():
        counted = Counter((entry.direction, ":" in str(entry.content[3])) for entry in entries)
        numbers = {(entry.direction, entry.number) for entry in entries}
        live = here.acls.get(here.identity.network_acls.acls.get(address, ""))
        for direction in Direction:
            for entry in acl_entries(live, direction) if live else ():
                if (direction, int(entry["rule_no"])) not in numbers:
                    counted[direction, bool(entry["ipv6_cidr_block"])] += 1
        for (direction, v6), count in sorted(counted.items()):
            scope = f"{address} {direction} IPv{6 if v6 else 4}"
            yield _used(here, quota, scope, count + 1)


def _acls_of_others(here: Situation) -> Iterator[Finding]:
    """A subnet has one network ACL: an apply puts ours in the place of the one that is there."""
    names = {subnet: name for name, t in here.site.network.tiers.items() for subnet in t.subnets}
    for address, subnets in planned_subnets(here.planned).items():
        for subnet in subnets:
            live = here.at_subnet.get(subnet)
            if live is None or live.get("IsDefault"):
                continue
            acl = live["NetworkAclId"]
            if acl == here.identity.network_acls.acls.get(address):
                continue
            other = here.made_for(live)
            whose = f" of deployment {other}" if other else ""
            then = ", which puts its own back at its next apply" if other else ""
            yield _warning(
                "subnet-acl",
                f"subnet {subnet} has the network ACL {acl}{whose} now, and an apply puts ours in "
                f"its place: what only that one lets through is cut off{then}",
                "EC2 API, ReplaceNetworkAclAssociation",
                f"network.tiers.{names[subnet]}.subnets" if subnet in names else "",
            )
