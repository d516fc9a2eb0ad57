"""Annotations of pull requests: workflow commands of GitHub, code quality reports of GitLab."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Final

from flowbridge.results.result import Level, Outcome, Result

_COMMANDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
_SEVERITIES: Final = {Level.ERROR: "critical", Level.WARNING: "minor", Level.NOTE: "info"}


def github(outcome: Outcome) -> str:
    """A workflow command a line (GitHub, "Workflow commands", escaping as its toolkit does)."""
    lines = [_command(result) for result in outcome.results]
    lines += [f"::error title=not told::{_data(text)}" for text in outcome.incomplete]
    return "".join(f"{line}\n" for line in lines)


def _command(result: Result) -> str:
    place = f"file={_property(result.file)},line={result.line or 1}"
    return (
        f"::{_COMMANDS[result.level]} {place},title={_property(result.rule)}::{_data(result.text)}"
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def gitlab(outcome: Outcome) -> str:
    """A code quality report (GitLab, "Code Quality", the report's fields)."""
    seen: Counter[str] = Counter()
    issues = []
    for result in outcome.results:
        seen[result.fingerprint] += 1
        issues.append(
            {
                "description": result.text,
                "check_name": result.rule,
                "fingerprint": f"{result.fingerprint}{seen[result.fingerprint]}",
                "severity": _SEVERITIES[result.level],
                "location": {
                    "path": Path(result.file).as_posix(),
                    "lines": {"begin": result.line or 1},
                },
            }
        )
    issues.extend(
        {
            "description": text,
            "check_name": "not-told",
            "fingerprint": f"not-told-{number}",
            "severity": "critical",
            "location": {"path": next(iter(outcome.examined), "."), "lines": {"begin": 1}},
        }
        for number, text in enumerate(outcome.incomplete, 1)
    )
    return json.dumps(issues, ensure_ascii=False, indent=2) + "\n"
