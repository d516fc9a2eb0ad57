"""The filters of every interface as they are in force: live groups and ACLs under live names."""

from __future__ import annotations

from dataclasses import replace

from flowbridge.policy.filter import Enforcement, Filter
from flowbridge.policy.surrounding import Surrounding
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.aws.emit.terraform import ATTACHMENT, GROUP
from flowbridge.providers.aws.live.answers import Part
from flowbridge.providers.aws.live.as_terraform import (
    live_id,
    live_terraform,
)
from flowbridge.providers.aws.live.placement import attachment_of, live_site
from flowbridge.providers.aws.live.public_access import OFF, before_all, mode_of
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.aws.meaning.filters import stages, surroundings
from flowbridge.providers.aws.meaning.network_acls import NetworkAcls
from flowbridge.providers.aws.meaning.security_groups import SecurityGroups
from flowbridge.providers.meaning.odd import Odd


def enforcement_of(here: Situation) -> tuple[Enforcement, tuple[Surrounding, ...]]:
    """The filters of every interface, and those of our subnets for every other host there."""
    document = live_terraform(
        here.answers,
        here.identity.tags,
        here.identity.network_acls.icmp,
        here.partly_seen(),
    )
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
    groups = SecurityGroups.read(document, known, here.site, Odd.TELL)
    acls = None
    if here.answers.has(Part.ACLS, Part.SUBNETS):
        acls = NetworkAcls.read(
            document, live_site(here.site, here.answers, here.placement), Odd.TELL
        )
    judged = [each for each in here.placement.interfaces if each.members]
    named = _Names(_unread_lists(here))
    found = {
        point: tuple(map(named.live, filters))
        for point, filters in stages(groups, acls, judged, here.policy).items()
    }
    around = (
        surroundings(acls, here.policy, acls.site) if acls and mode_of(here.answers) == OFF else ()
    )
    return before_all(here, found), tuple(
        replace(
            each, filters={way: tuple(map(named.live, met)) for way, met in each.filters.items()}
        )
        for each in around
    )


def _unread_lists(here: Situation) -> frozenset[str]:
    """The rules that name a prefix list which could not be read."""
    lists = here.answers.lists_unread
    every = not here.answers.has(Part.LISTS)
    return frozenset(
        row["SecurityGroupRuleId"]
        for row in here.answers.rows(Part.RULES)
        if (name := row.get("PrefixListId")) and (every or name in lists)
    )


class _Names:
    """Filters with live ids for names; one filter stays one object."""

    def __init__(self, unread: frozenset[str]) -> None:
        """`unread`: rules whose prefix list could not be read."""
        self._unread = unread
        self._known: dict[int, tuple[Filter, Filter]] = {}

    def live(self, stage: Filter) -> Filter:
        if id(stage) not in self._known:
            rules = tuple(replace(rule, name=live_id(rule.name)) for rule in stage.rules)
            name = " / ".join(live_id(part) for part in stage.name.split(" / "))
            unknown = tuple(self._open(each) for each in stage.unknown)
            renamed = replace(stage, name=name, rules=rules, unknown=unknown)
            self._known[id(stage)] = (stage, renamed)
        return self._known[id(stage)][1]

    def _open(self, unknown: Unknown) -> Unknown:
        rule = live_id(unknown.rule)
        if rule in self._unread and unknown.why is Why.PEERS:
            return Unknown(rule, unknown.what, Why.UNREAD)
        return unknown.of(rule)
