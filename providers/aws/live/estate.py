"""The live estate of a deployment in AWS: its filters, who made each rule, and what departs.

Pure: made from the answers of one fetch. The meaning of rules is that of Terraform JSON
(`providers.aws.meaning.filters`); see `live_terraform`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Estate, LiveRule, Unread
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, unknown_of
from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.terraform import ATTACHMENT, GROUP
from flowbridge.providers.aws.live.answers import Answers, Part, Row, tags_of
from flowbridge.providers.aws.live.as_terraform import (
    acl_entries,
    entry_name,
    live_id,
    live_terraform,
)
from flowbridge.providers.aws.live.deviations import deviations
from flowbridge.providers.aws.live.faults import garbled
from flowbridge.providers.aws.live.fetch import BLOCK_CALL
from flowbridge.providers.aws.live.placement import attachment_of, live_site
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.aws.live.text import entry_text, rule_text
from flowbridge.providers.aws.meaning.filters import stages
from flowbridge.providers.aws.meaning.network_acls import NetworkAcls
from flowbridge.providers.aws.meaning.security_groups import SecurityGroups
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.providers.terraform.blocks import row_ids

_GROUP_KIND: Final = "security-group"
_ACL_KIND: Final = "network-acl"


def estate(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any], access: Access
) -> Estate:
    """See `providers.live.contract.LiveReader.estate`."""
    if not answers.has(Part.GROUPS, Part.RULES):
        return _unjudged(answers)
    try:
        return _estate(Situation.of(answers, policy, site, planned, access))
    except ODD_SHAPE as error:
        # An answer of a shape that EC2 does not document, or a rule that has no meaning.
        return _unjudged(answers, garbled(answers.scope, error))


def _unjudged(answers: Answers, *more: Unread) -> Estate:
    unread = (*answers.audit_unread, *answers.lists_unread.values(), *more)
    return Estate(answers.scope, {}, {}, (), unread, managed=True, read=_counts(answers))


def _counts(answers: Answers) -> dict[str, int]:
    return {str(part): len(rows) for part, rows in answers.parts.items() if part != Part.BLOCKS}


def _estate(here: Situation) -> Estate:
    groups = here.relevant_groups()
    rules = {rule.id: rule for rule in (*_group_rules(here, groups), *_acl_rules(here))}
    enforcement = _enforcement(here)
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
        deviations=tuple(deviations(here, groups)),
        unread=unread,
        managed=here.identity.managed,
        notes=tuple(_notes(here, enforcement, rules)),
        read=_counts(here.answers),
        uncertain=_uncertain(here, bool(open_lists)),
    )


def _uncertain(here: Situation, lists: bool) -> frozenset[str]:
    """Where cards or lists were not read a rule may stand for more addresses than are known."""
    if lists or not here.answers.has(Part.CARDS, Part.LISTS):
        return frozenset(interface.key for interface in here.policy.interfaces)
    return frozenset()


def _enforcement(here: Situation) -> Enforcement:
    document = live_terraform(here.answers, here.identity.tags, here.identity.network_acls.icmp)
    for key, chosen in here.placement.groups.items():
        for group in chosen:
            name = f"{key.replace('/', '_')}_{group}"
            document["resource"].setdefault(ATTACHMENT, {})[name] = {
                "network_interface_id": attachment_of(key),
                "security_group_id": f"${{{GROUP}.{group}.id}}",
            }
    strangers = here.placement.strangers
    everyone = (*here.placement.interfaces, *((strangers,) if strangers else ()))
    known = replace(here.policy, interfaces=everyone)
    groups = SecurityGroups.read(document, known, here.site)
    acls = None
    if here.answers.has(Part.ACLS, Part.SUBNETS):
        acls = NetworkAcls.read(document, live_site(here.site, here.answers, here.placement))
    judged = [each for each in here.placement.interfaces if each.members]
    named = _Names()
    return {
        point: tuple(map(named.live, filters))
        for point, filters in stages(groups, acls, judged, here.policy).items()
    }


def _group_rules(here: Situation, groups: Mapping[str, Row]) -> Iterator[LiveRule]:
    for row in here.answers.rows(Part.RULES):
        if row["GroupId"] not in groups:
            continue
        name, tags = row["SecurityGroupRuleId"], tags_of(row)
        description = row.get("Description") or ""
        marked = tags.get("flowbridge:site") == here.site.name
        held = here.identity.planned(row["GroupId"]) is not None
        yield LiveRule(
            name,
            row["GroupId"],
            ours=marked or (held and bool(row_ids(description))),
            planned=here.identity.rules.get(name),
            text=rule_text(row, groups[row["GroupId"]]),
            description=description,
            tags=tags,
            was=here.identity.moved.get(name),
            made_for=None if marked else tags.get("flowbridge:site"),
        )


def _acl_rules(here: Situation) -> Iterator[LiveRule]:
    known = here.identity.network_acls
    for acl, row in here.relevant_acls().items():
        made_for = here.made_for(row)
        for direction in Direction:
            for entry in acl_entries(row, direction):
                name = entry_name(acl, direction, entry)
                yield LiveRule(
                    name,
                    acl,
                    # Entries carry neither tags nor descriptions; our numbers tell ours.
                    ours=name in known.numbered,
                    planned=known.entries.get(name),
                    text=entry_text(acl, direction, entry),
                    was=known.numbered.get(name),
                    made_for=made_for,
                )


def _notes(here: Situation, enforcement: Enforcement, rules: Container[str]) -> Iterator[str]:
    if not here.identity.managed:
        yield (
            "nothing here was made by Flowbridge for this deployment: the estate is judged "
            "against the documents alone"
        )
    for unread in here.answers.aside_unread:
        if unread.call == BLOCK_CALL:
            yield f"whether VPC Block Public Access is on could not be read ({unread.cause})"
    for name in here.identity.network_acls.icmp:
        yield f"{name}: the endpoint does not tell its ICMP type, which is taken as planned"
    # Rules whose peers are not known are departures, and lists that were not read are not read.
    yield from map(str, (u for u in unknown_of(enforcement) if live_id(u.rule) not in rules))
    if not here.answers.has(Part.CARDS):
        return
    for key, members in here.placement.absent.items():
        if members and not here.placement.groups[key]:
            yield (
                f"{key}: no network interface has {', '.join(members)}: the groups made for "
                "it are judged"
            )


class _Names:
    """Filters with live ids for names; one filter stays one object."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Filter, Filter]] = {}

    def live(self, stage: Filter) -> Filter:
        if id(stage) not in self._known:
            rules = tuple(replace(rule, name=live_id(rule.name)) for rule in stage.rules)
            name = " / ".join(live_id(part) for part in stage.name.split(" / "))
            self._known[id(stage)] = (stage, replace(stage, name=name, rules=rules))
        return self._known[id(stage)][1]
