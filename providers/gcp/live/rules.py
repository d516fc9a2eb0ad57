"""Who made each live rule, and how the console shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowbridge.policy.audit.estate import LiveRule
from flowbridge.providers.gcp.live.answers import network_parts
from flowbridge.providers.gcp.live.as_terraform import (
    firewalls,
    path_of,
    policies,
    policy_name,
    policy_rule_id,
)
from flowbridge.providers.gcp.live.situation import Situation
from flowbridge.providers.gcp.markers import Marker
from flowbridge.providers.live.answered import Row

# The last priorities of a policy are rules that the API made; they leave all to the next stage.
_PREDEFINED: Final = 2147483644


def live_rules(here: Situation) -> Iterator[LiveRule]:
    for row in firewalls(here.answers):
        name = str(row["name"])
        planned = here.identity.rules.get(name)
        yield LiveRule(
            id=name,
            holder=path_of(network_parts(row["network"], row["project"])),
            ours=name in here.identity.ours,
            planned=planned,
            text=_rule_text(row),
            description=row.get("description") or "",
            was=None if planned else here.identity.named.get(name),
            made_for=_made_for(here, row),
        )


def policy_live_rules(here: Situation) -> Iterator[LiveRule]:
    for policy in policies(here.answers):
        for rule in policy.get("rules") or ():
            if int(rule.get("priority", 0)) >= _PREDEFINED:
                continue
            name = policy_rule_id(policy, rule)
            planned = here.identity.rules.get(name)
            yield LiveRule(
                id=name,
                holder=policy_name(policy),
                ours=name in here.identity.ours,
                planned=planned,
                text=_policy_text(policy, rule),
                description=rule.get("description") or "",
                was=None if planned else here.identity.named.get(name),
                made_for=_made_for(here, rule),
            )


def _made_for(here: Situation, row: Row) -> str | None:
    marker = Marker.parse(row.get("description"))
    return marker.site if marker and marker.site != here.site.name else None


def _rule_text(row: Row) -> str:
    action = "allow" if row.get("allowed") else "deny"
    layers = ", ".join(map(_layer, row.get("allowed") or row.get("denied") or ()))
    ingress = row.get("direction") != "EGRESS"
    peers = [*(row.get("sourceRanges" if ingress else "destinationRanges") or ())]
    peers += [*(row.get("sourceTags") or ()), *(row.get("sourceServiceAccounts") or ())]
    targets = [*(row.get("targetTags") or ()), *(row.get("targetServiceAccounts") or ())]
    off = ", disabled" if row.get("disabled") else ""
    return (
        f"{str(row.get('direction', 'INGRESS')).lower()} {row.get('priority', 1000)} {action} "
        f"{layers} {'from' if ingress else 'to'} {_few(peers) or 'anywhere'} for "
        f"{_few(targets) or 'every machine'} in {str(row['network']).rsplit('/', 1)[-1]}{off}"
    )


def _policy_text(policy: Row, rule: Row) -> str:
    match = rule.get("match") or {}
    ingress = rule.get("direction") == "INGRESS"
    layers = ", ".join(map(_layer, match.get("layer4Configs") or ())) or "everything"
    peers = match.get("srcIpRanges" if ingress else "destIpRanges") or ()
    off = ", disabled" if rule.get("disabled") else ""
    return (
        f"{str(rule.get('direction')).lower()} {rule.get('priority')} {rule.get('action')} "
        f"{layers} {'from' if ingress else 'to'} {_few(list(peers)) or 'named peers'} in the "
        f"policy {policy_name(policy)}{off}"
    )


def _layer(row: Row) -> str:
    protocol = row.get("IPProtocol") or row.get("ipProtocol")
    return f"{protocol} {_few(list(row['ports']))}" if row.get("ports") else str(protocol)


def _few(texts: list[str]) -> str:
    more = f" and {len(texts) - 4} more" if len(texts) > 4 else ""
    return ", ".join(texts[:4]) + more
