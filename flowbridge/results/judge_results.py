"""What judging a plan of others found, as results: at the plan, with the Terraform address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowbridge.policy.questions.difference import Change
from flowbridge.results.result import Level, Outcome, Result
from flowbridge.stacks.judging import Judged

_KINDS: Final = {
    "unintended": "Packets are open that no documented flow asks for",
    "missing": "Packets that a documented flow asks for do not pass",
    "cannot-be-told": "What the plan means here cannot be told, so that silence proves nothing",
    "opens": "The plan opens packets",
    "closes": "The plan closes packets",
}


def judge_outcome(plan: str, judged: Judged) -> Outcome:
    """The outcome, at the file of the plan."""
    return Outcome(
        command="judge",
        examined=(plan,),
        results=tuple(_results(plan, judged)),
        rules=_KINDS,
        incomplete=tuple(map(str, judged.untold)),
    )


def _results(plan: str, judged: Judged) -> Iterator[Result]:
    def result(kind: str, level: Level, text: str, subject: str) -> Result:
        return Result(rule=kind, level=level, text=text, file=plan, subject=subject)

    for opened in judged.opened:
        by = opened.rule.id if opened.rule else f"{opened.filter} by default"
        packets = "; ".join(map(str, opened.packets.boxes()))
        text = f"{opened.point}: {by} lets {packets} through"
        yield result("unintended", Level.ERROR, text, f"{opened.point} {by}")
    for lost in judged.missing:
        packets = "; ".join(map(str, lost.packets.boxes()))
        what = "replies to " if lost.replies else ""
        text = f"{lost.point}: {what}{lost.peer} ({', '.join(lost.rows)}): {packets}: {lost.why}"
        yield result(
            "missing", Level.ERROR, text, f"{lost.point} {lost.peer} {' '.join(lost.rows)}"
        )
    for unknown in judged.untold:
        yield result("cannot-be-told", Level.ERROR, str(unknown), f"{unknown.rule} {unknown.what}")
    for effect in judged.effects or ():
        opens = effect.flow.change is Change.ALLOWED
        text = f"{effect.flow} by {', '.join(effect.by) or 'what it is attached to'}"
        subject = f"{effect.flow.point} {effect.flow.peer} {' '.join(effect.flow.rows)}"
        level = Level.WARNING if opens else Level.NOTE
        yield result("opens" if opens else "closes", level, text, subject)
