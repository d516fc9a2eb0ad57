"""Audits for people: what is open, what is closed, by which live rule, and what was not read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from flowbridge.legible import one_line
from flowbridge.policy.audit.audit import Audit, Opened, Verdict
from flowbridge.policy.audit.estate import Departure, Deviation
from flowbridge.policy.audit.rules import RuleState
from flowbridge.policy.audit.untold import Standing, Untold

if TYPE_CHECKING:
    from flowbridge.policy.packets.packet_set import PacketSet
    from flowbridge.results.result import Result
    from flowbridge.stacks.pipeline import Built

_COLOURS = {Verdict.CLEAN: "green", Verdict.DRIFT: "red", Verdict.INCOMPLETE: "yellow"}
# More blocks of one finding are in the JSON answer.
_BLOCKS = 6


def print_audit(built: Built, audit: Audit) -> None:
    """One deployment: its verdict first, then every finding."""
    site = built.resolution.site
    click.secho(f"{site.name}: {audit.verdict}", bold=True, fg=_COLOURS[audit.verdict], nl=False)
    click.echo(f"  ({built.resolution.file}, {one_line(audit.scope)})")
    click.echo(f"  read: {', '.join(f'{n} {what}' for what, n in audit.read.items()) or 'nothing'}")
    for title, lines in (
        ("not intended, and live:", _opened(audit.opened)),
        ("intended, and not live:", _refused(audit)),
        ("changed rules of ours:", map(_state, audit.changed)),
        ("rules that are not ours:", map(_state, audit.unmanaged)),
        ("cannot be told:", (each.text for each in audit.untold if _tells(each))),
        ("not found:", _not_found(audit)),
        ("departures:", (d.message for d in audit.deviations if d.drift and not _told(d))),
        ("not read:", map(str, audit.unread)),
        ("others in these subnets:", _beside(audit)),
        ("notes:", _notes(audit)),
    ):
        _section(title, lines)
    summary = audit.summary
    if summary.coverage is None:
        click.echo("  no planned rule could be judged")
        return
    click.echo(
        f"  {summary.carried} of {summary.planned} planned rules in effect "
        f"({summary.coverage:.1%}); {summary.missing} missing, {summary.changed} changed, "
        f"{summary.unmanaged} unmanaged"
    )


def print_new(built: Built, audit: Audit, results: Iterable[Result]) -> None:
    """One deployment of which some is known or accepted: what is new, and the rest as a count."""
    every = list(results)
    new = [result for result in every if result.accepted is None]
    known = Counter(result.rule for result in every if result.accepted is not None)
    site = built.resolution.site
    click.secho(f"{site.name}: {len(new)} new", bold=True, nl=False)
    click.echo(f"  ({built.resolution.file}, {one_line(audit.scope)})")
    for result in new:
        click.echo(f"  audit/{result.rule}: {one_line(result.text)}")
    counts = ", ".join(f"{number} {rule}" for rule, number in known.items())
    click.echo(f"  known or accepted: {counts} (--all shows them)")


def print_totals(audits: Iterable[Audit]) -> None:
    """One line over all deployments."""
    counts = Counter(each.verdict for each in audits)
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
    colour = next(
        _COLOURS[verdict]
        for verdict in (Verdict.DRIFT, Verdict.INCOMPLETE, Verdict.CLEAN)
        if counts[verdict]
    )
    click.secho(f"{sum(counts.values())} audited: {said}", fg=colour)


def _section(title: str, lines: Iterable[str]) -> None:
    shown = list(lines)
    if shown:
        click.secho(f"  {title}", bold=True)
        for line in shown:
            click.echo(f"    {one_line(line)}")


def _tells(each: Untold) -> bool:
    return each.standing is not Standing.AS_PLANNED


def _told(deviation: Deviation) -> bool:
    """Whether it stands under what cannot be told."""
    return deviation.departure is Departure.UNRESOLVED


def _beside(audit: Audit) -> Iterator[str]:
    for each in audit.beside:
        if each.loses:
            yield f"{each}; {each.advice}"
        else:
            yield str(each)


def _not_found(audit: Audit) -> Iterator[str]:
    if audit.before_machines:
        return
    yield from map(str, audit.absent)
    if audit.absent:
        yield "(--before-machines says that none exist yet)"


def _notes(audit: Audit) -> Iterator[str]:
    yield from (d.message for d in audit.deviations if not d.drift and not _told(d))
    # What the plan leaves open as well.
    yield from (each.text for each in audit.untold if not _tells(each))
    yield from audit.notes
    if audit.before_machines:
        yield from (f"{each} (none exists yet, as was said)" for each in audit.absent)


def _opened(found: Iterable[Opened]) -> Iterator[str]:
    for each in found:
        if each.rule is None:
            by = f"the default of {each.filter}"
        else:
            by = f"{each.rule.id} ({each.rule.whose}): {each.rule.text}"
        yield f"{each.point}: {by}"
        if not each.reaching:
            yield "  other filters still refuse these:"
        yield from _blocks(each.packets)


def _refused(audit: Audit) -> Iterator[str]:
    for each in audit.refused:
        what = "replies to " if each.replies else ""
        yield f"{each.point}: {what}{each.peer} ({', '.join(each.rows)}): {each.why}"
        yield from _blocks(each.packets)


def _blocks(packets: PacketSet) -> Iterator[str]:
    boxes = list(packets.boxes())
    yield from (f"  {box}" for box in boxes[:_BLOCKS])
    if len(boxes) > _BLOCKS:
        yield f"  and {len(boxes) - _BLOCKS} more blocks (--format json has all)"


def _state(state: RuleState) -> str:
    was = f", was {state.was}" if state.was else ""
    other = f" ({state.rule.whose})" if state.rule.made_for else ""
    return f"{state.rule.id}{other}: {state.rule.text}: {state.effect}{was}"
