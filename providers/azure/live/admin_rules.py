"""Security admin rules: what Azure Virtual Network Manager decides before any NSG.

Deny drops, whatever the NSGs say; AlwaysAllow delivers, whatever they say; Allow leaves the packet
to them (security admin rules). What they match is read as though they were rules of an NSG, so that
addresses, ports and sides have one meaning. Their verdict then stands before the rules of every
NSG of the interface: a packet passes all of them exactly where Azure delivers it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, FilterRule
from flowbridge.policy.point import Point
from flowbridge.providers.azure.live.answers import Answers, Part, network_parts, properties
from flowbridge.providers.azure.live.as_terraform import live_terraform
from flowbridge.providers.azure.meaning.filters import enforcement
from flowbridge.providers.azure.meaning.rule import LOWEST_PRIORITY
from flowbridge.providers.live.answered import Row
from flowbridge.providers.meaning.odd import Odd
from flowbridge.providers.terraform.address import TerraformAddress
from flowbridge.providers.terraform.blocks import Block

_ALLOW: Final = "Allow"


@dataclass(frozen=True, slots=True)
class AdminRules:
    """`stages` are filters of the admin rules alone; `access` is the verdict by rule name."""

    rows: Mapping[str, Row]
    stages: Mapping[Point, Filter]
    access: Mapping[str, str]

    @classmethod
    def read(
        cls,
        answers: Answers,
        policy: Policy,
        site: Site,
        judged: Iterable[Interface],
    ) -> AdminRules:
        """ValueError for a rule that is not understood."""
        rows = answers.parts.get(Part.ADMIN_RULES, ())
        if not rows:
            return cls({}, {}, {})
        nsgs: dict[str, Row] = {}
        by_name: dict[str, Row] = {}
        for network in answers.place.networks:
            mine = sorted(
                (row for row in rows if row["network"] == network),
                key=_priority,
            )
            listed = []
            # Their priorities begin at 1 and are unique in a collection only.
            for number, row in enumerate(mine, LOWEST_PRIORITY):
                name = _unique(_name(row, number), by_name)
                by_name[name] = row
                listed.append(_as_security_rule(name, number, row))
            identity = f"{network}/securityAdminRules"
            nsgs[network.lower()] = {
                "id": identity,
                "name": "security-admin-rules",
                "properties": {"securityRules": listed},
            }
        subnets = {subnet for tier in site.network.tiers.values() for subnet in tier.subnets}
        document = live_terraform(
            nsgs.values(),
            (),
            {},
            (),
            [
                (subnet, nsgs[network.lower()]["id"])
                for subnet in sorted(subnets)
                for network in answers.place.networks
                if subnet.lower().startswith(f"{network.lower()}/")
            ],
            (),
        )
        found = enforcement(document, policy, site, judged, Odd.TELL)
        names = _names(document)
        stages = {
            point: replace(
                stage,
                rules=tuple(
                    replace(rule, name=names[rule.name], built_in=False)
                    for rule in stage.rules
                    if rule.name in names
                ),
                unknown=tuple(each.of(names.get(each.rule, each.rule)) for each in stage.unknown),
            )
            for point, filters in found.items()
            for stage in filters
        }
        access = {name: str(properties(row).get("access")) for name, row in by_name.items()}
        return cls(by_name, stages, access)

    def before(self, found: Enforcement) -> Enforcement:
        """`found` with the verdicts of the admin rules before those of every NSG."""
        if not self.rows:
            return found
        return {
            point: tuple(self._before(point, stage) for stage in filters)
            for point, filters in found.items()
        }

    def _before(self, point: Point, stage: Filter) -> Filter:
        own = self.stages.get(point)
        if own is None:
            return stage
        decided: list[FilterRule] = []
        for rule, share in zip(own.rules, own.shares(), strict=True):
            if share and self.access[rule.name] != _ALLOW:
                decided.append(replace(rule, packets=share))
        rules = (*decided, *stage.rules)
        return replace(stage, rules=rules, unknown=(*own.unknown, *stage.unknown))


def _priority(row: Row) -> int:
    """The priority; one that is none is tried first, so that nothing hides behind it."""
    found = properties(row).get("priority")
    return found if isinstance(found, int) else 0


def _name(row: Row, number: int) -> str:
    """By the names in its id: `security-admin-rule/MANAGER/CONFIGURATION/COLLECTION/RULE`.

    A rule's own name is unique in its collection alone.
    """
    path = str(row.get("id") or "").split("/")
    kinds = [part.lower() for part in path]
    if "networkmanagers" in kinds:
        names = path[kinds.index("networkmanagers") + 1 :: 2]
    else:
        names = [path[-1] or str(properties(row).get("flag") or number)]
    return "/".join(["security-admin-rule", *names])


def _unique(name: str, taken: Mapping[str, Row]) -> str:
    """The same rule may be in force in several networks."""
    found, count = name, 1
    while found in taken:
        count += 1
        found = f"{name} ({count})"
    return found


def _as_security_rule(name: str, priority: int, row: Row) -> dict[str, Any]:
    own = properties(row)
    protocol = str(own.get("protocol"))
    body: dict[str, Any] = {
        "priority": priority,
        "direction": own.get("direction"),
        "access": "Deny" if str(own.get("access")) == "Deny" else _ALLOW,
        "protocol": "*" if protocol.lower() == "any" else protocol,
        "description": own.get("description") or "",
        "sourcePortRanges": _ports(own.get("sourcePortRanges")),
        "destinationPortRanges": _ports(own.get("destinationPortRanges")),
        "sourceAddressPrefixes": _prefixes(own.get("sources")),
        "destinationAddressPrefixes": _prefixes(own.get("destinations")),
    }
    return {"name": name, "properties": body}


def _ports(texts: Any) -> list[str]:
    found = [str(text) for text in texts or ()]
    whole = not found or "*" in found or "0-65535" in found
    return ["*"] if whole else found


def _prefixes(items: Any) -> list[str]:
    """Address prefixes and service tags; a network group is left to be told as unknown."""
    found = [str(item.get("addressPrefix")) for item in items or ()]
    return found or ["*"]


def _names(document: Mapping[str, Any]) -> dict[str, str]:
    return {
        rule.address: str(rule.get("name"))
        for kind, bodies in document["resource"].items()
        for name, body in bodies.items()
        for rule in Block(TerraformAddress.of(kind, name), body).blocks("security_rule")
    }


def admin_text(row: Row) -> str:
    """The rule as the portal shows it, in one line."""
    own = properties(row)
    network = network_parts(row["network"])[2]
    ports = ", ".join(_ports(own.get("destinationPortRanges")))
    ends = " to ".join(", ".join(_prefixes(own.get(end))) for end in ("sources", "destinations"))
    return (
        f"security admin rule, {own.get('direction')} {own.get('priority')} {own.get('access')} "
        f"{own.get('protocol')} {ports} from {ends} in {network}"
    )
