"""Findings that a deployment file accepts in words: they are told, and refuse nothing any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from flowbridge.catalog.feature import features_of
from flowbridge.deployment.checks.unusual import CUT_OFF
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.mistake import Mistake

# Nobody can accept what the cloud itself refuses, or what has a key of its own.
ACCEPTABLE: Final = frozenset({CUT_OFF})
_SENTENCE: Final = 20  # characters: a reason that the next person understands


def acceptance_mistakes(site: Site) -> Iterator[Mistake]:
    """Ids in `accept` that are of no finding that can be accepted, nor of a feature."""
    for name, reason in site.accept.items():
        if name in ACCEPTABLE:
            if len(reason) < _SENTENCE:
                sentence = f"write a sentence of at least {_SENTENCE} characters that says why"
                yield Mistake(("accept", name), f"{reason!r} is too short; {sentence}")
            continue
        features = features_of(name.partition("/")[0])
        if name not in features:
            near = get_close_matches(name, features, n=1)
            hint = f": did you mean {near[0]!r}?" if near else "."
            yield Mistake(
                ("accept", name),
                f"{name!r} is no finding that can be accepted, nor a feature{hint} There are "
                f"{', '.join(sorted(ACCEPTABLE))} and the features that `flowbridge rehearse` "
                "lists, such as mra/hold-music",
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
