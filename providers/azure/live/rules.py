"""Who made each live rule of an NSG, and how the portal shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flowbridge.policy.audit.estate import LiveRule
from flowbridge.providers.azure.emit.terraform import DENIED, INSIDE
from flowbridge.providers.azure.live.admin_rules import AdminRules, admin_text
from flowbridge.providers.azure.live.answers import properties, tags_of
from flowbridge.providers.azure.live.as_terraform import (
    rules_of,
)
from flowbridge.providers.azure.live.identity import (
    rule_id,
)
from flowbridge.providers.azure.live.situation import Situation
from flowbridge.providers.live.answered import Row
from flowbridge.providers.terraform.blocks import row_ids


def live_rules(here: Situation, nsgs: Mapping[str, Row]) -> Iterator[LiveRule]:
    for nsg in nsgs.values():
        held = here.identity.planned(nsg["id"]) is not None
        site = tags_of(nsg).get("flowbridge:site")
        for row in rules_of(nsg):
            name = rule_id(nsg, row)
            description = properties(row).get("description") or ""
            planned = here.identity.rules.get(name)
            named = here.identity.named.get(name)
            made = bool(row_ids(description)) or description in (DENIED, INSIDE)
            yield LiveRule(
                id=name,
                holder=str(nsg["id"]),
                ours=held and (named is not None or bool(row_ids(description))),
                planned=planned,
                text=_rule_text(row, nsg),
                description=description,
                was=None if planned else named,
                made_for=site if site != here.site.name and made else None,
            )


def admin_live_rules(admin: AdminRules) -> Iterator[LiveRule]:
    for name, row in admin.rows.items():
        description = properties(row).get("description") or ""
        yield LiveRule(
            id=name,
            holder=row["network"],
            ours=False,
            planned=None,
            text=admin_text(row),
            description=description,
        )


def _rule_text(row: Row, nsg: Row) -> str:
    own = properties(row)
    ends = " to ".join(_end(own, end) for end in ("source", "destination"))
    return (
        f"{own.get('direction')} {own.get('priority')} {own.get('access')} {own.get('protocol')} "
        f"from {ends} in {nsg.get('name')}"
    )


def _end(own: Row, end: str) -> str:
    groups = own.get(f"{end}ApplicationSecurityGroups") or ()
    who = [str(group.get("id")).rsplit("/", 1)[-1] for group in groups]
    who += list(own.get(f"{end}AddressPrefixes") or ())
    who += [own[f"{end}AddressPrefix"]] if own.get(f"{end}AddressPrefix") else []
    ports = list(own.get(f"{end}PortRanges") or ())
    ports += [own[f"{end}PortRange"]] if own.get(f"{end}PortRange") else []
    shown = "" if ports in ([], ["*"]) else f" port {_few(ports)}"
    return f"{_few(who)}{shown}"


def _few(texts: list[str]) -> str:
    more = f" and {len(texts) - 4} more" if len(texts) > 4 else ""
    return ", ".join(texts[:4]) + more
