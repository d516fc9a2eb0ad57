"""What `check --live` says of an account: what would fail, and how much of it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flowbridge.legible import one_line
from flowbridge.terminal import print_line

if TYPE_CHECKING:
    from flowbridge.providers.live.contract import Preflight

_COLOURS = {"refusal": "red", "warning": "yellow"}


def plain_preflight(found: Preflight | None) -> dict[str, Any]:
    """For JSON; nothing where the account was not asked."""
    if found is None:
        return {}
    return {
        "live": {
            "findings": [
                {
                    "id": finding.id,
                    "severity": str(finding.severity),
                    "message": finding.message,
                    "source": finding.source,
                    "key": finding.key,
                    **({"accepted": finding.accepted} if finding.accepted is not None else {}),
                }
                for finding in found.findings
            ],
            "usage": [usage.as_plain() for usage in found.usage],
            "unread": [each.as_plain() for each in found.unread],
            "beside": [each.as_plain() for each in found.beside],
        }
    }


def print_preflights(every: Mapping[str, Preflight], *, everything: bool = True) -> None:
    """One deployment after the other, the fullest quota of each last; without `everything` what is
    accepted is counted."""
    for file, found in every.items():
        failing = [f for f in found.findings if f.severity == "refusal"]
        silent = "not everything could be read" if found.unread else "nothing found that would fail"
        said = f"{len(failing)} would fail" if failing else silent
        print_line(f"{file} in the account: {said}", bold=True)
        accepted = [f for f in found.findings if f.accepted is not None]
        for finding in found.findings:
            if finding.accepted is not None and not everything:
                continue
            told = f"{one_line(finding.message)} ({finding.source}; {finding.id})"
            sentence = f"{finding.severity}: {told}"
            print_line(sentence, 2, _COLOURS.get(finding.severity))
        if accepted and not everything:
            names = ", ".join(dict.fromkeys(each.id for each in accepted))
            print_line(f"accepted: {len(accepted)}: {names}", 2)
        for unread in found.unread:
            print_line(f"not read: {one_line(str(unread))}", 2, "red")
        if found.usage:
            fullest = max(found.usage, key=lambda usage: usage.used / max(usage.allowed, 1))
            most = f"{fullest.used} of {fullest.allowed} {fullest.limit} ({fullest.scope})"
            print_line(f"fullest: {most}", 2)
