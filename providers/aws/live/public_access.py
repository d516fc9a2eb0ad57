"""VPC Block Public Access: what it takes away from an interface, as a filter before all others.

It decides at the internet gateway, whatever groups and network ACLs say (VPC user guide, Block
public access to VPCs and subnets):

* `block-bidirectional`: nothing passes between the internet and a VPC of the region;
* `block-ingress`: only NAT and egress-only internet gateways are left, so what leaves may pass
  there, and nothing comes in;
* an exclusion (of the VPC or of a subnet) lets both directions pass, or what leaves alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Final

from flowbridge.deployment.interface import Interface
from flowbridge.policy.audit.estate import LiveRule
from flowbridge.policy.filter import Enforcement, Filter, FilterRule, Order
from flowbridge.policy.packets.packet import Network
from flowbridge.policy.packets.packet_set import ALL, PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.aws.live.answers import Answers, Part
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.live.answered import Row

BLOCK_RULE: Final = "vpc-block-public-access"
_KIND: Final = "block-public-access"
OFF: Final = "off"
_BOTH_WAYS: Final = "block-bidirectional"
# Peers that no internet gateway leads to (RFC 6890); the VPC's own ranges are among them or beside.
_INSIDE: Final = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)


def mode_of(answers: Answers) -> str:
    """`off`, `block-bidirectional` or `block-ingress`; `off` where it was not read."""
    for row in answers.parts.get(Part.BLOCKS, ()):
        return str(row.get("InternetGatewayBlockMode") or OFF)
    return OFF


def before_all(here: Situation, found: Enforcement) -> Enforcement:
    """`found` with what Block Public Access refuses, where it is on."""
    mode = mode_of(here.answers)
    if mode == OFF:
        return found
    keyed = {interface.key: interface for interface in here.policy.interfaces}
    out = dict(found)
    for point, filters in found.items():
        if not _refuses(here, keyed[point.interface], point.direction, mode):
            continue
        stage = _filter(here, mode)
        arriving = point.direction is Direction.INGRESS
        out[point] = (stage, *filters) if arriving else (*filters, stage)
    return out


def cut_off(here: Situation) -> Mapping[Direction, tuple[str, ...]]:
    """The interfaces that the deployment lets meet the internet and the block keeps from it."""
    mode = mode_of(here.answers)
    if mode == OFF:
        return {}
    (rule,) = _filter(here, mode).rules
    return {
        direction: found
        for direction in Direction
        if (
            found := tuple(
                interface.key
                for interface in here.policy.interfaces
                if here.policy.intended(Point(interface.key, direction)) & rule.packets
                and _refuses(here, interface, direction, mode)
            )
        )
    }


def block_rule(here: Situation) -> Iterator[LiveRule]:
    """What the filter's rule is called in the verdict."""
    mode = mode_of(here.answers)
    if mode != OFF:
        region = here.answers.place.region
        text = f"VPC Block Public Access of {region} is {mode}"
        yield LiveRule(id=BLOCK_RULE, holder=region, ours=False, planned=None, text=text)


def _filter(here: Situation, mode: str) -> Filter:
    vpcs = here.answers.parts.get(Part.VPCS, ())
    inside = PacketSet.of((*_INSIDE, *_ranges(vpcs)), None)
    rule = FilterRule(name=BLOCK_RULE, allow=False, packets=ALL - inside)
    name = f"VPC Block Public Access ({mode})"
    return Filter(
        name=name,
        kind=_KIND,
        order=Order.FIRST_MATCH,
        stateful=True,
        rules=(rule,),
        default_allow=True,
    )


def _ranges(vpcs: Iterable[Row]) -> Iterator[Network]:
    for row in vpcs:
        for each in row.get("CidrBlockAssociationSet") or ():
            yield ip_network(each["CidrBlock"])
        for each in row.get("Ipv6CidrBlockAssociationSet") or ():
            yield ip_network(each["Ipv6CidrBlock"])


def _refuses(here: Situation, interface: Interface, direction: Direction, mode: str) -> bool:
    """Whether packets of some card of `interface` cannot cross the internet gateway this way."""
    places = _places(here, interface)
    excluded = _exclusions(here.answers)
    modes = [excluded.get(place) or excluded.get(here.answers.place.vpc) for place in places]
    arriving = direction is Direction.INGRESS
    if arriving:
        return any(each != "allow-bidirectional" for each in modes)
    return mode == _BOTH_WAYS and any(each is None for each in modes)


def _places(here: Situation, interface: Interface) -> tuple[str, ...]:
    """The subnets that the cards of an interface are in, else those of its tier."""
    used = tuple(str(card["SubnetId"]) for _, card in here.on(interface.key))
    return used or here.site.network.tiers[interface.tier].subnets or ("",)


def _exclusions(answers: Answers) -> Mapping[str, str]:
    """The modes of exclusions in force, by the id of their VPC or subnet."""
    return {
        str(row.get("ResourceArn", "")).rsplit("/", 1)[-1]: str(
            row.get("InternetGatewayExclusionMode")
        )
        for row in answers.parts.get(Part.EXCLUSIONS, ())
        if row.get("State") in ("create-complete", "update-complete", "update-in-progress")
    }
