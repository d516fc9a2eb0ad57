"""The live estate of a deployment in Azure: its filters, who made each rule, and what departs.

Pure: made from the answers of one fetch. The meaning of rules is that of Terraform JSON
(`providers.azure.meaning.filters`); see `judged` for how they are placed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Estate
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import unknown_of
from flowbridge.providers.azure.live.answers import (
    Answers,
    Part,
)
from flowbridge.providers.azure.live.deviations import deviations
from flowbridge.providers.azure.live.faults import garbled
from flowbridge.providers.azure.live.judged import enforcement_of
from flowbridge.providers.azure.live.rules import admin_live_rules, live_rules
from flowbridge.providers.azure.live.situation import Situation
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.unjudged import (
    UNMANAGED,
    estate_or_unread,
    refuse_odd_answer,
    unjudged,
)

_NEEDED: Final = (Part.NETWORKS, Part.NSGS, Part.CARDS)


def estate(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any], access: Access
) -> Estate:
    """See `providers.live.contract.LiveReader.estate`.

    Without the networks, the NSGs or the cards nothing is judged: who is a member of a group is
    known from the cards alone.
    """
    read = _counts(answers)
    if not answers.has(*_NEEDED):
        return unjudged(answers.scope, answers.audit_unread, read)
    return estate_or_unread(
        answers.scope,
        lambda: _estate(Situation.of(answers, policy, site, planned, access)),
        garbled,
        answers.audit_unread,
        read,
    )


def _counts(answers: Answers) -> dict[str, int]:
    aside = (Part.USAGES, Part.RESOURCE_GROUP, Part.UNSEEN)
    return {str(part): len(rows) for part, rows in answers.parts.items() if part not in aside}


def _estate(here: Situation) -> Estate:
    nsgs = here.relevant()
    judged, admin, around = enforcement_of(here, nsgs)
    rules = {rule.id: rule for rule in (*live_rules(here, nsgs), *admin_live_rules(admin))}
    unknown = unknown_of(judged)
    refuse_odd_answer({rule.id for rule in live_rules(here, nsgs)}, unknown)
    return Estate(
        scope=here.answers.scope,
        enforcement=judged,
        rules=rules,
        deviations=tuple(deviations(here, admin)),
        unread=here.answers.audit_unread,
        managed=here.identity.managed,
        found=here.placement.found,
        notes=tuple(_notes(here)),
        read=_counts(here.answers),
        around=around,
    )


def _notes(here: Situation) -> Iterator[str]:
    if not here.identity.managed:
        yield UNMANAGED
    for row in here.answers.parts.get(Part.UNSEEN, ()):
        name = str(row["id"]).rsplit("/", 1)[-1]
        yield (
            f"the peered network {name} could not be read ({row['cause']}: {row['message']}): "
            "who of it is in an application security group cannot be told"
        )
    for key, members in here.placement.absent.items():
        if members and not here.placement.placed[key]:
            yield (
                f"{key}: no network interface has {', '.join(members)}: the NSG of its tier "
                "is judged for its addresses"
            )
