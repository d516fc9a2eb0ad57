"""Findings that a deployment file accepts in words: they are told, and refuse nothing any more.

An acceptance that ran out accepts nothing, and that it ran out is a finding.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Final

from flowbridge.catalog.feature import features_of
from flowbridge.catalog.finding_kind import finding_kinds
from flowbridge.catalog.guide_rule import GuideKind, guide
from flowbridge.deployment.checks.unusual import CUT_OFF
from flowbridge.deployment.file.acceptance import Acceptance
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.mistake import Mistake, nearest

EXPIRED: Final = "accept/expired"
# The refusals that can be accepted: nobody can accept what the cloud itself refuses, or what has
# a key of its own.
ACCEPTABLE: Final = frozenset({CUT_OFF})
# What is told of acceptances cannot be accepted itself.
_OF_ACCEPTANCES: Final = "accept/"
# A test is the file's own word, and a proof that fails is a fault: neither is lived with.
_OF_CHECKS: Final = "check/"
# What other commands find, or a check of several deployments; one alone knows nothing of it.
_ELSEWHERE: Final = ("audit/", "stacks/shared-place", "aws/live/", "azure/live-", "gcp/live-")
_SENTENCE: Final = 20  # characters: a reason that the next person understands


def today() -> date:
    """The day by which acceptances are judged: `SOURCE_DATE_EPOCH` where it is set
    (reproducible-builds.org), else the machine's."""
    set_time = os.environ.get("SOURCE_DATE_EPOCH", "")
    if set_time.isdecimal():
        return datetime.fromtimestamp(int(set_time), UTC).date()
    return datetime.now().astimezone().date()


def in_force(acceptances: Iterable[Acceptance], day: date) -> Iterator[Acceptance]:
    """Those whose last day is not over."""
    return (each for each in acceptances if each.until is None or each.until >= day)


def acceptance_mistakes(site: Site) -> Iterator[Mistake]:
    """Ids in `accept` that are of no finding that can be accepted, nor of a feature."""
    for index, each in enumerate(site.acceptances):
        location = _place(site, index, each)
        if each.id in ACCEPTABLE and len(each.reason) < _SENTENCE:
            sentence = f"write a sentence of at least {_SENTENCE} characters that says why"
            yield Mistake(location, f"{each.reason!r} is too short; {sentence}")
        elif (why := _unacceptable(each.id)) is not None:
            yield Mistake(location, why)


def _place(site: Site, index: int, each: Acceptance) -> tuple[str | int, ...]:
    return ("accept", index if isinstance(site.accept, tuple) else each.id)


def _unacceptable(name: str) -> str | None:
    """Why nobody can accept this id; None where it can be."""
    rule = guide().root.get(name)
    if rule is not None and rule.kind is GuideKind.REFUSAL:
        return f"{name} refuses what cannot work or is unsafe; mend it, it cannot be accepted"
    if name in finding_kinds() and name.startswith(_OF_CHECKS):
        return f"{name} cannot be accepted: mend what fails, or change the test in the file"
    known = [id_ for id_ in finding_kinds() if not id_.startswith((_OF_ACCEPTANCES, _OF_CHECKS))]
    features = features_of(name.partition("/")[0])
    if name in known or name in features:
        return None
    hint = nearest(name, [*known, *features])
    hint = f": {hint}" if hint.startswith("did you mean") else "."
    return (
        f"{name!r} is no finding that can be accepted, nor a feature{hint} `flowbridge check "
        "--all` shows the id of each finding, and `flowbridge rehearse` lists the features, such "
        "as mra/hold-music"
    )


def with_acceptances(
    findings: Iterable[Finding], acceptances: Sequence[Acceptance], day: date
) -> Iterator[Finding]:
    """`findings`, those that are accepted on `day` with the words; what refused warns then."""
    valid = tuple(in_force(acceptances, day))
    for finding in findings:
        refuses = finding.severity is Severity.REFUSAL
        accepted = (
            None
            if finding.accepted is not None or (refuses and finding.id not in ACCEPTABLE)
            else _covering(valid, finding)
        )
        if accepted is None:
            yield finding
        elif refuses:
            what, _, _ = finding.message.partition(". ")
            message = f"{what}. Accepted in this file: {accepted.sentence}"
            yield replace(
                finding, severity=Severity.WARNING, message=message, accepted=accepted.sentence
            )
        else:
            yield replace(finding, accepted=accepted.sentence)


def _covering(valid: Iterable[Acceptance], finding: Finding) -> Acceptance | None:
    return next(
        (a for a in valid if a.id == finding.id and a.covers(finding.key, finding.message)), None
    )


def acceptance_findings(
    site: Site, findings: Sequence[Finding], day: date, *, complete: bool = True
) -> Iterator[Finding]:
    """Acceptances that ran out, that refuse nevertheless, or that nothing meets any more.

    `complete`: `findings` are all of this deployment, so that silence about one means something.
    """
    found = {finding.id for finding in findings}
    for index, each in enumerate(site.acceptances):
        key = f"accept[{index}]" if isinstance(site.accept, tuple) else f"accept.{each.id}"
        met = [f for f in findings if f.id == each.id and each.covers(f.key, f.message)]
        if each.until is not None and each.until < day:
            owner = f" ({each.owner})" if each.owner else ""
            yield Finding(
                id=EXPIRED,
                severity=Severity.WARNING,
                message=f"{each.id} was accepted until {each.until}{owner}: {each.reason}. Mend "
                f"it, or "
                "agree on a later day",
                source="accept",
                key=key,
            )
        elif any(f.severity is Severity.REFUSAL for f in met):
            yield Finding(
                id="accept/refused",
                severity=Severity.WARNING,
                message=f"{each.id} refuses here, and cannot be accepted: mend what it names",
                source="accept",
                key=key,
            )
        elif complete and not met and _of_checks(each.id):
            where = f" at {each.where}" if each.where and each.id in found else ""
            yield Finding(
                id="accept/met-by-nothing",
                severity=Severity.NOTE,
                message=f"nothing here finds {each.id}{where} any more: take it out of `accept`",
                source="accept",
                key=key,
            )


def _of_checks(name: str) -> bool:
    """Whether a check itself would find it: no audit, no account, no feature."""
    return name in finding_kinds() and not name.startswith(_ELSEWHERE)
