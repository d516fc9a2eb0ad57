"""One stack in the JSON answer of `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowbridge.deployment.finding import Finding
    from flowbridge.stacks.pipeline import Checked


def plain_deployment(checked: Checked) -> dict[str, Any]:
    """What the JSON answer of `check` says of one stack."""
    built = checked.built
    site, lowered = built.resolution.site, built.lowered
    return {
        "file": built.resolution.file,
        "name": site.name,
        **({"place": built.resolution.place} if built.estate is not None else {}),
        "cloud": str(site.cloud),
        "holds": checked.exit_code == 0,
        "failures": list(checked.failures),
        "findings": list(map(_plain_finding, built.findings)),
        "rows": [
            {"id": row.id, "outcome": str(row.outcome), "reason": row.reason}
            for row in built.resolution.selected
        ],
        "editions": [edition.as_plain() for edition in built.resolution.editions],
        "usage": [usage.as_plain() for usage in lowered.usage],
        "excess": [
            {
                "where": excess.where,
                "reason": excess.reason,
                "packets": excess.packets.count(),
                "boxes": [str(box) for box in excess.packets.boxes()],
            }
            for excess in lowered.excess
        ],
        "notes": [str(each) for each in checked.unknown],
        "tests": [outcome.as_plain() for outcome in checked.assertions],
        "proof": checked.proof.as_plain(),
        **_around(checked),
    }


def _plain_finding(finding: Finding) -> dict[str, Any]:
    """`file` where its line is another file's; `accepted` where the deployment accepts it."""
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "message": finding.message,
        "source": finding.source,
        "key": finding.key,
        "line": finding.line,
        **({"file": finding.file} if finding.file else {}),
        **({"accepted": finding.accepted} if finding.accepted is not None else {}),
    }


def _around(checked: Checked) -> dict[str, Any]:
    """Of a document of others: what is not judged, and how many resources touch nothing of ours."""
    if checked.plan is None:
        return {}
    return {"not_judged": [str(each) for each in checked.not_judged], "beside": checked.beside}
