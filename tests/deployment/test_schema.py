"""The JSON Schema that editors use: committed, strict, and in agreement with the model."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from flowbridge.catalog.load import load
from flowbridge.catalog.reading.located_yaml import read_yaml
from flowbridge.deployment.pages.schema import editor_schema, schema_text
from tests.deployment.files import DUAL, EXAMPLES, REPOSITORY, Data, setting

SCHEMA = editor_schema(load())


def faults(data: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    return ["/".join(map(str, error.absolute_path)) for error in validator.iter_errors(data)]


def test_the_committed_schema_is_the_models() -> None:
    """After a change of the model or the catalog: `flowbridge schema > schemas/...`."""
    committed = REPOSITORY / "schemas" / "deployment.schema.json"
    assert committed.read_text(encoding="utf-8") == schema_text(load())


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_fit(path: Any) -> None:
    assert faults(read_yaml(path).data) == []


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"nmae": "x"}, ""),
        ({"options__sip_upd": True}, "options"),
        ({"expressway_e__peers__0__extern": "10.0.1.1"}, "expressway_e/peers/0"),
        ({"services": ["sip-call"]}, "services/0"),
        ({"services": ["mra", "mra"]}, "services"),
        ({"systems__cucn": {"addresses": ["10.0.0.1"]}}, "systems/cucn"),
        ({"options__ports": {"smart-prox": 1}}, "options/ports"),
        ({"cloud": "alibaba"}, "cloud"),
        ({"release": "15.0"}, "release"),
        ({"name": "Übung"}, "name"),
        ({"options__media_ports": "36000..59999"}, "options/media_ports"),
        ({"options__turn__port": 70000}, "options/turn/port"),
        ({"systems__dns__addresses": ["dns.example.net"]}, "systems/dns/addresses"),
        (
            {"expressway_c__peers__0__address": "10.0.10.11-10.0.10.12"},
            "expressway_c/peers/0/address",
        ),
        ({"cloud": "azure"}, "network"),
        ({"cloud": "gcp"}, "network"),
        ({"expressway_e__nics": "single"}, "expressway_e/peers/0"),
        ({"expressway_e__peers__0__internal": None}, "expressway_e/peers/0"),
    ],
)
def test_what_the_schema_refuses(changes: Data, place: str) -> None:
    assert faults(DUAL) == []
    assert place in faults(setting(DUAL, **changes))


def test_overlays_bring_services_and_systems_of_their_own() -> None:
    own = setting(DUAL, services=["backup"], systems__vault={"addresses": ["10.0.10.9"]})
    assert {"services/0", "systems/vault"} <= set(faults(own))
    assert faults(setting(own, overlays=["backup.yaml"])) == []


def test_every_section_is_strict_and_every_key_described() -> None:
    sections = {"": SCHEMA, **SCHEMA["$defs"]}
    for name, section in sections.items():
        if section.get("type") != "object" or "properties" not in section:
            continue
        assert section["additionalProperties"] is False, name
        for key, value in section["properties"].items():
            target = value.get("$ref", "").rsplit("/", 1)[-1]
            described = "description" in value or "description" in sections.get(target, {})
            assert described, f"{name}.{key}"


def test_the_schema_is_plain_json() -> None:
    assert json.loads(schema_text(load())) == editor_schema(load())


def test_an_editor_has_a_sentence_for_each_system_service_and_port() -> None:
    catalog, properties = load(), SCHEMA["properties"]
    offered = properties["systems"]["properties"]
    assert offered["cucm"]["description"] == f"{catalog.parties['cucm'].en}."
    told = [each["description"] for each in properties["services"]["items"]["anyOf"][:-1]]
    assert len(told) == len(catalog.services)
    assert all(told)
    ports = SCHEMA["$defs"]["Options"]["properties"]["ports"]
    assert set(ports["properties"]) == set(ports["propertyNames"]["enum"])


def test_a_file_that_extends_another_may_leave_out_what_that_has() -> None:
    assert faults({"name": "site-a"})
    assert faults({"name": "site-a", "extends": "../common.yaml"}) == []
