"""Examples at the end of each command's `--help`, each on a line of its own."""

from __future__ import annotations

from typing import Final

_TRACE: Final = "flowbridge trace site.yaml --from internet --to expressway-e --protocol tcp"

EXAMPLES: Final = {
    "check": (
        "flowbridge check site.yaml",
        "flowbridge check sites/ --quiet",
        "flowbridge check 'sites/*.yaml' --keep-going --format junit > report.xml",
    ),
    "merge": (
        "flowbridge check sites/ --shard 1/2 > one.json",
        "flowbridge check sites/ --shard 2/2 > two.json",
        "flowbridge merge one.json two.json --format junit > report.xml",
    ),
    "rules": (
        "flowbridge rules site.yaml",
        "flowbridge rules site.yaml --scope expressway-e/external",
        "flowbridge rules site.yaml --row expressway/11/5",
        "flowbridge rules site.yaml --format csv > rules.csv",
    ),
    "explain": (
        "flowbridge explain site.yaml --to expressway-e --protocol tcp --port 5061",
        "flowbridge explain site.yaml --to cucm --protocol udp --port 69",
    ),
    "trace": (
        f"{_TRACE} --port 5061",
        f"{_TRACE} --port 22 --expect denied",
        "flowbridge trace site.yaml --from 10.9.0.0/24 --to cucm --protocol tcp --port 1-1023",
    ),
    "rehearse": (
        "flowbridge rehearse site.yaml",
        "flowbridge rehearse site.yaml --feature mra/hold-music",
        "flowbridge rehearse sites/ --format junit > features.xml",
        "flowbridge rehearse site.yaml --live",
    ),
    "diff": (
        "flowbridge diff site.yaml --set size=medium",
        "flowbridge diff main.yaml branch.yaml --exit-code",
    ),
    "exposure": (
        "flowbridge exposure site.yaml",
        "flowbridge exposure site.yaml --from expressway-e/internal",
        "flowbridge exposure site.yaml --format csv > exposure.csv",
    ),
    "request": ("flowbridge request main.yaml branch.yaml --format md",),
    "audit": (
        "flowbridge audit site.yaml",
        "flowbridge audit site.yaml --write-baseline known.json",
        "flowbridge audit site.yaml --baseline known.json --format sarif > audit.sarif",
        "flowbridge audit sites/ --watch 300",
    ),
    "judge": (
        "terraform show -json plan.out > plan.json",
        "flowbridge judge plan.json --deployment site.yaml --changes",
    ),
    "adopt": ("flowbridge adopt site.yaml -o imports.tf",),
    "report": (
        "flowbridge report site.yaml -o site.html",
        "flowbridge report sites/ -o fleet.html --audit audit.json",
    ),
    "synth": (
        "flowbridge synth site.yaml -o terraform",
        "flowbridge synth sites/ --as module",
    ),
    "opa": (
        "flowbridge opa site.yaml -o flowbridge.json",
        "opa eval -d flowbridge.json -d policy.rego data.site.deny",
    ),
    "init": (
        "flowbridge init --cloud azure --topology two-networks",
        "flowbridge init --cloud azure --name emea-edge",
        "flowbridge init --from-plan plan.json --name emea-edge",
    ),
    "schema": ("flowbridge schema > deployment.schema.json",),
    "catalog": (
        "flowbridge catalog list mra",
        "flowbridge catalog show expressway/11/5",
        "flowbridge catalog diff X12.5 X15.0",
    ),
}


def examples(command: str) -> str:
    """The epilog of a command; `\\b` keeps click from joining the lines. Empty: it has its own."""
    lines = EXAMPLES.get(command, ())
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""
