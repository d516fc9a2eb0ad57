"""The filters of every interface as they are in force: live groups and ACLs under live names."""

from __future__ import annotations

from dataclasses import replace

from flowbridge.policy.filter import Enforcement, Filter
from flowbridge.providers.aws.emit.terraform import ATTACHMENT, GROUP
from flowbridge.providers.aws.live.answers import Part
from flowbridge.providers.aws.live.as_terraform import (
    live_id,
    live_terraform,
)
from flowbridge.providers.aws.live.placement import attachment_of, live_site
from flowbridge.providers.aws.live.situation import Situation
from flowbridge.providers.aws.meaning.filters import stages
from flowbridge.providers.aws.meaning.network_acls import NetworkAcls
from flowbridge.providers.aws.meaning.security_groups import SecurityGroups


def enforcement_of(here: Situation) -> Enforcement:
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
