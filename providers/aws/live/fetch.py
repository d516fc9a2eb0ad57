"""All that is read of one place, by Describe, Get and List calls alone.

An answer is believed only where it does not contradict itself: a VPC has its default group and
its default network ACL, a group has as many rules in one call as in the other, a subnet has a
network ACL. A page that a proxy dropped shows there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Cause, Unread
from flowbridge.providers.aws.live.answers import Answers, Part, Place
from flowbridge.providers.aws.live.client import Connection
from flowbridge.providers.aws.live.faults import fault_of
from flowbridge.providers.aws.quotas import default_quotas
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.fault import Fault
from flowbridge.providers.live.gathering import TRIES
from flowbridge.providers.live.reading import FATAL, GarbledError

BLOCK_CALL: Final = "ec2:DescribeVpcBlockPublicAccessOptions"
QUOTA_CALL: Final = "servicequotas:GetServiceQuota"
# EC2 takes 200 values in one filter.
_VALUES: Final = 200
# EC2 throttles calls that ask for everything at once, and refuses them for more than 5 000 groups
# (EC2 developer guide, pagination). These are the most that one page may have.
_PAGE_SIZE: Final = 1000
_PAGE_SIZES: Final = {
    "describe_managed_prefix_lists": 100,
    "get_managed_prefix_list_entries": 100,
}
# Quotas have defaults to fall back on, so it is not worth waiting long for them.
_QUOTA_TRIES: Final = 3


def fetch(site: Site, access: Access, *, asides: bool = False) -> Answers:
    """See `providers.live.contract.LiveReader.fetch`."""
    place = Place.of(site, access)
    reading = _Reading(place)
    try:
        connection = Connection(place, access)
        ec2 = connection.client("ec2")
    except Exception as error:
        # Whatever an SDK raises while it finds credentials is a fault of this place, not ours.
        reading.fail("sts:AssumeRole" if place.role else "credentials", fault_of(error))
        return reading.answers()
    _read_network(reading, ec2)
    _read_block(reading, connection)
    if asides:
        _read_asides(reading, connection, ec2)
    return reading.answers()


class _Reading:
    """Answers while they come in."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.parts: dict[Part, tuple[Row, ...]] = {}
        self.entries: dict[str, tuple[Row, ...]] = {}
        self.quotas: dict[str, float] = {}
        self.unread: list[Unread] = []
        self.asides: list[Unread] = []
        self.lists_unread: dict[str, Unread] = {}
        self.region_groups: int | None = None
        self.over = False

    def answers(self) -> Answers:
        return Answers(
            place=self.place,
            account=self._account(),
            parts=self.parts,
            entries=self.entries,
            quotas=self.quotas,
            audit_unread=tuple(self.unread),
            aside_unread=tuple(self.asides),
            lists_unread=self.lists_unread,
            region_groups=self.region_groups,
        )

    def _account(self) -> str | None:
        for part in (Part.GROUPS, Part.VPCS):
            for row in self.parts.get(part, ()):
                if owner := row.get("OwnerId"):
                    return str(owner)
        return None

    def fail(self, call: str, fault: Fault, *, aside: bool = False, of: str = "") -> None:
        """`of`: the prefix list that was asked about."""
        scope = self.place.scope_of(self._account())
        missing = Unread(
            scope=scope, call=call, cause=fault.cause, message=fault.message, remedy=fault.remedy
        )
        if of:
            self.lists_unread[of] = missing
        else:
            (self.asides if aside else self.unread).append(missing)
        self.over = self.over or (fault.cause in FATAL and not aside)

    def read(
        self,
        call: str,
        ask: Callable[[], Sequence[Row]],
        *,
        aside: bool = False,
        of: str = "",
        tries: int = TRIES,
    ) -> tuple[Row, ...] | None:
        """The rows of one call; None where it failed, which is then noted."""
        if self.over:
            return None
        fault: Fault | None = None
        for _ in range(1 if aside else tries):
            try:
                return tuple(ask())
            except Exception as error:
                # Nothing but the SDK runs inside `ask`: what it raises is an answer, too.
                fault = fault_of(error)
                if fault.cause is not Cause.GARBLED:
                    break
        assert fault is not None  # noqa: S101
        self.fail(call, fault, aside=aside, of=of)
        return None

    def keep(
        self,
        part: Part,
        call: str,
        ask: Callable[[], Sequence[Row]],
        *,
        aside: bool = False,
        tries: int = TRIES,
    ) -> None:
        rows = self.read(call, ask, aside=aside, tries=tries)
        if rows is not None:
            self.parts[part] = rows


