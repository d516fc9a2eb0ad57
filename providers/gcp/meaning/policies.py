"""Network firewall policies: lists of rules by priority, attached to networks.

A rule allows, denies, or sends the packet on (`goto_next`); what no rule matches goes on too.
The policies of a network are the global ones and then those of its region.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.point import Direction
from flowbridge.policy.unknown import peers as unknown_peers
from flowbridge.providers.gcp.meaning.networks import NetworkName, Networks
from flowbridge.providers.gcp.meaning.rule import (
    EVERYTHING,
    Action,
    FirewallRule,
    direction_of,
    joined,
    left_open,
    matched,
    ranges,
    untargeted,
    without_meaning,
)
from flowbridge.providers.gcp.meaning.targets import SECURE_TAG, Targets
from flowbridge.providers.meaning.odd import Odd
from flowbridge.providers.meaning.rule_side import RuleSide
from flowbridge.providers.terraform.blocks import Block, is_expression, refer, resources

LOWEST_PRIORITY: Final = 2147483647
_SCOPES: Final = (
    "google_compute_network_firewall_policy",
    "google_compute_region_network_firewall_policy",
)
_HIERARCHICAL: Final = (
    "google_compute_firewall_policy_rule",
    "google_compute_firewall_policy_with_rules",
)
# What narrows or names peers in ways that addresses in a file do not tell.
_UNKNOWN_PEERS: Final = (
    "address_groups",
    "region_codes",
    "threat_intelligences",
)
_NARROWING: Final = (
    "src_network_scope",
    "src_network_context",
    "src_network_type",
    "src_networks",
    "dest_network_scope",
    "dest_network_context",
    "dest_network_type",
)


def policy_stages(
    terraform: Mapping[str, Any],
    here: NetworkName,
    networks: Networks,
    targets: Targets,
    site: Site,
    odd: Odd = Odd.REFUSE,
) -> tuple[tuple[FirewallRule, ...], ...]:
    """The rules of each policy attached to `here`, in the order of evaluation."""
    for kind in _HIERARCHICAL:
        for block in resources(terraform, kind).values():
            raise block.refusal(
                "hierarchical policies are decided before any other, for projects that the file "
                "does not tell; judge this file without them"
            )
    stages = []
    for scope in _SCOPES:
        bare = resources(terraform, scope)
        whole = resources(terraform, f"{scope}_with_rules")
        rules = resources(terraform, f"{scope}_rule")
        for association in resources(terraform, f"{scope}_association").values():
            if not networks.named(association, "attachment_target").means(here):
                continue
            policy = _policy(association, bare | whole)
            if policy is None or _elsewhere((bare | whole)[policy], site):
                continue
            blocks = [*(bare | whole)[policy].blocks("rule")]
            blocks += [b for b in rules.values() if _policy(b, bare | whole) == policy]
            read = [
                rule
                for block in blocks
                if _on(block)
                for rule in odd.read(
                    block.address,
                    partial(_read, block, here, targets),
                    partial(without_meaning, block),
                )
            ]
            stages.append(_in_order(policy, read, odd))
    return tuple(stages)


def _on(block: Block) -> bool:
    return not block.flag("disabled")


def _elsewhere(policy: Block, site: Site) -> bool:
    """A regional policy of another region."""
    region = policy.text("region")
    return region is not None and region != site.region and "${" not in region


def _policy(block: Block, policies: Mapping[str, Block]) -> str | None:
    """The address of the policy that `block` belongs to; None for one outside this file."""
    value = block.text("firewall_policy")
    if value is None:
        raise block.refusal("`firewall_policy` is missing")
    if is_expression(value):
        return refer(value, policies, block, "firewall_policy")
    name = value.rsplit("/", 1)[-1]
    return next((a for a, policy in policies.items() if policy.text("name") == name), None)


def _read(block: Block, here: NetworkName, targets: Targets) -> tuple[FirewallRule, ...]:
    return (_rule(block, here, targets),)


def _in_order(policy: str, rules: list[FirewallRule], odd: Odd) -> tuple[FirewallRule, ...]:
    rules.sort(key=lambda rule: rule.priority)
    for one, two in pairwise(rules):
        if one.priority == two.priority and odd is Odd.REFUSE:
            raise ValueError(
                f"{two.block.address}: priority {two.priority} of {policy} is taken by "
                f"{one.block.address}"
            )
    return tuple(rules)


def _rule(block: Block, here: NetworkName, targets: Targets) -> FirewallRule:
    direction = direction_of(block)
    priority = block.required_number("priority")
    if not 0 <= priority <= LOWEST_PRIORITY:
        raise block.refusal(f"`priority` is {priority}, not 0 to {LOWEST_PRIORITY}")
    action = (block.literal("action") or "").lower()
    if action not in list(Action):
        raise block.refusal(f"`action` is {action!r}; only allow, deny and goto_next are judged")
    matches = block.blocks("match")
    if len(matches) != 1:
        raise block.refusal("needs exactly one `match` block")
    [match] = matches
    narrowing = [key for key in _NARROWING if match.has(key)]
    if narrowing:
        raise match.refusal(f"`{narrowing[0]}` depends on what the file does not tell")
    source = _side(match, "src", here, targets)
    destination = _side(match, "dest", here, targets)
    remote, local = (
        (source, destination) if direction is Direction.INGRESS else (destination, source)
    )
    if remote is None:
        raise match.refusal(f"an {direction.value} rule has to say which peers it is for")
    layers = (*match.blocks("layer4_configs"), *match.blocks("layer4_config"))
    if not layers:
        raise match.refusal("`layer4_configs` is missing")
    reached, unknown = targets.reached(
        (
            ("secure tag", targets.tags.get, _secure_tags(block, "target", here, targets)),
            ("service account", targets.accounts.get, block.texts("target_service_accounts")),
        )
    )
    local = local or EVERYTHING
    return FirewallRule(
        block=block,
        direction=direction,
        priority=priority,
        action=Action(action),
        local=local,
        targets=reached,
        packets=matched(remote, layers, "ip_protocol"),
        unknown=(*left_open(block, remote, local, unknown), *untargeted(block, reached, here)),
    )


def _secure_tags(block: Block, stem: str, here: NetworkName, targets: Targets) -> list[str]:
    values = []
    for key in (f"{stem}_secure_tags", f"{stem}_secure_tag"):
        for tag in block.blocks(key):
            name = tag.text("name")
            if name is None:
                raise tag.refusal("`name` is missing")
            values.append(targets.secure_tag(name, here, tag))
    return values


def _side(match: Block, end: str, here: NetworkName, targets: Targets) -> RuleSide | None:
    """What `match` says of one end; None where it says nothing."""
    hosts = match.texts(f"{end}_fqdns")
    tags = _secure_tags(match, end, here, targets) if end == "src" else []
    unknown = [
        unknown_peers(f"the addresses of {end}_{key} {item}")
        for key in _UNKNOWN_PEERS
        for item in match.texts(f"{end}_{key}")
    ]
    if not (unknown or hosts or tags or match.has(f"{end}_ip_ranges")):
        return None
    unknown += [
        unknown_peers(f"the addresses of {host}")
        for host in hosts
        if host.lower() not in targets.hosts
    ]
    named = tuple(address for host in hosts for address in targets.hosts.get(host.lower(), ()))
    return joined(
        (
            ranges(match, f"{end}_ip_ranges"),
            targets.as_source(SECURE_TAG, targets.tags.get, tags, here),
            RuleSide(named, unknown=tuple(unknown)),
        )
    )
