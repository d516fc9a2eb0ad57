"""Audits as SARIF 2.1.0, for code scanning and other collectors of findings.

A finding is placed at the deployment file, with the live id as its logical location. Its
fingerprint is made from what it is about, so that the same finding is one over many nights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from flowbridge.policy.audit.audit import Audit
from flowbridge.policy.audit.estate import Departure

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_KINDS: Final = {
    "unintended": "Packets are live that no documented flow asks for",
    "missing": "Packets that a documented flow asks for do not pass",
    "changed": "A rule of the deployment was changed",
    "unmanaged": "A rule is not the deployment's",
    "unread": "Something could not be read, so that silence about it proves nothing",
    **{str(each): f"The live estate departs from the plan: {each}" for each in Departure},
}

Result = dict[str, Any]


def sarif(audits: Mapping[str, Audit]) -> dict[str, Any]:
    """One run over all deployments, by file."""
    results = [result for file, audit in audits.items() for result in _results(file, audit)]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "flowbridge",
                        "version": version("flowbridge"),
                        "rules": [
                            {"id": name, "shortDescription": {"text": text}}
                            for name, text in _KINDS.items()
                        ],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": not any(a.unread for a in audits.values()),
                        "toolExecutionNotifications": [
                            {"level": "error", "message": _message(str(unread))}
                            for audit in audits.values()
                            for unread in audit.unread
                        ],
                    }
                ],
                "results": results,
            }
        ],
    }


def _results(file: str, audit: Audit) -> Iterator[Result]:
    for opened in audit.opened:
        rule = opened.rule
        by = f"{rule.text} ({rule.whose})" if rule else "its default"
        level = "error" if opened.reaching else "warning"
        packets = "; ".join(map(str, opened.packets.boxes()))
        yield _result(
            file,
            "unintended",
            level,
            f"{opened.point}: {opened.filter} lets {packets} through by {by}",
            rule.id if rule else opened.filter,
        )
    for refused in audit.refused:
        packets = "; ".join(map(str, refused.packets.boxes()))
        what = "replies to " if refused.replies else ""
        yield _result(
            file,
            "missing",
            "error",
            f"{refused.point}: {what}{refused.peer} ({', '.join(refused.rows)}): {packets}: "
            f"{refused.why}",
            f"{refused.point} {refused.peer}",
        )
    for kind, states in (("changed", audit.changed), ("unmanaged", audit.unmanaged)):
        for state in states:
            level = "error" if state.drift else "note"
            other = f" ({state.rule.whose})" if state.rule.made_for else ""
            text = f"{state.rule.text}{other}: {state.effect}"
            yield _result(file, kind, level, text, state.rule.id)
    for found in audit.deviations:
        level = "error" if found.drift else "note"
        yield _result(file, str(found.departure), level, found.message, found.subject)
    for unread in audit.unread:
        yield _result(file, "unread", "warning", str(unread), unread.call)


def _uri(file: str) -> str:
    """A URI has no blanks; an absolute path is one of its own, others are the repository's."""
    return Path(file).as_uri() if Path(file).is_absolute() else quote(Path(file).as_posix())


def _message(text: str) -> dict[str, str]:
    """Plain text: `[text](address)` is a link in SARIF, and may be the name of a security group."""
    return {"text": text.replace("](", "] (")}


def _result(file: str, kind: str, level: str, text: str, subject: str) -> Result:
    seen = hashlib.sha256(f"{file}\x1f{kind}\x1f{subject}\x1f{text}".encode()).hexdigest()
    return {
        "ruleId": kind,
        "level": level,
        "message": _message(text),
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(file)},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": subject}],
            }
        ],
        "partialFingerprints": {"flowbridge/v1": seen[:32]},
    }
