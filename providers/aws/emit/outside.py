"""The internet without the inside, as security groups can say it: the CIDRs around the inside.

That is some forty rules in the place of one, so it is done only where no network ACL denies the
inside, and only as far as the rule quota goes: what opens most ports comes first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_network

from flowbridge.deployment.addresses import is_private, outside, shown, within
from flowbridge.providers.aws.emit.group_split import fills
from flowbridge.providers.aws.emit.rule import Rule
from flowbridge.providers.aws.quotas import Quotas


def without_inside(rules: Sequence[Rule], quotas: Quotas) -> tuple[Rule, ...]:
    """`rules` of one interface and direction, with as many of those for the internet cut up as
    the quota takes."""
    out = list(rules)
    for rule in sorted(rules, key=_widest_first):
        if rule.peer.inside:
            cut_up = [other for other in out if other is not rule] + list(_parts(rule))
            # Groups filled to the last would leave no room for the next change.
            if not fills(cut_up, quotas.rules_per_security_group.value, quotas.groups):
                out = cut_up
    return tuple(out)


def _widest_first(rule: Rule) -> tuple[int, str]:
    ports = (rule.last or 0) - (rule.first or 0) if rule.protocol.has_ports else 0
    return -ports, rule.name


def _parts(rule: Rule) -> Iterator[Rule]:
    """The rule for each CIDR around the private addresses inside: single public addresses would
    take dozens of rules each, so each part still says which of them it holds."""
    inside = [network for network in rule.peer.inside if is_private(network)]
    public = [network for network in rule.peer.inside if not is_private(network)]
    for network in outside([ip_network(rule.peer.value)], inside):
        held = tuple(one for one in public if within(one, [network]))
        peer = replace(rule.peer, value=str(network), label=shown(network), inside=held)
        yield replace(rule, peer=peer)