def _pages(client: Any, method: str, key: str, **asked: Any) -> list[Row]:
    """All pages of a call. KeyError for a page without `key`."""
    size = {"PageSize": _PAGE_SIZES.get(method, _PAGE_SIZE)}
    pages = client.get_paginator(method).paginate(**asked, PaginationConfig=size)
    return [row for page in pages for row in page[key]]


def _exclusions(ec2: Any) -> list[Row]:
    """All pages; of this call botocore has no paginator. GarbledError for a page that repeats."""
    found: list[Row] = []
    token: dict[str, str] = {}
    while True:
        page = ec2.describe_vpc_block_public_access_exclusions(MaxResults=_PAGE_SIZE, **token)
        found += page["VpcBlockPublicAccessExclusions"]
        following = page.get("NextToken")
        if not following:
            return found
        if following == token.get("NextToken"):
            raise GarbledError("a page of exclusions names itself as the next one")
        token = {"NextToken": following}


def _in_vpc(vpc: str) -> list[dict[str, Any]]:
    return [{"Name": "vpc-id", "Values": [vpc]}]


def _read_network(reading: _Reading, ec2: Any) -> None:
    vpc = reading.place.vpc
    here = _in_vpc(vpc)
    reading.keep(
        Part.VPCS, "ec2:DescribeVpcs", lambda: _pages(ec2, "describe_vpcs", "Vpcs", Filters=here)
    )
    if not reading.over and reading.parts.get(Part.VPCS) == ():
        message = f"there is no VPC {vpc} here"
        reading.fail("ec2:DescribeVpcs", Fault(Cause.ABSENT, message))
        return
    reading.keep(
        Part.SUBNETS,
        "ec2:DescribeSubnets",
        lambda: _pages(ec2, "describe_subnets", "Subnets", Filters=here),
    )
    reading.keep(
        Part.CARDS,
        "ec2:DescribeNetworkInterfaces",
        lambda: _pages(ec2, "describe_network_interfaces", "NetworkInterfaces", Filters=here),
    )
    reading.keep(Part.ACLS, "ec2:DescribeNetworkAcls", lambda: _acls(reading, ec2, here))
    _read_groups(reading, ec2, here)
    _read_lists(reading, ec2)


def _read_block(reading: _Reading, connection: Connection) -> None:
    """Asked once, because not every endpoint knows it. One that does and does not answer leaves
    every verdict open: packets may be blocked that all the rules let through."""

    def block() -> list[Row]:
        ec2 = connection.client("ec2", attempts=1)
        return [ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]]

    before = len(reading.unread)
    reading.keep(Part.BLOCKS, BLOCK_CALL, block, tries=1)
    if reading.unread[before:] and _knows_no_such_call(reading.place, reading.unread[-1]):
        # An emulator without this control: there is nothing that could be on.
        reading.asides.append(reading.unread.pop())
    if any(
        row.get("InternetGatewayBlockMode") != "off" for row in reading.parts.get(Part.BLOCKS, ())
    ):
        reading.keep(
            Part.EXCLUSIONS,
            "ec2:DescribeVpcBlockPublicAccessExclusions",
            lambda: _exclusions(connection.client("ec2")),
        )


def _knows_no_such_call(place: Place, unread: Unread) -> bool:
    """Whether a server that is not AWS's own has no such call. Emulators fail on those in ways of
    their own; AWS's own endpoints know the call everywhere."""
    return place.endpoint("ec2") is not None and unread.cause in (Cause.GARBLED, Cause.FAILED)


def _acls(reading: _Reading, ec2: Any, here: list[dict[str, Any]]) -> list[Row]:
    rows = _pages(ec2, "describe_network_acls", "NetworkAcls", Filters=here)
    if not any(row.get("IsDefault") for row in rows):
        raise GarbledError("the VPC's default network ACL is not among them")
    placed = {a["SubnetId"] for row in rows for a in row["Associations"]}
    subnets = {row["SubnetId"] for row in reading.parts.get(Part.SUBNETS, ())}
    if lost := sorted(subnets - placed):
        raise GarbledError(f"no network ACL is given for subnet {lost[0]}")
    return rows


