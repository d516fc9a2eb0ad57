"""The live estate of a deployment in AWS: its filters, who made each rule, and what departs.

Pure: made from the answers of one fetch. The meaning of rules is that of Terraform JSON
(`providers.aws.meaning.filters`); see `live_terraform`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Estate
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import unknown_of
from flowbridge.providers.aws.live.answers import Answers, Part
from flowbridge.providers.aws.live.deviations import deviations
from flowbridge.providers.aws.live.faults import garbled
from flowbridge.providers.aws.live.fetch import BLOCK_CALL
from flowbridge.providers.aws.live.judged import enforcement_of
from flowbridge.providers.aws.live.public_access import block_rule
from flowbridge.providers.aws.live.rules import acl_live_rules, group_live_rules
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.unjudged import (
    UNMANAGED,
    estate_or_unread,
    refuse_odd_answer,
    unjudged,
)


def estate(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any], access: Access
) -> Estate:
    """See `providers.live.contract.LiveReader.estate`."""
    read = _counts(answers)
    if not answers.has(Part.GROUPS, Part.RULES):
        return unjudged(answers.scope, answers.judged_unread, read)
    return estate_or_unread(
        answers.scope,
        lambda: _estate(Situation.of(answers, policy, site, planned, access)),
        garbled,
        answers.judged_unread,
        read,
    )


_ASIDE: Final = (Part.BLOCKS, Part.EXCLUSIONS)


def _counts(answers: Answers) -> dict[str, int]:
    return {str(part): len(rows) for part, rows in answers.parts.items() if part not in _ASIDE}


def _estate(here: Situation) -> Estate:
    groups = here.relevant_groups()
    rules = {
        rule.id: rule
        for rule in (*group_live_rules(here, groups), *acl_live_rules(here), *block_rule(here))
    }
    enforcement, around = enforcement_of(here)
    unknown = unknown_of(enforcement)
    refuse_odd_answer({rule.id for rule in group_live_rules(here, groups)}, unknown)
    lists = here.answers.lists_unread
    open_lists = {
        row["PrefixListId"]
        for row in here.answers.rows(Part.RULES)
        if row["GroupId"] in groups and row.get("PrefixListId") in lists
    }
    unread = (*here.answers.audit_unread, *(lists[name] for name in sorted(open_lists)))
    return Estate(
        scope=here.answers.scope,
        enforcement=enforcement,
        rules=rules,
        deviations=tuple(deviations(here)),
        unread=unread,
        managed=here.identity.managed,
        found=here.placement.found if here.answers.has(Part.CARDS) else None,
        notes=tuple(_notes(here)),
        read=_counts(here.answers),
        uncertain=_uncertain(here, bool(open_lists)),
        around=around,
    )


def _uncertain(here: Situation, lists: bool) -> frozenset[str]:
    """Where cards or lists were not read a rule may stand for more addresses than are known."""
    if lists or not here.answers.has(Part.CARDS, Part.LISTS):
        return frozenset(interface.key for interface in here.policy.interfaces)
    return frozenset()


def _notes(here: Situation) -> Iterator[str]:
    if not here.identity.managed:
        yield UNMANAGED
    for unread in here.answers.aside_unread:
        if unread.call == BLOCK_CALL:
            yield f"whether VPC Block Public Access is on could not be read ({unread.cause})"
    for name in here.identity.network_acls.icmp:
        yield f"{name}: the endpoint does not tell its ICMP type, which is taken as planned"
    if not here.answers.has(Part.CARDS):
        return
    for key, members in here.placement.absent.items():
        if members and not here.placement.groups[key]:
            yield (
                f"{key}: no network interface has {', '.join(members)}: the groups made for "
                "it are judged"
            )
