"""What strangers, or whoever holds a workload, can reach, as results at the workload's line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from flowbridge.policy.questions.exposure import Exposure
from flowbridge.policy.questions.outreach import Reached
from flowbridge.results.result import Level, Outcome, Result

# By the words of `policy.questions.exposure.Risk`.
_KINDS: Final = {
    "exposure-management": "A management port is open",
    "exposure-unasked": "Ports are open that no row asks for",
    "exposure-wide": "At least a thousand ports are open",
    "exposure-inside": "A host inside is reached for which a row asks",
    "exposure-unasked-inside": "A host inside is reached that no row asks for",
    "exposure-internet": "The internet is reached",
    "exposure-service": "Few ports are open that a documented service listens on",
}
# Wide ranges and single ports are what services ask for; the rest is to be looked at.
_NOTES: Final = ("wide", "service", "inside", "internet")


def exposure_outcome(
    file: str, reached: Iterable[Exposure | Reached], lines: Mapping[tuple[str, str], int]
) -> Outcome:
    """The outcome; nothing in it is an error, since a deployment holds that asks for it."""
    return Outcome(
        command="exposure",
        examined=(file,),
        results=tuple(_result(file, each, lines) for each in reached),
        rules=_KINDS,
    )


def _result(file: str, each: Exposure | Reached, lines: Mapping[tuple[str, str], int]) -> Result:
    plain = each.as_plain()
    ports = ", ".join(map(str, plain["ports"]))
    target = f" to {plain['target']}" if "target" in plain else ""
    where = f"{plain['interface']}{target}"
    why = "; ".join(each.purposes) or "no row asks for it"
    rows = ", ".join(each.rows)
    return Result(
        rule=f"exposure-{plain['risk']}",
        level=Level.NOTE if plain["risk"] in _NOTES else Level.WARNING,
        text=f"{where}: {plain['protocol']} {ports}: {why}{f' ({rows})' if rows else ''}",
        file=file,
        line=lines.get((file, str(plain["interface"]).partition("/")[0])),
        subject=f"{where} {plain['protocol']} {ports} {rows}".strip(),
    )
