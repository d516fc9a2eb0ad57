"""A baseline: what was found before, so that a pipeline fails for what is new.

A finding is known again by its deployment, its kind, what it is about and what it says, packets
included: a rule that opens more than it did is new. What could not be read or found is in no
baseline, since silence about it proves nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.reading.located_yaml import BadFileError, Problem, read_text
from flowbridge.deployment.file.acceptance import Acceptance
from flowbridge.results.result import Level, Outcome, Result

_KIND: Final = "flowbridge_baseline"
_VERSION: Final = 1
_MAX_BYTES: Final = 50_000_000
# What nobody can have known: it was not seen.
_UNSEEN: Final = frozenset({"unread", "not-found"})


@dataclass(frozen=True, slots=True)
class Known:
    """What is no news: fingerprints of a baseline, and acceptances by file."""

    fingerprints: frozenset[str] = frozenset()
    acceptances: Mapping[str, Sequence[Acceptance]] | None = None

    def words(self, result: Result) -> str | None:
        """Why `result` is no news; None where it is."""
        if result.rule in _UNSEEN:
            return None
        for one in (self.acceptances or {}).get(result.file, ()):
            told = f"{result.subject}\n{result.text}"
            if one.id == f"audit/{result.rule}" and one.covers(result.key, told):
                return one.sentence
        if fingerprint(result) in self.fingerprints:
            return "in the baseline"
        return None


def fingerprint(result: Result) -> str:
    """The same for the same finding of one deployment, from wherever its file is read."""
    about = f"{result.deployment}\x1f{result.rule}\x1f{result.subject}\x1f{result.text}"
    return hashlib.sha256(about.encode()).hexdigest()[:32]


def with_known(outcome: Outcome, known: Known) -> Outcome:
    """`outcome`, what is no news as notes with the reason."""
    results = [
        result
        if (words := known.words(result)) is None
        else replace(result, level=Level.NOTE, accepted=words)
        for result in outcome.results
    ]
    return replace(outcome, results=tuple(results))


def is_drift(result: Result) -> bool:
    """Whether an audit fails for it."""
    return result.accepted is None and (result.level is Level.ERROR or result.rule == "unintended")


def written_baseline(outcome: Outcome) -> str:
    """The text of a baseline of everything in `outcome`, in a fixed order."""
    findings: list[dict[str, Any]] = [
        {
            "deployment": result.deployment,
            "finding": f"{outcome.command}/{result.rule}",
            "about": result.subject,
            "text": result.text,
            "fingerprint": fingerprint(result),
        }
        for result in outcome.results
        if result.rule not in _UNSEEN
    ]
    findings.sort(key=lambda each: tuple(map(str, each.values())))
    head = {_KIND: _VERSION, "command": outcome.command}
    return json.dumps({**head, "findings": findings}, ensure_ascii=False, indent=1) + "\n"


def read_baseline(path: Path) -> frozenset[str]:
    """The fingerprints of a baseline. BadFileError where the file is none."""
    file = str(path)
    text = read_text(path, max_bytes=_MAX_BYTES)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or data.get(_KIND) != _VERSION:
        message = "this is no baseline; write one with `flowbridge audit FILE --write-baseline`"
        raise BadFileError([Problem(file, None, "", message)])
    return frozenset(_fingerprints(file, data.get("findings")))


def _fingerprints(file: str, findings: object) -> Iterable[str]:
    if not isinstance(findings, list):
        raise BadFileError([Problem(file, None, "findings", "write a list of findings")])
    for index, each in enumerate(findings):
        found = each.get("fingerprint") if isinstance(each, dict) else None
        if not isinstance(found, str):
            key = f"findings[{index}]"
            raise BadFileError([Problem(file, None, key, "this finding has no fingerprint")])
        yield found
