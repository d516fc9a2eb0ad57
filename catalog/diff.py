"""What an upgrade opens and closes: the rows, and their ports, that two releases differ in.

Only the release is known here, so a condition is reduced to what is left of it once the release
is decided: `{release: ">=X12.5", option.mra.oauth: true}` is `{option.mra.oauth: true}` on X15.0
and can never hold on X12.1. A fact whose default the release decides counts with its default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from flowbridge.catalog.condition import Condition
from flowbridge.catalog.load import Catalog, Entry
from flowbridge.catalog.release import ReleaseRange
from flowbridge.catalog.release_default import release_defaults
from flowbridge.catalog.row import PortCell, Row

Opening = tuple[str, tuple[Condition, ...]]
"""Ports (source to destination, as text), and what else has to hold."""


def difference(
    catalog: Catalog, before: str, after: str, product: str = "expressway"
) -> list[dict[str, Any]]:
    """The changes from release `before` to `after` of a product, in the order of the documents.

    Each is `{change, id, purpose, what, defaults, before, after}`; `change` is `opens`, `closes`
    or `changes`; `before` and `after` list `{ports, when}` as the rows open them; `defaults`
    names the options whose default is part of it. Errata are applied. ValueError where a release
    is not one.
    """
    old_rows = _by_id(catalog.at({product: before}))
    new_rows = _by_id(catalog.at({product: after}))
    here = {"expressway": (before, after)}.get(product, (NEWEST, NEWEST))
    changes = []
    for row_id in _in_order(old_rows, new_rows):
        old = _openings_of(old_rows.get(row_id), here[0])
        new = _openings_of(new_rows.get(row_id), here[1])
        if old != new:
            change = "changes" if old and new else "opens" if new else "closes"
            entry = new_rows.get(row_id) or old_rows[row_id]
            changes.append(_change(entry, entry.row.corrected(), change, old, new))
    return changes


NEWEST: Final = "X15.0"
"""The Expressway release under which the rows of other products are compared."""


def _by_id(catalog: Catalog) -> dict[str, Entry]:
    return {entry.id: entry for entry in catalog.entries()}


def _in_order(old: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    """Every id once: the new ones in their order, each old one behind its neighbour of before."""
    following: dict[str, list[str]] = {}
    known = set(new)
    last = ""
    for row_id in old:
        if row_id in known:
            last = row_id
        else:
            following.setdefault(last, []).append(row_id)
    yield from following.get("", ())
    for row_id in new:
        yield row_id
        yield from following.get(row_id, ())


def _openings_of(entry: Entry | None, release: str) -> tuple[Opening, ...]:
    return () if entry is None else _openings(entry, entry.row.corrected(), release)


def residue(condition: Condition, release: str) -> Condition | None:
    """What is left of a condition on this release; None where it can no longer hold."""
    left: dict[str, Any] = {}
    for fact, wanted in condition.root.items():
        rest = _residue_of(fact, wanted, release)
        if rest is None:
            return None
        for name, value in rest.root.items():
            if left.setdefault(name, value) != value:
                # Two conditions of one name: both have to hold, and one key can say only one.
                left = {"not": Condition({"any": [_not(Condition(left)), _not(rest)]})}
    return Condition(left)


def _residue_of(fact: str, wanted: Any, release: str) -> Condition | None:
    if fact == "release":
        ranges = wanted if isinstance(wanted, list) else [wanted]
        return Condition() if any(release in ReleaseRange.parse(text) for text in ranges) else None
    if fact == "not":
        inner = residue(wanted, release)
        return Condition() if inner is None else _not(inner) if inner.root else None
    if fact == "any":
        parts = [left for part in wanted if (left := residue(part, release)) is not None]
        if not parts:
            return None
        if not all(part.root for part in parts):
            return Condition()
        return parts[0] if len(parts) == 1 else Condition({"any": parts})
    default = release_defaults().get(fact)
    if default is None:
        return Condition({fact: wanted})
    if str(wanted) == "true":
        return residue(default.true_when, release)
    return residue(_not(default.true_when), release)


def _not(condition: Condition) -> Condition:
    return Condition({"not": condition})


def _openings(entry: Entry, row: Row, release: str) -> tuple[Opening, ...]:
    """The ports that the row opens on this release; empty where it is for other releases."""
    outer = [residue(entry.table.when, release), residue(row.when, release)]
    around = [condition for condition in outer if condition is not None]
    if len(around) < len(outer):
        return ()
    return tuple(
        (
            f"{destinations} from {sources}" if sources != "any" else destinations,
            tuple(condition for condition in (*around, *inner) if condition.root),
        )
        for sources, of_source in _ports(row.source_ports, release)
        for destinations, of_destination in _ports(row.destination_ports, release)
        for inner in [(of_source, of_destination)]
    )


def _ports(cell: PortCell, release: str) -> Iterator[tuple[str, Condition]]:
    for part in cell.alternatives:
        rest = residue(part.when, release)
        if rest is not None:
            yield ", ".join(map(str, part.ports)) or "ports that the deployment supplies", rest


def _change(
    entry: Entry, row: Row, change: str, old: tuple[Opening, ...], new: tuple[Opening, ...]
) -> dict[str, Any]:
    protocols = "/".join(protocol.label for protocol in row.protocol.l4)
    ends = [
        ", ".join(part.party for part in cell.parties) or "-"
        for cell in (row.source, row.destination)
    ]
    both = f"{_text(old)} becomes {_text(new)}"
    ports = both if change == "changes" else _text(new or old)
    what = f"{row.purpose.en}, {ends[0]} to {ends[1]}: {protocols} {ports}"
    defaults = [fact for fact in release_defaults() if _names(entry, row, fact)]
    if defaults:
        what += f" (by default; {', '.join(defaults)} decides)"
    return {
        "change": change,
        "id": entry.id,
        "purpose": row.purpose.en,
        "what": what,
        "defaults": defaults,
        "before": [_plain(opening) for opening in old],
        "after": [_plain(opening) for opening in new],
    }


def _names(entry: Entry, row: Row, fact: str) -> bool:
    cells = (row.source_ports, row.destination_ports)
    conditions = [entry.table.when, row.when]
    conditions += [part.when for cell in cells for part in cell.alternatives]
    return any(fact in condition.facts() for condition in conditions)


def _text(openings: tuple[Opening, ...]) -> str:
    return "; ".join(
        f"{ports} (if {'; '.join(map(str, conditions))})" if conditions else ports
        for ports, conditions in openings
    )


def _plain(opening: Opening) -> dict[str, Any]:
    ports, conditions = opening
    return {
        "ports": ports,
        "when": [condition.model_dump(mode="json") for condition in conditions],
    }
