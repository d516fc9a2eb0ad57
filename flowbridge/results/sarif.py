"""SARIF 2.1.0 (OASIS), for code scanning and other collectors of findings."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from flowbridge.catalog.finding_kind import help_address
from flowbridge.results.result import Outcome, Result

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_HELP: Final = "The message says what is wrong and what to write instead (docs/pipelines.md)."


def sarif(outcome: Outcome) -> dict[str, Any]:
    """One run. Fingerprints stay, so that a collector knows a finding again."""
    kinds = sorted({result.rule for result in outcome.results} | outcome.rules.keys())
    seen: Counter[str] = Counter()
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "flowbridge",
                        "version": version("flowbridge"),
                        "rules": [_rule(kind, outcome.rules.get(kind, kind)) for kind in kinds],
                    }
                },
                "automationDetails": {"id": f"flowbridge/{outcome.command}/"},
                "invocations": [
                    {
                        "executionSuccessful": not outcome.incomplete,
                        "toolExecutionNotifications": [
                            {"level": "error", "message": _message(text)}
                            for text in outcome.incomplete
                        ],
                    }
                ],
                "results": [_result(each, kinds, seen) for each in outcome.results],
            }
        ],
    }


def _rule(kind: str, text: str) -> dict[str, Any]:
    address = help_address(kind)
    return {
        "id": kind,
        "shortDescription": _message(text),
        "help": _message(_HELP),
        **({"helpUri": address} if address else {}),
    }


def _result(result: Result, kinds: list[str], seen: Counter[str]) -> dict[str, Any]:
    seen[result.fingerprint] += 1
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(result.file)},
            "region": {"startLine": result.line or 1},
        }
    }
    if about := result.subject or result.key:
        location["logicalLocations"] = [{"fullyQualifiedName": about}]
    return {
        "ruleId": result.rule,
        "ruleIndex": kinds.index(result.rule),
        "level": str(result.level),
        "message": _message(result.text),
        "locations": [location],
        "partialFingerprints": {
            "flowbridge/v1": f"{result.fingerprint}:{seen[result.fingerprint]}",
        },
        **_suppressed(result),
    }


def _suppressed(result: Result) -> dict[str, Any]:
    """What is accepted is known as such to a collector, and is not shown as open."""
    if result.accepted is None:
        return {}
    return {"suppressions": [{"kind": "external", "justification": result.accepted}]}


def _uri(file: str) -> str:
    """A URI has no blanks; an absolute path is one of its own, others are the repository's."""
    return Path(file).as_uri() if Path(file).is_absolute() else quote(Path(file).as_posix())


def _message(text: str) -> dict[str, str]:
    """Plain text: `[text](address)` is a link in SARIF, and may be the name of a security group."""
    return {"text": text.replace("](", "] (")}
