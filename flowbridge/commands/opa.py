"""`flowbridge opa`: what a deployment opens, as a data document for policies in Rego.

`opa eval -d flowbridge.json -d policy.rego data.site.deny`, or `conftest test --data`. It is
`{"flowbridge": {"deployments": {NAME: {...}}}}`, with packets, rows and findings as the other
commands answer them in JSON.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowbridge.sites import named_sites, sites_argument, with_bar

if TYPE_CHECKING:
    from flowbridge.stacks.pipeline import Checked


@click.command(
    "opa",
    help="Data for policies in Rego (OPA, Conftest): rules, exposure, findings, features.",
)
@sites_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("-"),
    help="Where to write; without it stdout.",
)
def command(files: tuple[Path, ...], output: Path) -> None:
    from flowbridge.answer import refusing
    from flowbridge.legible import without_passwords
    from flowbridge.stacks.pipeline import build_all, judge
    from flowbridge.written import write_whole

    files = named_sites(files, "text", "opa")
    with refusing("text", "opa"):
        checked = [judge(each) for each in with_bar(build_all(files), "checking")]
    data = {each.built.resolution.site.name: _plain(each) for each in checked}
    document = {"flowbridge": {"deployments": data}}
    text = json.dumps(document, ensure_ascii=False, indent=1, default=str) + "\n"
    write_whole(output, without_passwords(text), "text")


def _plain(checked: Checked) -> dict[str, Any]:
    from flowbridge.policy.questions.directory import Directory
    from flowbridge.policy.questions.exposure import exposure
    from flowbridge.stacks.pipeline import catalog_of

    built = checked.built
    site = built.resolution.site
    directory = Directory.of(built.policy, site, catalog_of(built.resolution).parties)
    purposes = {each.id: each.row.purpose.en for each in built.resolution.selected}
    return {
        "file": built.resolution.file,
        "cloud": str(site.cloud),
        "region": site.region,
        "release": site.release.by_product(),
        "services": sorted(site.services),
        "holds": checked.exit_code == 0,
        "failures": list(checked.failures),
        "rules": [rule._asdict() for rule in built.lowered.rules],
        "exposure": [
            each.as_plain()
            for each in exposure(built.policy, checked.enforcement, directory, purposes)
        ],
        "findings": [
            {
                "id": finding.id,
                "severity": str(finding.severity),
                "key": finding.key,
                "message": finding.message,
                "accepted": finding.accepted,
            }
            for finding in built.findings
        ],
        "features": [feature.as_plain() for feature in checked.features],
        "usage": [usage.as_plain() for usage in built.lowered.usage],
    }
