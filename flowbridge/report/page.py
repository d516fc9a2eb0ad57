"""The page: a template filled with what the check found. No script or style from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from flowbridge.deployment.selection.resolution import Outcome
from flowbridge.legible import without_passwords
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.exposure import exposure
from flowbridge.provenance import version_line
from flowbridge.report.connection_map import BOX_HEIGHT, BOX_WIDTH, connection_map
from flowbridge.stacks.pipeline import Checked, catalog_of

TEMPLATES: Final = Path(__file__).parent.parent / "templates"


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
            findings=built.findings,
            tests=checked.assertions,
            exposed=exposure(
                built.policy,
                checked.enforcement,
                directory,
                {row: text.en for row, text in purposes.items()},
            ),
            editions=resolution.editions,
            version=version_line(),
            closed=[row for row in resolution.selected if row.outcome is not Outcome.CARRIED],
        )
    )
    return _with_hash(without_passwords(text))


def _with_hash(text: str) -> str:
    """The page, whose policy lets run its own script and no other that might get into it."""
    _, _, after = text.partition("<script>")
    script, _, _ = after.partition("</script>")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return text.replace("'HASH-OF-THE-SCRIPT'", f"'sha256-{digest}'", 1)
