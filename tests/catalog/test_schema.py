"""The JSON Schemas of tables, overlays and editions: committed, and what they take and refuse."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from flowbridge.catalog.load import ROOT, load
from flowbridge.catalog.schema import KINDS, file_schema, schema_text

SCHEMAS = Path(__file__).parents[2] / "schemas"


def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(file_schema(kind, load()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_committed_schema_is_the_models(kind: str) -> None:
    """After a change: `flowbridge schema --of KIND > schemas/KIND.schema.json`."""
    committed = (SCHEMAS / f"{kind}.schema.json").read_text("utf-8")
    assert committed == schema_text(kind, load())


def test_our_own_files_fit() -> None:
    tables = [file.path for file in load().files]
    for kind, paths in (("table", tables), ("edition", ROOT.glob("*/editions/*.yaml"))):
        judge = validator(kind)
        for path in sorted(paths):
            faults = [
                error.message for error in judge.iter_errors(yaml.safe_load(path.read_text()))
            ]
            assert not faults, path


OVERLAY: dict[str, Any] = {
    "document": "acme-corp",
    "reason": "Our own network.",
    "tables": [
        {
            "table": 1,
            "service": "badge-readers",
            "title": {"en": "Badge readers"},
            "rows": [
                {
                    "row": 1,
                    "purpose": {"en": "Door events"},
                    "source": {"parties": [{"party": "badge-reader"}]},
                    "source_ports": {"alternatives": [{"ports": "1024-65535"}]},
                    "protocol": {"l4": ["tcp"]},
                    "destination": {"parties": [{"party": "expressway-c"}]},
                    "destination_ports": {"alternatives": [{"ports": 8443}]},
                    "when": {"option.switches.badges": "true"},
                }
            ],
        }
    ],
    "parties": {"badge-reader": {"en": "Badge reader", "kind": "system"}},
    "switches": {"badges": {"description": "Badge readers are there."}},
    "closes": ["cucm/1/22", {"row": "cucm/1/34", "reason": "No dialed number analyzer."}],
    "replaces": {"cucm/7/17": {"destination_ports": {"alternatives": [{"ports": 2428}]}}},
}


def test_an_overlay_fits_whole_and_as_one_table() -> None:
    judge = validator("overlay")
    assert judge.is_valid(OVERLAY)
    assert judge.is_valid({"document": "acme-corp", **OVERLAY["tables"][0]})


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(close=["cucm/1/22"]),
        lambda data: data["closes"].append("cucm-1-22"),
        lambda data: data["tables"][0]["rows"][0]["protocol"].update(l4=["tpc"]),
        lambda data: data["tables"][0]["rows"][0].pop("purpose"),
        lambda data: data["replaces"].update({"cucm/7/17": {"ports": 1}}),
    ],
)
def test_what_the_schema_of_overlays_refuses(change: Any) -> None:
    data = copy.deepcopy(OVERLAY)
    change(data)
    assert not validator("overlay").is_valid(data)
