"""Live firewall rules and policies in the shape of Terraform JSON, so that they have one meaning.

What a rule lets through is decided in `semantics_classic` and `semantics_policy` alone. Here the
API's fields get the names that Terraform gives them. Where a rule depends on what no address tells
(the kind of network, a security profile), it is judged as the more open of what it may do, and
named in `doubts`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowbridge.policy.point import Direction
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.gcp.emit.vpc_rules import FIREWALL
from flowbridge.providers.gcp.live.answers import Answers, Part, network_parts
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.providers.provider import TerraformJson
from flowbridge.providers.terraform.nested_address import nested_addresses

Body = dict[str, Any]

NETWORK: Final = "google_compute_network"
_GLOBAL: Final = "google_compute_network_firewall_policy"
_REGIONAL: Final = "google_compute_region_network_firewall_policy"
_EVERYWHERE: Final = ["0.0.0.0/0", "::/0"]
_LISTS: Final = {
    "sourceRanges": "source_ranges",
    "destinationRanges": "destination_ranges",
    "sourceTags": "source_tags",
    "targetTags": "target_tags",
    "sourceServiceAccounts": "source_service_accounts",
    "targetServiceAccounts": "target_service_accounts",
}
_PEERS: Final = {
    "IpRanges": "ip_ranges",
    "Fqdns": "fqdns",
    "AddressGroups": "address_groups",
    "RegionCodes": "region_codes",
    "ThreatIntelligences": "threat_intelligences",
}
_NARROWING: Final = (
    "srcNetworkContext",
    "srcNetworkType",
    "srcNetworkScope",
    "srcNetworks",
    "destNetworkContext",
    "destNetworkType",
    "destNetworkScope",
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """What a live rule leaves open, in its network and for one direction (None: for both)."""

    unknown: Unknown
    network: tuple[str, str]
    direction: Direction | None


@dataclass(frozen=True, slots=True)
class LiveDocument:
    """`above` are the policies that are decided before everything in `document`.

    `names` are live rule names by Terraform address; `doubts` say what live rules of policies hang
    on that is not judged.
    """

    document: TerraformJson
    above: TerraformJson
    names: Mapping[str, str]
    doubts: tuple[Doubt, ...]


def path_of(network: tuple[str, str]) -> str:
    project, name = network
    return f"projects/{project}/global/networks/{name}"


def policy_name(policy: Row) -> str:
    """What a person calls a policy."""
    return str(policy.get("displayName") or policy.get("shortName") or policy.get("name"))


def policy_rule_id(policy: Row, rule: Row) -> str:
    """How a rule of a policy is called: the policy and the priority, which is its key there."""
    return f"{policy_name(policy)}/{rule.get('priority', 0)}"


def is_above(policy: Row) -> bool:
    """Whether a policy is decided before VPC firewall rules: hierarchical and system ones."""
    kind = str(policy.get("type", ""))
    return "HIERARCHY" in kind or "SYSTEM" in kind


def policies(answers: Answers) -> Iterator[Row]:
    """The policies in force, those of each network in the order in which they are decided."""
    yield from (row for row in answers.parts.get(Part.EFFECTIVE, ()) if "firewalls" not in row)


def live_document(answers: Answers) -> LiveDocument:
    """Every rule and policy of our networks."""
    document: defaultdict[str, Body] = defaultdict(dict)
    above: defaultdict[str, Body] = defaultdict(dict)
    names: dict[str, str] = {}
    doubts: list[Doubt] = []
    for row in answers.rows(Part.NETWORKS):
        document[NETWORK][f"{row['project']}_{row['name']}"] = {
            "name": row["name"],
            "network_firewall_policy_enforcement_order": row.get(
                "networkFirewallPolicyEnforcementOrder"
            ),
        }
    for row in firewalls(answers):
        document[FIREWALL][row["name"]] = firewall_body(row)
        names[f"{FIREWALL}.{row['name']}"] = row["name"]
    for number, row in enumerate(policies(answers)):
        held = above if is_above(row) else document
        scope = _REGIONAL if "REGIONAL" in str(row.get("type", "")) else _GLOBAL
        # Names that keep the order in which the API lists them.
        name = f"x{number:04d}"
        rules: list[Body] = []
        called: list[str] = []
        for rule in _in_order(row):
            live = policy_rule_id(row, rule)
            try:
                body, doubt = policy_rule_body(rule, row["network"])
            except ODD_SHAPE as error:
                body, doubt = None, f"its shape is not known ({error!r})"
            if doubt and not rule.get("disabled"):
                ways = [way for way in Direction if way.name == rule.get("direction")]
                way = ways[0] if ways else None
                doubts.append(Doubt(Unknown(live, doubt, Why.MEANING), row["network"], way))
            if body is not None:
                called.append(live)
                rules.append(body)
        addresses = nested_addresses(f"{scope}_with_rules.{name}", "rule", rules)
        names |= dict(zip(addresses, called, strict=True))
        held[f"{scope}_with_rules"][name] = {"name": name, "rule": rules}
        held[f"{scope}_association"][name] = {
            "attachment_target": path_of(row["network"]),
            "firewall_policy": f"${{{scope}_with_rules.{name}.id}}",
        }
    return LiveDocument(
        {"resource": dict(document)}, {"resource": dict(above)}, names, tuple(doubts)
    )


def firewalls(answers: Answers) -> Iterator[Row]:
    """The VPC firewall rules of our networks."""
    for row in answers.rows(Part.FIREWALLS):
        if network_parts(row["network"], row["project"]) in answers.place.networks:
            yield row


def firewall_body(row: Row) -> Body:
    """A `Firewall` of the API."""
    body: Body = {
        "name": row["name"],
        "network": row["network"],
        "description": row.get("description") or "",
        "direction": row.get("direction"),
        "priority": row.get("priority"),
        "disabled": bool(row.get("disabled")),
        **{ours: list(row[theirs]) for theirs, ours in _LISTS.items() if row.get(theirs)},
    }
    for theirs, ours in (("allowed", "allow"), ("denied", "deny")):
        if row.get(theirs):
            body[ours] = [_layer(each, "IPProtocol", "protocol") for each in row[theirs]]
    return body


def policy_rule_body(rule: Row, network: tuple[str, str]) -> tuple[Body | None, str]:
    """A `FirewallPolicyRule`, and what it hangs on that is not judged.

    None for a rule that is not for machines of `network`, or that cannot close anything for sure.
    """
    targets = [network_parts(each, "") for each in rule.get("targetResources") or ()]
    balancers = rule.get("targetForwardingRules") or "LB" in str(rule.get("targetType", ""))
    if balancers or (targets and network not in targets):
        return None, ""
    match = rule.get("match") or {}
    action = str(rule.get("action", ""))
    narrowing = [key for key in _NARROWING if match.get(key) not in (None, "", [])]
    doubt = f"it hangs on {', '.join(narrowing)}" if narrowing else ""
    if action == "apply_security_profile_group":
        action, doubt = "allow", "a security profile decides on its packets"
    if narrowing and action != "allow":
        return None, doubt
    ingress = rule.get("direction") == "INGRESS"
    own: Body = {
        "layer4_configs": [
            _layer(each, "ipProtocol", "ip_protocol")
            for each in match.get("layer4Configs") or ({"ipProtocol": "all"},)
        ]
    }
    for end in ("src", "dest"):
        for theirs, ours in _PEERS.items():
            if match.get(f"{end}{theirs}"):
                own[f"{end}_{ours}"] = list(match[f"{end}{theirs}"])
    if match.get("srcSecureTags"):
        own["src_secure_tags"] = [{"name": tag["name"]} for tag in match["srcSecureTags"]]
    side = "src" if ingress else "dest"
    if not any(key.startswith(f"{side}_") for key in own):
        own[f"{side}_ip_ranges"] = _EVERYWHERE
    body: Body = {
        "priority": rule.get("priority", 0),
        "action": action,
        "direction": rule.get("direction"),
        "disabled": bool(rule.get("disabled")),
        "description": rule.get("description") or "",
        "match": [own],
    }
    if rule.get("targetServiceAccounts"):
        body["target_service_accounts"] = list(rule["targetServiceAccounts"])
    if rule.get("targetSecureTags"):
        body["target_secure_tags"] = [{"name": tag["name"]} for tag in rule["targetSecureTags"]]
    return body, doubt


def _layer(row: Row, theirs: str, ours: str) -> Body:
    return {ours: row.get(theirs), **({"ports": list(row["ports"])} if row.get("ports") else {})}


def _priority(rule: Row) -> int:
    """The priority; one that is none is tried first, so that nothing hides behind it."""
    found = rule.get("priority", 0)
    return found if isinstance(found, int) else 0


def _in_order(policy: Row) -> Iterable[Row]:
    return sorted(policy.get("rules") or (), key=_priority)
