"""The live estate of a deployment in Google Cloud: its filters, its rules, and what departs.

Pure: made from the answers of one fetch. The meaning of rules is that of Terraform JSON
(`providers.gcp.meaning.filters`); see `judged` for how they are placed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.addresses import shown
from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Estate
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import unknown_of
from flowbridge.providers.gcp.live.answers import Answers, Part
from flowbridge.providers.gcp.live.as_terraform import (
    policies,
)
from flowbridge.providers.gcp.live.deviations import deviations
from flowbridge.providers.gcp.live.faults import garbled
from flowbridge.providers.gcp.live.judged import enforcement_of
from flowbridge.providers.gcp.live.rules import live_rules, policy_live_rules
from flowbridge.providers.gcp.live.situation import Situation
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.unjudged import (
    UNMANAGED,
    estate_or_unread,
    refuse_odd_answer,
    unjudged,
)

_TOLD: Final = 12  # addresses that a note names


def estate(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any], access: Access
) -> Estate:
    """See `providers.live.contract.LiveReader.estate`.

    Without the networks, the rules or the machines nothing is judged: whom a rule is for is known
    from the machines' tags alone.
    """
    read = _counts(answers)
    needed = [Part.NETWORKS, Part.FIREWALLS, Part.INSTANCES]
    needed += [Part.EFFECTIVE] if answers.place.in_policies else []
    tagged = any(unread.call.endswith("listEffectiveTags") for unread in answers.audit_unread)
    if not answers.has(*needed) or tagged:
        return unjudged(answers.scope, answers.audit_unread, read)
    return estate_or_unread(
        answers.scope,
        lambda: _estate(Situation.of(answers, policy, site, planned, access)),
        garbled,
        answers.audit_unread,
        read,
    )


def _counts(answers: Answers) -> dict[str, int]:
    counts = {
        str(part): len(rows)
        for part, rows in answers.parts.items()
        if part not in (Part.PROJECT, Part.EFFECTIVE, Part.TAGS, Part.UNSEEN)
    }
    if answers.has(Part.EFFECTIVE):
        counts[str(Part.EFFECTIVE)] = len(list(policies(answers)))
    return counts


def _estate(here: Situation) -> Estate:
    judged = enforcement_of(here)
    rules = {rule.id: rule for rule in (*live_rules(here), *policy_live_rules(here))}
    unknown = unknown_of(judged)
    refuse_odd_answer({rule.id for rule in live_rules(here)}, unknown)
    return Estate(
        scope=here.answers.scope,
        enforcement=judged,
        rules=rules,
        deviations=tuple(deviations(here)),
        unread=here.answers.audit_unread,
        managed=here.identity.managed,
        found=here.placement.found,
        notes=tuple(_notes(here)),
        read=_counts(here.answers),
    )


def unseen_projects(answers: Answers) -> Iterator[str]:
    """The projects beside, whose machines could not be read (Shared VPC), in words."""
    for row in answers.parts.get(Part.UNSEEN, ()):
        whose = "who else" if row["project"] == "*" else f"project {row['project']}, which"
        yield (
            f"{whose} uses the networks of project {row['host']} could not be read "
            f"({row['cause']}: {row['message']}): a source tag or account there cannot be told"
        )


def _notes(here: Situation) -> Iterator[str]:
    if not here.identity.managed:
        yield UNMANAGED
    yield from unseen_projects(here.answers)
    for key, members in here.placement.absent.items():
        if members:
            missing = [shown(network) for member in members for network in member.private]
            more = f" and {len(missing) - _TOLD} more" if len(missing) > _TOLD else ""
            names = ", ".join(missing[:_TOLD])
            yield f"{key}: no instance has {names}{more}: the rules made for it are judged"
