"""Released versions of the catalog's data, and what changed between two of them, row by row.

`catalog/released/<version>.json` keeps the reading of every row of a release: who, which ports and
protocols, and when. The version in `catalog/VERSION` is that of the data at hand.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.load import Catalog, Entry, load
from flowbridge.catalog.reading.located_yaml import BadFileError, Problem
from flowbridge.catalog.row import PartyCell, PortCell

FOLDER: Final = Path(__file__).with_name("released")
VERSION_FILE: Final = Path(__file__).with_name("VERSION")
_VERSION: Final = re.compile(r"\d{1,2}\.\d+(\.\d+)?")

Reading = dict[str, str]
"""The reading of one row: its cells as text."""


def catalog_version() -> str:
    """The version of the data at hand: `2.0.0`."""
    return VERSION_FILE.read_text("utf-8").strip()


def keep_version(catalog: Catalog) -> None:
    """Write the rows of the version at hand to `released`: part of `make docs`."""
    # A line for each row, so that a difference is read as one.
    rows = (
        f" {json.dumps(row_id)}: {json.dumps(reading, ensure_ascii=False)}"
        for row_id, reading in readings(catalog).items()
    )
    text = "{\n" + ",\n".join(rows) + "\n}\n"
    (FOLDER / f"{catalog_version()}.json").write_text(text, "utf-8")


def is_version(text: str) -> bool:
    """Whether a word is a version of the catalog (`1.2`), not a release of a product."""
    return _VERSION.fullmatch(text) is not None


def released_versions() -> tuple[str, ...]:
    """The versions whose rows are kept, the oldest first, and that of the data at hand."""
    kept = {path.stem for path in FOLDER.glob("*.json")} | {catalog_version()}
    return tuple(sorted(kept, key=_order))


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def readings(catalog: Catalog) -> dict[str, Reading]:
    """Every row of every edition, errata applied, by id: what `released/<version>.json` keeps.

    A row that the edition in use prints is read by it, any other by the first that does.
    """
    entries = (*catalog.entries(), *catalog.closed_entries())
    return {entry.id: _reading(entry) for entry in entries}


def _reading(entry: Entry) -> Reading:
    row = entry.row.corrected()
    conditions = [str(condition) for condition in (entry.table.when, row.when) if condition.root]
    return {
        "purpose": row.purpose.en,
        "service": entry.table.service or "",
        "source": _parties(row.source),
        "source_ports": _ports(row.source_ports),
        "protocols": "/".join(protocol.label for protocol in row.protocol.l4),
        "destination": _parties(row.destination),
        "destination_ports": _ports(row.destination_ports),
        "when": "; ".join(conditions),
    }


def _parties(cell: PartyCell) -> str:
    return ", ".join(
        f"{part.party} ({part.side.value})" if part.side else part.party for part in cell.parties
    )


def _ports(cell: PortCell) -> str:
    return "; ".join(
        ", ".join(map(str, part.ports)) + (f" (if {part.when})" if part.when.root else "")
        for part in cell.alternatives
    )


def rows_of_version(catalog: Catalog, version: str) -> dict[str, Reading]:
    """The rows of a released version; `1.2` is the newest 1.2.x. BadFileError for no version."""
    known = released_versions()
    matching = [name for name in known if name == version or name.startswith(f"{version}.")]
    if not matching:
        message = (
            f"there is no catalog {version}; there are {', '.join(known)}. Releases of a product "
            "are written X15.0 or cucm=14"
        )
        raise BadFileError([Problem("catalog diff", None, "", message)])
    if matching[-1] == catalog_version():
        return readings(catalog)
    kept: dict[str, Reading] = json.loads((FOLDER / f"{matching[-1]}.json").read_text("utf-8"))
    return kept


_SHOWN: Final = (
    "service",
    "source",
    "source_ports",
    "protocols",
    "destination",
    "destination_ports",
    "when",
)


def version_difference(catalog: Catalog, before: str, after: str) -> list[dict[str, Any]]:
    """The rows that differ between two versions: `{change, id, purpose, what, before, after}`.

    `change` is `new`, `gone` or `changes`; `before` and `after` are the readings (null where the
    row is not there).
    """
    old, new = rows_of_version(catalog, before), rows_of_version(catalog, after)
    changes = []
    for row_id in dict.fromkeys((*old, *new)):
        one, other = old.get(row_id), new.get(row_id)
        different = [name for name in _SHOWN if (one or {}).get(name) != (other or {}).get(name)]
        if different or (one is None) != (other is None):
            changes.append(_change(row_id, one, other, different))
    return changes


def _change(
    row_id: str, one: Reading | None, other: Reading | None, different: list[str]
) -> dict[str, Any]:
    here = other or one or {}
    if one is None:
        change, what = "new", _sentence(here)
    elif other is None:
        change, what = "gone", _sentence(here)
    else:
        change = "changes"
        what = "; ".join(
            f"{name}: {one[name] or '-'} becomes {other[name] or '-'}" for name in different
        )
    return {
        "change": change,
        "id": row_id,
        "purpose": here["purpose"],
        "what": f"{here['purpose']}: {what}" if change == "changes" else what,
        "before": one,
        "after": other,
    }


def _sentence(row: Reading) -> str:
    return (
        f"{row['purpose']}, {row['source'] or '-'} to {row['destination'] or '-'}: "
        f"{row['protocols']} {row['destination_ports'] or '-'}"
    )


if __name__ == "__main__":
    keep_version(load())
