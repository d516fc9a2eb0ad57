"""Findings that a deployment file accepts in words: they are told, and refuse nothing any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from flowbridge.deployment.checks.unusual import CUT_OFF
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.mistake import Mistake

# Nobody can accept what the cloud itself refuses, or what has a key of its own.
ACCEPTABLE: Final = frozenset({CUT_OFF})


def acceptance_mistakes(site: Site) -> Iterator[Mistake]:
    """Ids in `accept` that are of no finding that can be accepted."""
    for name in site.accept:
        if name not in ACCEPTABLE:
            yield Mistake(
                ("accept", name),
                f"{name!r} is no finding that can be accepted; there are: "
                f"{', '.join(sorted(ACCEPTABLE))}",
            )


def with_acceptances(findings: Iterable[Finding], site: Site) -> Iterator[Finding]:
    """`findings`, those that `accept` names as warnings with the reason given."""
    for finding in findings:
        reason = site.accept.get(finding.id) if finding.id in ACCEPTABLE else None
        if reason is None or finding.severity is not Severity.REFUSAL:
            yield finding
        else:
            what, _, _ = finding.message.partition(". ")
            message = f"{what}. Accepted in this file: {reason}"
            yield replace(finding, severity=Severity.WARNING, message=message)
