"""Whether the rules fit: what they use of each limit, and a refusal where one is exceeded."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from flowbridge.deployment.finding import Finding, Severity
from flowbridge.providers.gcp.emit.network_policy import host_names, tuples
from flowbridge.providers.gcp.emit.rule import Rule
from flowbridge.providers.gcp.quotas import Quota, Quotas
from flowbridge.providers.provider import Usage

_TOLD: Final = 5


def usage(rules: Sequence[Rule], site: str, quotas: Quotas, in_policies: bool) -> Iterator[Usage]:
    """What `rules` use of every limit whose value is known."""
    if in_policies:
        for network, members in _by_network(rules):
            yield from quotas.policy_tuples.usage(f"{site} {network}", tuples(members))
    else:
        yield from quotas.firewall_rules.usage(site, len(rules))
    ranges = quotas.ranges_per_policy_rule if in_policies else quotas.ranges_per_rule
    by_interface: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_interface[rule.interface.key].append(rule)
    for key, members in sorted(by_interface.items()):
        scope = f"{site} {key}"
        yield from ranges.usage(scope, max(len(rule.peer.networks) for rule in members))
        ports = max(len(layer.ports) for rule in members for layer in rule.layers)
        yield from quotas.ports_per_protocol.usage(scope, ports)


def refusals(
    rules: Sequence[Rule], site: str, quotas: Quotas, in_policies: bool
) -> Iterator[Finding]:
    """One for each limit that is exceeded."""
    for rule in rules:
        where = f"{rule.interface.key} {rule.direction} {rule.peer.party}"
        ranges = quotas.ranges_per_policy_rule if in_policies else quotas.ranges_per_rule
        yield from _exceeded(
            ranges,
            len(rule.peer.networks),
            "gcp/too-many-ranges",
            f"the rule {where} needs {{used}} address ranges of {{allowed}}: name fewer, wider "
            f"ranges for {rule.peer.party}",
            f"systems.{rule.peer.party}.addresses",
        )
        if in_policies:
            yield from _exceeded(
                quotas.host_names_per_rule,
                len(host_names(rule)),
                "gcp/too-many-host-names",
                f"the rule {where} needs {{used}} host names of {{allowed}}: name fewer",
                f"systems.{rule.peer.party}.fqdns",
            )
    if in_policies:
        for network, members in _by_network(rules):
            yield from _exceeded(
                quotas.policy_tuples,
                tuples(members),
                "gcp/policy-does-not-fit",
                f"the firewall policy of network {network} takes {{used}} rule tuples of "
                f"{{allowed}}; most go to {_most(_tuples(members))}: "
                f"{quotas.policy_tuples.remedy}, or name fewer, wider ranges",
                "quotas.firewall_policy_tuples",
            )
    else:
        yield from _exceeded(
            quotas.firewall_rules,
            len(rules),
            "gcp/rules-do-not-fit",
            f"{site} needs {{used}} firewall rules and the project takes {{allowed}}, with all "
            f"that others have there; most are of {_most(_interfaces(rules))}: "
            f"{quotas.firewall_rules.remedy}, ask for fewer services, or write "
            "`options: {gcp: {rules: network-policy}}`, whose rules do not count among these",
            "quotas.firewall_rules",
        )


def unknown_tuples(rules: Sequence[Rule], quotas: Quotas) -> Iterator[Finding]:
    """What a policy takes of a ceiling that only the project's quotas tell."""
    if quotas.policy_tuples.value is not None:
        return
    for network, members in _by_network(rules):
        yield Finding(
            id="gcp/policy-tuples",
            severity=Severity.NOTE,
            message=f"the firewall policy of network {network} takes {tuples(members)} rule "
            "tuples; state the project's ceiling as `quotas: {firewall_policy_tuples: N}` to have "
            "it checked",
            source=quotas.policy_tuples.source,
            key="quotas.firewall_policy_tuples",
        )


def _interfaces(rules: Iterable[Rule]) -> Counter[str]:
    """Rules by interface."""
    return Counter(rule.interface.key for rule in rules)


def _tuples(rules: Iterable[Rule]) -> Counter[str]:
    """Tuples by peer and interface."""
    counts: Counter[str] = Counter()
    for rule in rules:
        counts[f"{rule.peer.party} at {rule.interface.key}"] += tuples((rule,))
    return counts


def _most(counts: Counter[str]) -> str:
    """`phone at cucm/single (40), ...`: the five that take most."""
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_TOLD]
    return ", ".join(f"{name} ({count})" for name, count in most)


def _by_network(rules: Iterable[Rule]) -> list[tuple[str, list[Rule]]]:
    found: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        found[rule.network].append(rule)
    return sorted(found.items())


def _exceeded(quota: Quota, used: int, name: str, message: str, key: str) -> Iterator[Finding]:
    if quota.value is not None and used > quota.value:
        yield Finding(
            id=name,
            severity=Severity.REFUSAL,
            message=message.replace("{used}", str(used)).replace("{allowed}", str(quota.value)),
            source=quota.source,
            key=key,
        )
