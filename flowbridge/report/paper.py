"""The long tables of the page as they are printed: grouped, in columns, nothing said twice.

On the screen a table can be sorted and filtered; on paper it only has to be complete. Each group
has a title and lines, each line a text and the texts of the documents that stand behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowbridge.catalog.row import Bilingual
from flowbridge.deployment.flow import End, Flow
from flowbridge.policy.questions.outreach import Reached
from flowbridge.policy.questions.rehearsal import FeatureAnswer
from flowbridge.providers.provider import Excess, LoweredRule


@dataclass(frozen=True, slots=True)
class Line:
    """`text`, then `words` in the language of the page."""

    text: str
    words: tuple[Bilingual, ...] = ()


@dataclass(slots=True)
class Group:
    """Lines under one title."""

    title: str
    lines: list[Line] = field(default_factory=list)


def _grouped(lines: Iterable[tuple[str, Line]]) -> list[Group]:
    """In the order in which titles first come; lines of one text become one."""
    groups: dict[str, Group] = {}
    for title, line in lines:
        group = groups.setdefault(title, Group(title))
        if line not in group.lines:
            group.lines.append(line)
    return list(groups.values())


def rules_on_paper(rules: Sequence[LoweredRule]) -> list[Group]:
    """By place, direction and kind of filter: `allow 9: 10.0.2.11/32 tcp 443 · expressway/6/3`."""
    return _grouped((f"{r.scope} {r.direction}, {r.stage}", Line(_rule(r))) for r in rules)


def _rule(rule: LoweredRule) -> str:
    number = "" if rule.priority is None else f" {rule.priority}"
    source = "" if rule.source_ports in {"", "any"} else f" from {rule.source_ports}"
    ports = f"{rule.protocol}{source} {rule.destination_ports}".strip()
    rows = f" · {', '.join(rule.rows)}" if rule.rows else ""
    return f"{rule.action}{number}: {rule.peer} {ports}{rows}"


def flows_on_paper(flows: Sequence[Flow], purposes: Mapping[str, Bilingual]) -> list[Group]:
    """By the two ends: `tcp 1024-65535 to 443 · expressway/6/3`, and what each is for."""
    return _grouped(
        (
            f"{_end(flow.source)} → {_end(flow.destination)}",
            Line(_flow(flow), tuple(purposes[row] for row in flow.rows if row in purposes)),
        )
        for flow in flows
    )


def _end(end: End) -> str:
    return f"{end.key} (public address)" if end.translated else end.key


def _flow(flow: Flow) -> str:
    ports = ""
    if flow.protocol.has_ports:
        source, target = (
            ", ".join(map(str, each)) for each in (flow.source_ports, flow.destination_ports)
        )
        ports = f" {source} to {target}"
    return f"{flow.protocol.label}{ports} · {', '.join(flow.rows)}"


def features_on_paper(features: Sequence[FeatureAnswer]) -> list[Group]:
    """By service: the feature, the answer, and what it hangs on."""
    return _grouped((one.service, Line(_feature(one), (one.title,))) for one in features)


def _feature(one: FeatureAnswer) -> str:
    why = [*one.conditions, *(f"{step.does}: {cut}" for step, cut in one.cuts)]
    told = f"{one.answer} {'; '.join(why)}".strip()
    return f"{one.id.partition('/')[2]}: {told}"


def reached_on_paper(reached: Sequence[Reached], purposes: Mapping[str, Bilingual]) -> list[Group]:
    """By the card and the target: `service: tcp 443 · expressway/6/3`."""
    return _grouped(
        (
            f"{one.interface} → {one.target}",
            Line(_reached(one), tuple(purposes[row] for row in one.rows if row in purposes)),
        )
        for one in reached
    )


def _reached(one: Reached) -> str:
    plain = one.as_plain()
    rows = ", ".join(one.rows) or "no row asks for it"
    return f"{plain['risk']}: {plain['protocol']} {one.ports_text} · {rows}"


def excess_on_paper(excess: Sequence[Excess]) -> list[Group]:
    """By place and reason: every block of packets."""
    return _grouped(
        (f"{one.where}: {one.reason}", Line(str(block)))
        for one in excess
        for block in one.packets.boxes()
    )


def rows_on_paper(records: Sequence[Mapping[str, Any]]) -> list[Group]:
    """By the table that prints them, cited once: `expressway/6/3 …: from, ports, to, ports`.

    The number of a row is given where the edition counts otherwise than its id.
    """
    return _grouped((_cited(record), Line(_row(record), (_purpose(record),))) for record in records)


def _purpose(record: Mapping[str, Any]) -> Bilingual:
    return Bilingual.model_validate(record["purpose"])


def _cited(record: Mapping[str, Any]) -> str:
    table = str(record["cited"]).rpartition(", row ")[0] or str(record["cited"])
    return f"{table}, {record['address']}" if record["address"] else table


def _row(record: Mapping[str, Any]) -> str:
    number = str(record["cited"]).rpartition(", row ")[2]
    counted = str(record["id"]).rpartition("/")[2]
    other = f" (row {number})" if number.isdecimal() and number != counted else ""
    ports = ", ".join(str(each["ports"] or "–") for each in record["destination_ports"]) or "–"
    text = (
        f"{record['id']}{other}: {record['source'] or '–'} {record['source_ports'] or '–'} → "
        f"{record['destination'] or '–'} {record['protocol_printed'] or '–'} {ports}"
    )
    notes = "".join(f" · Note: {note}" for note in record["notes"])
    errata = "".join(f" · Erratum {e['id']}: {e['what']} {e['why']}" for e in record["errata"])
    return text + notes + errata
