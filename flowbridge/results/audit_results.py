"""What an audit found, as results: at the deployment file, with the live id as the subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flowbridge.deployment.interface_key import workload_of
from flowbridge.policy.audit.audit import Audit
from flowbridge.policy.audit.estate import Departure
from flowbridge.policy.audit.untold import Standing
from flowbridge.results.result import Level, Outcome, Result

NETWORK: Final = ""
_KINDS: Final = {
    "unintended": "Packets are live that no documented flow asks for",
    "missing": "Packets that a documented flow asks for do not pass",
    "changed": "A rule of the deployment was changed",
    "unmanaged": "A rule is not the deployment's",
    "not-found": "A machine that the deployment declares was not found",
    "unread": "Something could not be read, so that silence about it proves nothing",
    **{str(each): f"The live estate departs from the plan: {each}" for each in Departure},
}


def audit_outcome(
    audits: Mapping[str, Audit],
    lines: Mapping[tuple[str, str], int] | None = None,
    about: Mapping[str, tuple[str, str]] | None = None,
) -> Outcome:
    """The outcome of the audits, by the labels of their deployments: `about` gives the file and the
    name of each (without it the label is both). `lines` are those of interfaces in their files."""
    places = {label: (about or {}).get(label, (label, label)) for label in audits}
    return Outcome(
        command="audit",
        examined=tuple(dict.fromkeys(file for file, _ in places.values())),
        results=tuple(
            result
            for label, audit in audits.items()
            for result in _results(*places[label], audit, lines or {})
        ),
        rules=_KINDS,
        incomplete=tuple(str(unread) for audit in audits.values() for unread in audit.unread),
    )


def _results(
    file: str, name: str, audit: Audit, lines: Mapping[tuple[str, str], int]
) -> Iterator[Result]:
    def result(kind: str, level: Level, text: str, subject: str, interface: str = "") -> Result:
        # What touches no interface is about the network.
        line = lines.get((file, workload_of(interface))) or lines.get((file, NETWORK))
        return Result(
            rule=kind,
            level=level,
            text=text,
            file=file,
            line=line,
            subject=subject,
            deployment=name,
        )

    for opened in audit.opened:
        rule = opened.rule
        by = f"{rule.text} ({rule.whose})" if rule else "its default"
        packets = "; ".join(map(str, opened.packets.boxes()))
        yield result(
            "unintended",
            Level.ERROR if opened.reaching else Level.WARNING,
            f"{opened.point}: {opened.filter} lets {packets} through by {by}",
            rule.id if rule else opened.filter,
            opened.point.interface,
        )
    for refused in audit.refused:
        packets = "; ".join(map(str, refused.packets.boxes()))
        what = "replies to " if refused.replies else ""
        yield result(
            "missing",
            Level.ERROR,
            f"{refused.point}: {what}{refused.peer} ({', '.join(refused.rows)}): {packets}: "
            f"{refused.why}",
            f"{refused.point} {refused.peer}",
            refused.point.interface,
        )
    for kind, states in (("changed", audit.changed), ("unmanaged", audit.unmanaged)):
        for state in states:
            level = Level.ERROR if state.drift else Level.NOTE
            other = f" ({state.rule.whose})" if state.rule.made_for else ""
            text = f"{state.rule.text}{other}: {state.effect}"
            yield result(kind, level, text, state.rule.id, state.interface)
    for found in audit.deviations:
        level = Level.ERROR if found.drift else Level.NOTE
        where = next(iter(found.interfaces), "")
        yield result(str(found.departure), level, found.message, found.subject, where)
    for unread in audit.unread:
        yield result("unread", Level.WARNING, str(unread), unread.call)
    for each in audit.untold:
        if each.standing is Standing.OPEN:
            yield result("unread", Level.WARNING, each.text, each.unknown.rule)
    for absent in () if audit.before_machines else audit.absent:
        subject = f"{absent.interface} {absent.member}"
        yield result("not-found", Level.WARNING, str(absent), subject, absent.interface)
