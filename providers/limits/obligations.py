"""What a deployer must see to because a cloud's filters cannot: one sourced YAML table a cloud.

An entry is `{id, severity, when, message, source}`. It is reported where every fact of `when`
holds; `{fact}` in the message stands for the names for which that fact holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from flowbridge.catalog.reading.kept_yaml import read_kept
from flowbridge.deployment.finding import Finding, Severity


def reported(table: Path, facts: Mapping[str, Iterable[str]]) -> tuple[Finding, ...]:
    """The entries of `table` whose facts hold, in the order of the table."""
    known = {fact: ", ".join(sorted(set(names))) for fact, names in facts.items() if names}
    return tuple(
        Finding(
            id=entry["id"],
            severity=Severity(entry["severity"]),
            message=entry["message"].format_map(known),
            source=entry["source"],
            key=entry.get("key", ""),
        )
        for entry in _entries(table)
        if all(fact in known for fact in entry["when"])
    )


@cache
def _entries(table: Path) -> tuple[dict[str, Any], ...]:
    return tuple(cast("list[dict[str, Any]]", read_kept(table)))
