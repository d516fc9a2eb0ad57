"""Network firewall policies: one for each VPC network, all its rules in one resource.

One request replaces the whole rule set (`..._with_rules`), so an update has no steps. Machines
are chosen by secure tags, which this makes: a tag key belongs to one network, and a value of it
to each workload interface there.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flowbridge.deployment.clouds.gcp import whole_name
from flowbridge.policy.point import Direction
from flowbridge.providers.gcp.emit.emitted import (
    Emitted,
    description,
    lowered,
    reading_order,
)
from flowbridge.providers.gcp.emit.rule import Rank, Rule
from flowbridge.providers.gcp.emit.targets import Target, TargetKind
from flowbridge.providers.gcp.naming import cloud_name, digest, terraform_name
from flowbridge.providers.provider import LoweredRule
from flowbridge.providers.terraform.nested_address import nested_addresses

POLICY: Final = "google_compute_network_firewall_policy_with_rules"
ASSOCIATION: Final = "google_compute_network_firewall_policy_association"
TAG_KEY: Final = "google_tags_tag_key"
TAG_VALUE: Final = "google_tags_tag_value"
TAG_BINDING: Final = "google_tags_location_tag_binding"

# Priorities are unique in a policy. They come from the rule's identity, so that a new rule moves
# none; each rank has a band of its own. The lowest numbers and the highest stay free.
_BANDS: Final = {
    Rank.ALLOW: range(100_000, 1_000_000_000),
    Rank.DENY_INSIDE: range(1_000_000_000, 1_010_000_000),
    Rank.ALLOW_INTERNET: range(1_010_000_000, 1_100_000_000),
    Rank.DENY: range(1_100_000_000, 2_100_000_000),
}
_SIDE: Final = {Direction.INGRESS: "src", Direction.EGRESS: "dest"}
_HOST_NAME: Final = re.compile(
    r"(?=.{1,255}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)
# An instance as the tag service names it: the only form of attachment that a tag can be bound to.
_INSTANCE: Final = re.compile(
    r"//compute\.googleapis\.com/projects/\d+/zones/([^/]+)/instances/\d+"
)


def emit_network_policies(
    rules: Iterable[Rule], targets: Mapping[str, Target], project: str
) -> Emitted:
    """A policy, its association and its tags for each network that `rules` are in."""
    resources: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    read: list[LoweredRule] = []
    by_network: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_network[rule.network].append(rule)
    for network, members in sorted(by_network.items()):
        key, name = _names(members[0].site, network)
        own, short = whole_name(network, project)
        home = own or project
        tags = _tags(key, name, f"{home}/{short}", home, members, targets, resources)
        numbers = priorities(members)
        ordered = sorted(members, key=lambda rule: numbers[rule.identity])
        bodies = [
            _rule(rule, numbers[rule.identity], _target(rule, targets, tags)) for rule in ordered
        ]
        resources[POLICY][key] = {
            "name": name,
            "project": home,
            "description": f"Managed by Flowbridge for {members[0].site}",
            "rule": bodies,
        }
        resources[ASSOCIATION][key] = {
            "name": name,
            "project": home,
            "attachment_target": _link(network, home),
            "firewall_policy": f"${{{POLICY}.{key}.id}}",
        }
        addresses = nested_addresses(f"{POLICY}.{key}", "rule", bodies)
        called = {rule.identity: at for rule, at in zip(ordered, addresses, strict=True)}
        for rule in sorted(members, key=reading_order):
            number = numbers[rule.identity]
            read.extend(lowered(rule, called[rule.identity], number, description(rule)))
    return Emitted(
        {kind: dict(sorted(bodies.items())) for kind, bodies in sorted(resources.items())},
        tuple(read),
    )


def tuples(rules: Iterable[Rule]) -> int:
    """What the rules take of a policy's ceiling."""
    return sum(rule.attributes + len(host_names(rule)) for rule in rules)


def host_names(rule: Rule) -> list[str]:
    """The names that a policy can resolve by itself; a pattern such as `*.example.com` is none."""
    return [name for name in rule.peer.host_names if _HOST_NAME.fullmatch(name.lower())]


def priorities(rules: Iterable[Rule]) -> dict[tuple[str, ...], int]:
    """A number for each rule of one policy, by its identity."""
    found: dict[tuple[str, ...], int] = {}
    taken: set[int] = set()
    for rule in sorted(rules, key=lambda rule: rule.identity):
        band = _BANDS[rule.rank]
        text = "\x1f".join(rule.identity)
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % len(band)
        while band[number] in taken:  # one in millions; then the next number is as good
            number = (number + 1) % len(band)
        taken.add(band[number])
        found[rule.identity] = band[number]
    return found


def _names(site: str, network: str) -> tuple[str, str]:
    """The Terraform name and the cloud name of what belongs to one network."""
    token = "${" in network
    short = "network" if token else whole_name(network, None)[1]
    name = cloud_name((site, short), site, "" if token else network)
    return terraform_name(short, digest(site, "" if token else network)), name


def _link(network: str, project: str) -> str:
    if "${" in network or "/" in network:
        return network
    return f"projects/{project}/global/networks/{network}"


def _rule(rule: Rule, priority: int, target: dict[str, Any]) -> dict[str, Any]:
    side = _SIDE[rule.direction]
    match: dict[str, Any] = {
        f"{side}_ip_ranges": list(rule.peer.range_texts),
        "layer4_config": [
            {"ip_protocol": layer.protocol_text}
            | ({"ports": list(layer.port_texts)} if layer.port_texts else {})
            for layer in rule.layers
        ],
    }
    if names := host_names(rule):
        match[f"{side}_fqdns"] = names
    return {
        "priority": priority,
        "rule_name": rule.name,
        "description": description(rule),
        "direction": rule.direction.upper(),
        "action": rule.action.value,
        "match": [match],
        **target,
    }


def _target(rule: Rule, targets: Mapping[str, Target], tags: Mapping[str, str]) -> dict[str, Any]:
    target = targets[rule.interface.key]
    if target.kind is TargetKind.SERVICE_ACCOUNT:
        return {"target_service_accounts": [target.value]}
    return {"target_secure_tag": [{"name": tags[target.value]}]}


def _tags(
    key: str,
    name: str,
    network: str,
    project: str,
    rules: Iterable[Rule],
    targets: Mapping[str, Target],
    resources: defaultdict[str, dict[str, dict[str, Any]]],
) -> dict[str, str]:
    """Add the key and the values of one network; the ids of the values by their short names."""
    values: dict[str, str] = {}
    for interface in sorted({rule.interface for rule in rules}, key=lambda card: card.key):
        target = targets[interface.key]
        if target.kind is not TargetKind.SECURE_TAG:
            continue
        resources[TAG_KEY][key] = {
            "parent": f"projects/{project}",
            "short_name": name,
            "description": "Workload interfaces, for firewall rules made by Flowbridge",
            "purpose": "GCE_FIREWALL",
            "purpose_data": {"network": network},
        }
        value = terraform_name(interface.key, digest(key, interface.key))
        resources[TAG_VALUE][value] = {
            "parent": f"${{{TAG_KEY}.{key}.id}}",
            "short_name": target.value,
            "description": f"Machines of {interface.key}",
        }
        values[target.value] = f"${{{TAG_VALUE}.{value}.id}}"
        for member in interface.members:
            if (found := _INSTANCE.fullmatch(member.attachment or "")) is None:
                continue
            binding = terraform_name(interface.key, digest(key, interface.key, member.attachment))
            resources[TAG_BINDING][binding] = {
                "parent": member.attachment,
                "tag_value": values[target.value],
                "location": found[1],
            }
    return values