def _read_groups(reading: _Reading, ec2: Any, here: list[dict[str, Any]]) -> None:
    """Groups and their rules. Both are asked for again where the counts differ: a rule may have
    been made in between, and a lost page looks the same."""

    def groups() -> list[Row]:
        rows = _pages(ec2, "describe_security_groups", "SecurityGroups", Filters=here)
        if not any(row["GroupName"] == "default" for row in rows):
            raise GarbledError("the VPC's default security group is not among them")
        # A card may have groups of another VPC that are associated with this one.
        cards = reading.parts.get(Part.CARDS, ())
        used = {group["GroupId"] for card in cards for group in card["Groups"]}
        for named in _by_id(sorted(used - {row["GroupId"] for row in rows})):
            rows += _pages(ec2, "describe_security_groups", "SecurityGroups", Filters=named)
        return rows

    def rules() -> list[Row]:
        reading.keep(Part.GROUPS, "ec2:DescribeSecurityGroups", groups)
        known = reading.parts.get(Part.GROUPS)
        if known is None:
            return []
        found: list[Row] = []
        for named in _by_id([row["GroupId"] for row in known]):
            found += _pages(
                ec2, "describe_security_group_rules", "SecurityGroupRules", Filters=named
            )
        _compare(known, found)
        return found

    found = reading.read("ec2:DescribeSecurityGroupRules", rules)
    if found is not None and Part.GROUPS in reading.parts:
        reading.parts[Part.RULES] = found


def _by_id(groups: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """Filters for `groups`, as many in one as EC2 takes."""
    for first in range(0, len(groups), _VALUES):
        yield [{"Name": "group-id", "Values": list(groups[first : first + _VALUES])}]


def _compare(groups: Iterable[Row], rules: Iterable[Row]) -> None:
    counted: dict[tuple[str, bool], int] = {}
    for rule in rules:
        # A rule for nobody is no peer of any permission.
        if not any(map(rule.get, _PEER_KEYS)):
            continue
        key = (rule["GroupId"], bool(rule["IsEgress"]))
        counted[key] = counted.get(key, 0) + 1
    for group in groups:
        for egress, permissions in (
            (False, group["IpPermissions"]),
            (True, group["IpPermissionsEgress"]),
        ):
            due = sum(_peers(permission) for permission in permissions)
            came = counted.get((group["GroupId"], egress), 0)
            if came != due:
                way = "egress" if egress else "ingress"
                raise GarbledError(
                    f"{group['GroupId']} has {due} {way} rules in one answer and {came} in another"
                )


_PEER_KEYS: Final = ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupInfo")


def _peers(permission: Row) -> int:
    kinds = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
    return sum(len(permission.get(kind) or ()) for kind in kinds)


def _read_lists(reading: _Reading, ec2: Any) -> None:
    """Prefix lists that a rule refers to, with their entries."""
    if Part.RULES not in reading.parts:
        return
    used = {r["PrefixListId"] for r in reading.parts[Part.RULES] if r.get("PrefixListId")}
    if not used:
        reading.parts[Part.LISTS] = ()
        return
    reading.keep(
        Part.LISTS,
        "ec2:DescribeManagedPrefixLists",
        lambda: _pages(ec2, "describe_managed_prefix_lists", "PrefixLists"),
    )
    for name in sorted(used):
        entries = reading.read("ec2:GetManagedPrefixListEntries", _entries(ec2, name), of=name)
        if entries is not None:
            reading.entries[name] = entries


def _entries(ec2: Any, name: str) -> Callable[[], Sequence[Row]]:
    return lambda: _pages(ec2, "get_managed_prefix_list_entries", "Entries", PrefixListId=name)


def _read_asides(reading: _Reading, connection: Connection, ec2: Any) -> None:
    """What only a look before the apply needs."""
    reading.keep(
        Part.ADDRESSES,
        "ec2:DescribeAddresses",
        lambda: ec2.describe_addresses()["Addresses"],
        aside=True,
    )
    everywhere = reading.read(
        "ec2:DescribeSecurityGroups",
        lambda: _pages(ec2, "describe_security_groups", "SecurityGroups"),
        aside=True,
    )
    if everywhere is not None:
        reading.region_groups = len(everywhere)
    if reading.over:
        return
    try:
        quotas = connection.client("service-quotas", attempts=_QUOTA_TRIES)
    except Exception as error:
        reading.fail(QUOTA_CALL, fault_of(error), aside=True)
        return
    for code in _quota_codes():
        found = reading.read(QUOTA_CALL, _quota(quotas, code), aside=True)
        if found:
            reading.quotas[code] = float(found[0]["Value"])
        elif reading.asides[-1].cause in FATAL:
            return


def _quota_codes() -> tuple[str, ...]:
    quotas = default_quotas()
    known = (getattr(quotas, each.name).code for each in fields(quotas))
    return tuple(filter(None, known))


def _quota(client: Any, code: str) -> Callable[[], Sequence[Row]]:
    return lambda: [client.get_service_quota(ServiceCode="vpc", QuotaCode=code)["Quota"]]
