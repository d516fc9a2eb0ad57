"""Deployment files to start from, as data that a test changes, and the way to read them back."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from flowbridge.catalog.load import load
from flowbridge.catalog.reading.located_yaml import BadFileError, Problem, parse_yaml
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.read import site_of
from flowbridge.deployment.resolve import resolve
from flowbridge.deployment.selection.resolution import Outcome, Resolution, Selected

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))

Data = dict[str, Any]

DUAL: Data = {
    "name": "emea-edge",
    "cloud": "aws",
    "region": "eu-west-1",
    "release": "X15.0",
    "size": "large",
    "network": {
        "id": "vpc-0a1b2c3d4e5f60718",
        "tiers": {
            "dmz": {"cidrs": ["10.0.1.0/24", "10.0.2.0/24"], "subnets": ["subnet-0aa"]},
            "internal": {"cidrs": ["10.0.10.0/24"], "subnets": ["subnet-0ba"]},
        },
    },
    "expressway_e": {
        "tier": "dmz",
        "nics": "dual",
        "peers": [{"external": "10.0.1.11", "internal": "10.0.2.11", "public": "203.0.113.11"}],
    },
    "expressway_c": {"tier": "internal", "peers": [{"address": "10.0.10.11"}]},
    "systems": {
        "cucm": {"tier": "internal", "addresses": ["10.0.10.21", "10.0.10.22"]},
        "imp": {"addresses": ["10.20.0.31"]},
        "admin-pc": {"addresses": ["10.9.0.0/24"]},
        "dns": {"addresses": ["10.0.10.2"]},
        "ntp": {"addresses": ["10.0.10.3"]},
    },
    "services": ["traversal-pair", "sip-calls", "mra"],
}
"""The contract's deployment: a large dual-NIC Expressway-E, one Expressway-C, two Unified CM."""

SINGLE: Data = {
    **copy.deepcopy(DUAL),
    "name": "single",
    "size": "small",
    "expressway_e": {
        "tier": "dmz",
        "nics": "single",
        "peers": [{"address": "10.0.1.11", "public": "203.0.113.11"}],
    },
}
"""One card and static NAT; the file does not say by which address the inside leaves."""


def setting(data: Data, **changes: Any) -> Data:
    """A copy with keys set: `expressway_e__nics="single"`; None takes a key away."""
    out = copy.deepcopy(data)
    for key, value in changes.items():
        *path, last = key.split("__")
        here: Any = out
        for part in path:
            here = here[int(part)] if isinstance(here, list) else here.setdefault(part, {})
        if isinstance(here, list):
            here[int(last)] = copy.deepcopy(value)
        elif value is None:
            here.pop(last, None)
        else:
            here[last] = copy.deepcopy(value)
    return out


def site(data: Data) -> Site:
    """The site that a file with this data describes (JSON is YAML)."""
    return site_of(parse_yaml(json.dumps(data, indent=1), "site.yaml"), load())


def problems(data: Data) -> tuple[Problem, ...]:
    """What is wrong with a file of this data; nothing where it is right."""
    try:
        site(data)
    except BadFileError as error:
        return error.problems
    return ()


def resolved(data: Data) -> Resolution:
    return resolve(site(data), "site.yaml", load())


def row(resolution: Resolution, row_id: str) -> Selected:
    return next(selected for selected in resolution.selected if selected.id == row_id)


def flows(resolution: Resolution, row_id: str) -> tuple[Flow, ...]:
    """The flows of a row that has to be carried."""
    selected = row(resolution, row_id)
    assert selected.outcome is Outcome.CARRIED, selected.reason
    return selected.flows


def complaints(resolution: Resolution) -> tuple[Finding, ...]:
    """What is refused or warned of in a file; what the documents lack is warned of in every one."""
    grave = (Severity.REFUSAL, Severity.WARNING)
    return tuple(
        found
        for found in resolution.findings
        if found.severity in grave and found.id not in ("deployment/row-missing", MET_BY_NO_ROW)
    )


MET_BY_NO_ROW = "deployment/met-by-no-row"
"""Fixtures here list more systems than their services meet."""


def line(flow: Flow) -> str:
    """A flow as a person reads it: `cucm/single 10.0.0.1 -> imp 10.0.0.2 tcp 80`."""
    source = " ".join(str(n.network_address) for n in flow.source.addresses)
    destination = " ".join(str(n.network_address) for n in flow.destination.addresses)
    ports = " ".join(map(str, flow.destination_ports))
    ends = f"{flow.source.key} {source} -> {flow.destination.key} {destination}"
    return f"{ends} {flow.protocol.label} {ports}"
