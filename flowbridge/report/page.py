"""The page: a template filled with what the check found. No script or style from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from flowbridge.catalog.export import export_rows
from flowbridge.deployment.checks.accepted import today
from flowbridge.deployment.file.extended import read_deployment
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.selection.resolution import Outcome
from flowbridge.legible import without_passwords
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.exposure import exposure
from flowbridge.policy.questions.outreach import Reached, outreach
from flowbridge.report.connection_map import BOX_HEIGHT, BOX_WIDTH, connection_map
from flowbridge.report.paper import (
    excess_on_paper,
    features_on_paper,
    flows_on_paper,
    reached_on_paper,
    rows_on_paper,
    rules_on_paper,
)
from flowbridge.stacks.pipeline import Checked, catalog_of
from flowbridge.stacks.provenance import version_line

TEMPLATES: Final = Path(__file__).parent.parent / "templates"
_LIBRARY: Final = Path(__file__).with_name("elk.bundled.js")
_HERE: Final = "THE-LAYOUT-LIBRARY"


def templates() -> Environment:
    """The templates of pages. Text in HTML is escaped, in Markdown it is as it stands."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(checked: Checked) -> str:
    """The report on one deployment as HTML."""
    built = checked.built
    resolution = built.resolution
    directory = Directory.of(built.policy, resolution.site, catalog_of(resolution).parties)
    purposes = {each.id: each.row.purpose for each in resolution.selected}
    printed = _printed(checked)
    drawn = connection_map(resolution.interfaces, resolution.flows)
    lines = {(line.source, line.destination): line.id for line in drawn.lines}
    text = (
        templates()
        .get_template("report.html.j2")
        .render(
            site=resolution.site,
            file=Path(resolution.file).name,
            holds=checked.exit_code == 0,
            failures=checked.failures,
            map=drawn,
            box={"width": BOX_WIDTH, "height": BOX_HEIGHT},
            flows=[
                (flow, lines[flow.source.key, flow.destination.key]) for flow in resolution.flows
            ],
            purposes=purposes,
            rules=built.lowered.rules,
            usage=built.lowered.usage,
            excess=built.lowered.excess,
            pressing=[each for each in built.findings if _left(each)],
            quiet=[each for each in built.findings if not _left(each)],
            warnings=open_findings(built.findings, Severity.WARNING),
            obligations=open_findings(built.findings, Severity.OBLIGATION),
            features=checked.features,
            counts=Counter(str(each.answer) for each in checked.features),
            printed=printed,
            day=today(),
            hashes=file_hashes(Path(resolution.file)),
            tests=checked.assertions,
            exposed=exposure(
                built.policy,
                checked.enforcement,
                directory,
                {row: text.en for row, text in purposes.items()},
            ),
            stolen=_stolen(checked, directory, {row: text.en for row, text in purposes.items()}),
            editions=resolution.editions,
            version=version_line(),
            paper={
                "rules": rules_on_paper(built.lowered.rules),
                "flows": flows_on_paper(resolution.flows, purposes),
                "features": features_on_paper(checked.features),
                "excess": excess_on_paper(built.lowered.excess),
                "rows": rows_on_paper(printed),
            },
            on_paper=lambda reached: reached_on_paper(reached, purposes),
            closed=[row for row in resolution.selected if row.outcome is not Outcome.CARRIED],
        )
    )
    # The library comes last: nothing that is done to the words of a page is done to it.
    return with_hashes(without_passwords(text).replace(_HERE, _LIBRARY.read_text("utf-8"), 1))


def _left(finding: Finding) -> bool:
    return finding.accepted is None and finding.severity is not Severity.NOTE


def open_findings(findings: Iterable[Finding], severity: Severity) -> list[Finding]:
    return [each for each in findings if each.severity is severity and each.accepted is None]


def _printed(checked: Checked) -> list[dict[str, Any]]:
    """The rows of the requested services as they are printed, in the order of the documents."""
    resolution = checked.built.resolution
    asked = {row for flow in resolution.flows for row in flow.rows}
    asked |= {each.id for each in resolution.selected}
    known = catalog_of(resolution)
    every = export_rows(known, added=True, platform=True, closed=True)
    return [record for record in every if record["id"] in asked]


def file_hashes(file: Path) -> list[tuple[str, str]]:
    """Name and SHA-256 of the deployment file, and of each file that it is read with."""
    located = read_deployment(file)
    names = dict.fromkeys([located.file, *located.files.values()])
    return [
        (Path(name).name, hashlib.sha256(Path(name).read_bytes()).hexdigest()) for name in names
    ]


def with_hashes(text: str) -> str:
    """The page, whose policy lets in its own style and scripts and nothing that gets into it."""
    for tag, place in (("style", "'HASH-OF-THE-STYLE'"), ("script", "'HASH-OF-THE-SCRIPT'")):
        digests = [
            base64.b64encode(hashlib.sha256(part.partition(f"</{tag}>")[0].encode()).digest())
            for part in text.split(f"<{tag}>")[1:]
        ]
        allowed = " ".join(f"'sha256-{digest.decode()}'" for digest in digests)
        text = text.replace(place, allowed, 1)
    return text


def _stolen(
    checked: Checked, directory: Directory, purposes: Mapping[str, str]
) -> list[tuple[str, tuple[Reached, ...]]]:
    """What whoever holds each workload reaches, riskiest first; that of the edge comes first."""
    policy = checked.built.policy
    found = [
        (name, outreach(policy, checked.enforcement, directory, name, purposes))
        for name in sorted({interface.workload for interface in policy.interfaces})
    ]
    return sorted(found, key=lambda one: not one[0].startswith("expressway-e"))
