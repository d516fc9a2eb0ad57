"""The page over many deployments: what each runs, opens, uses of its limits, and how they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flowbridge.deployment.checks.accepted import today
from flowbridge.deployment.finding import Severity
from flowbridge.legible import without_passwords
from flowbridge.policy.questions.between_deployments import Disagreement
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.exposure import exposure
from flowbridge.providers.provider import Usage
from flowbridge.report.page import file_hashes, open_findings, templates, with_hashes
from flowbridge.stacks.pipeline import Checked, catalog_of
from flowbridge.stacks.provenance import version_line
from flowbridge.stacks.rehearsal import Rehearsal

Plain = dict[str, Any]


def fleet_page(
    checked: Sequence[Checked],
    rehearsals: Sequence[Rehearsal],
    disagreements: Sequence[Disagreement],
    audits: Mapping[str, Plain],
) -> str:
    """The page as HTML. `audits` are what `flowbridge audit` answered in JSON, by the names of
    deployments; one that is not among them is shown as not audited."""
    sites = [_site(each, rehearsals, audits) for each in checked]
    failing = [site for site in sites if not site["holds"]]
    known = [site["audit"] for site in sites if site["audit"] is not None]
    text = (
        templates()
        .get_template("fleet.html.j2")
        .render(
            sites=sites,
            failing=failing,
            holds=not failing and not disagreements,
            disagreements=list(map(str, disagreements)),
            services=sorted({service for site in sites for service in site["services"]}),
            editions=_editions(checked),
            audited=len(known),
            drifted=sum(audit["verdict"] != "clean" for audit in known),
            day=today(),
            version=version_line(),
        )
    )
    return with_hashes(without_passwords(text))


def _site(checked: Checked, rehearsals: Sequence[Rehearsal], audits: Mapping[str, Plain]) -> Plain:
    built = checked.built
    site = built.resolution.site
    directory = Directory.of(built.policy, site, catalog_of(built.resolution).parties)
    exposed = exposure(built.policy, checked.enforcement, directory)
    played = next((each for each in rehearsals if built.resolution.file in each.files), None)
    failing = [each for each in played.features if each.is_finding] if played else []
    failures = [*checked.failures]
    if played is not None and len(played.files) > 1:
        failures += [f"together with {', '.join(played.names)}: {each}" for each in failing]
    return {
        "name": site.name,
        "cloud": str(site.cloud),
        "region": site.region,
        "release": str(site.release),
        "services": sorted(site.services),
        "holds": checked.exit_code == 0 and not failing,
        "failures": failures,
        "rules": len(built.lowered.rules),
        "warnings": len(open_findings(built.findings, Severity.WARNING)),
        "obligations": len(open_findings(built.findings, Severity.OBLIGATION)),
        "failing": [each.id for each in failing],
        "worst": exposed[0].as_plain() if exposed else None,
        "openings": len(exposed),
        "usage": _nearest(built.lowered.usage),
        "audit": _audit(audits.get(site.name)),
        "hashes": file_hashes(Path(built.resolution.file)),
    }


def _nearest(usage: Sequence[Usage]) -> list[Usage]:
    """Of each limit the place that is nearest to it."""
    found: dict[str, Usage] = {}
    for each in usage:
        known = found.get(each.limit)
        if known is None or each.used * known.allowed > known.used * each.allowed:
            found[each.limit] = each
    return list(found.values())


def _audit(answer: Plain | None) -> Plain | None:
    if answer is None:
        return None
    counts = {key: len(answer.get(key, ())) for key in ("unintended", "missing", "changed")}
    return {**counts, "unmanaged": len(answer.get("unmanaged", ())), "verdict": answer["verdict"]}


def _editions(checked: Sequence[Checked]) -> list[Plain]:
    found: dict[tuple[str, str], Plain] = {}
    for each in checked:
        for choice in each.built.resolution.editions:
            edition = choice.edition
            plain = found.setdefault(
                (choice.document.title.en, edition.name),
                {
                    "title": choice.document.title.en,
                    "name": edition.name,
                    "date": edition.date,
                    "address": edition.address,
                    "sites": [],
                },
            )
            plain["sites"].append(each.built.resolution.site.name)
    return [found[key] for key in sorted(found)]
