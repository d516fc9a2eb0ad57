"""What changes between two deployments, as results: what opens is to be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from flowbridge.policy.questions.difference import Change, ChangedFlow
from flowbridge.results.result import Level, Outcome, Result
from flowbridge.stacks.feature_changes import ChangedFeature

_KINDS: Final = {
    "opens": "Packets become allowed",
    "closes": "Packets become refused",
    "feature": "A feature starts, stops or hangs on something else",
}


def diff_outcome(
    file: str,
    changed: Iterable[ChangedFlow],
    lines: Mapping[tuple[str, str], int] | None = None,
    features: Iterable[ChangedFeature] = (),
) -> Outcome:
    """The outcome of a difference, at the file that is new and the lines of its workloads."""
    return Outcome(
        command="diff",
        examined=(file,),
        results=(
            *(_result(file, flow, lines or {}) for flow in changed),
            *(_feature(file, each) for each in features),
        ),
        rules=_KINDS,
    )


def _result(file: str, flow: ChangedFlow, lines: Mapping[tuple[str, str], int]) -> Result:
    # Of a file with several places the interface has its place before it.
    workload = flow.point.interface.rpartition(":")[2].partition("/")[0]
    opens = flow.change is Change.ALLOWED
    rows = ", ".join(flow.rows) or "no row: excess of the cloud"
    packets = "; ".join(map(str, flow.packets.boxes()))
    return Result(
        rule="opens" if opens else "closes",
        level=Level.WARNING if opens else Level.NOTE,
        text=f"{flow.peer} {flow.change} at {flow.point}: {packets} ({rows})",
        file=file,
        line=lines.get((file, workload)),
        subject=f"{flow.point} {flow.peer} {' '.join(flow.rows)}",
    )


def _feature(file: str, changed: ChangedFeature) -> Result:
    return Result(
        rule="feature",
        level=Level.WARNING if changed.stops else Level.NOTE,
        text=str(changed),
        file=file,
        subject=changed.id,
    )
