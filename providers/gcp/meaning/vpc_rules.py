"""VPC firewall rules (`google_compute_firewall`): by rising priority; in a tie, deny first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from flowbridge.policy.point import Direction
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
from flowbridge.providers.gcp.meaning.targets import Targets
from flowbridge.providers.meaning.odd import Odd
from flowbridge.providers.meaning.rule_side import RuleSide
from flowbridge.providers.terraform.blocks import Block, network, resources

DEFAULT_PRIORITY: Final = 1000
LOWEST_PRIORITY: Final = 65535


def classic_rules(
    terraform: Mapping[str, Any],
    here: NetworkName,
    networks: Networks,
    targets: Targets,
    odd: Odd = Odd.REFUSE,
) -> tuple[FirewallRule, ...]:
    """The rules of the network `here` in the order of evaluation; ValueError names a bad one."""
    rules = [
        rule
        for block in resources(terraform, "google_compute_firewall").values()
        if networks.named(block, "network").means(here) and not block.flag("disabled")
        for rule in odd.read(
            block.address,
            partial(_read, block, here, targets),
            partial(without_meaning, block),
        )
    ]
    return tuple(sorted(rules, key=lambda rule: (rule.priority, rule.action is Action.ALLOW)))


def _read(block: Block, here: NetworkName, targets: Targets) -> tuple[FirewallRule, ...]:
    return (_rule(block, here, targets),)


def _rule(block: Block, here: NetworkName, targets: Targets) -> FirewallRule:
    direction = direction_of(block, "INGRESS")
    priority = block.number("priority")
    priority = DEFAULT_PRIORITY if priority is None else priority
    if not 0 <= priority <= LOWEST_PRIORITY:
        raise block.refusal(f"`priority` is {priority}, not 0 to {LOWEST_PRIORITY}")
    allow, deny = block.blocks("allow"), block.blocks("deny")
    if bool(allow) == bool(deny):
        raise block.refusal("needs either `allow` or `deny` blocks")
    sources = _sources(block, here, targets)
    destinations = ranges(block, "destination_ranges")
    if direction is Direction.INGRESS:
        remote = sources or RuleSide((network("0.0.0.0/0", block),))
        local = destinations if block.has("destination_ranges") else EVERYTHING
    else:
        if block.has("source_tags") or block.has("source_service_accounts"):
            raise block.refusal("an EGRESS rule takes no source tags or service accounts")
        given = block.has("destination_ranges")
        remote = destinations if given else RuleSide((network("0.0.0.0/0", block),))
        local = sources or EVERYTHING
    reached, unknown = targets.reached(
        (
            ("tag", targets.tags.get, block.texts("target_tags")),
            ("service account", targets.accounts.get, block.texts("target_service_accounts")),
        )
    )
    return FirewallRule(
        block=block,
        direction=direction,
        priority=priority,
        action=Action.ALLOW if allow else Action.DENY,
        local=local,
        targets=reached,
        packets=matched(remote, allow or deny, "protocol"),
        unknown=(*left_open(block, remote, local, unknown), *untargeted(block, reached, here)),
    )


def _sources(block: Block, here: NetworkName, targets: Targets) -> RuleSide | None:
    """Ranges, tags and accounts together; None where none is given."""
    if not any(map(block.has, ("source_ranges", "source_tags", "source_service_accounts"))):
        return None
    tags, accounts = block.texts("source_tags"), block.texts("source_service_accounts")
    return joined(
        (
            ranges(block, "source_ranges"),
            targets.as_source("network tag", targets.tags.get, tags, here),
            targets.as_source("service account", targets.accounts.get, accounts, here),
        )
    )
