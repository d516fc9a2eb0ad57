"""The JSON Schema of the deployment file, for editors (`schemas/deployment.schema.json`).

Made from the model, so that an editor knows every key, and from the catalog, so that it knows
every service, system and parameter. Of what needs several keys at once it has what a cloud and the
number of cards require; the rest is said by `flowbridge check`.
"""

from __future__ import annotations

import copy
import json
from typing import Any, Final, assert_never

from flowbridge.catalog.load import Catalog
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.schema import schema_id
from flowbridge.deployment.checks.names import parameter_names, system_names
from flowbridge.deployment.file.site import Cloud
from flowbridge.deployment.pages.every_cloud import joined_schemas

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def _needed_network(cloud: Cloud) -> dict[str, Any]:
    """What `network` needs besides, by cloud."""
    match cloud:
        case Cloud.AWS:
            return {}  # an app of the user's own may pass in the VPC's id (`vpc_id`)
        case Cloud.AZURE:
            return {
                "anyOf": [
                    {"required": ["resource_group"]},
                    {"required": ["id"], "properties": {"id": {"pattern": "^/subscriptions/"}}},
                ]
            }
        case Cloud.GCP:
            return {"required": ["project"]}
        case _:
            assert_never(cloud)


_NAMED_CLUSTERS: Final[dict[str, Any]] = {
    "required": ["expressway_e"],
    "properties": {
        "expressway_e": {
            "not": {"anyOf": [{"required": [key]} for key in ("tier", "peers", "nics")]}
        }
    },
}
_SERVICES_SOMEWHERE: Final[dict[str, Any]] = {
    "if": _NAMED_CLUSTERS,
    "else": {
        "required": ["services"],
        "properties": {"services": {"minItems": 1, "minProperties": 1}},
    },
}
"""Services are the file's, or each named cluster's."""

NEEDED_WITHOUT_PLACES: Final = ("cloud", "region", "network")
_NETWORK_SOMEWHERE: Final[dict[str, Any]] = {
    "if": {"required": ["places"]},
    "else": {"required": [*NEEDED_WITHOUT_PLACES]},
}
"""A network is the file's, or each place's."""

_KINDS: Final = ("Edge", "Core")

_CARDS: Final[dict[str, Any]] = {
    "if": {"properties": {"nics": {"const": "single"}}, "required": ["nics"]},
    "then": {"properties": {"peers": {"items": {"required": ["address"]}}}},
    "else": {"properties": {"peers": {"items": {"required": ["external", "internal"]}}}},
}
"""One card has one address, two have two."""


def deployment_schema(catalog: Catalog) -> dict[str, Any]:
    """The schema as JSON data, in one fixed order."""
    schema, foreign = joined_schemas()
    _plain(schema)
    properties = schema["properties"]
    properties["accept"]["oneOf"].append({"type": "string"})  # a file beside
    listed = [properties["services"]]
    listed += [schema["$defs"][f"{kind}Cluster"]["properties"]["services"] for kind in _KINDS]
    for part in listed:
        _list_or_map(part)
    properties["services"]["items"] = {
        "anyOf": [{"enum": sorted(catalog.services)}, {"type": "string"}],  # offered, not imposed
        "description": "The name of a table's service.",
    }
    properties["services"]["uniqueItems"] = True
    of_expressway = schema["$defs"]["Releases"]["properties"]["expressway"]
    properties["release"] = {
        "anyOf": [
            {key: of_expressway[key] for key in ("type", "pattern", "examples")},
            {"$ref": "#/$defs/Releases"},
        ],
        "default": of_expressway["default"],
        "description": properties["release"]["description"],
    }
    schema["allOf"] = [_names(catalog), _SERVICES_SOMEWHERE, _NETWORK_SOMEWHERE]
    schema["required"] = [key for key in schema["required"] if key not in NEEDED_WITHOUT_PLACES]
    schema["allOf"] += [_of_cloud(cloud, foreign[cloud]) for cloud in Cloud]
    for cluster in ("ExpresswayE", "EdgeCluster"):
        schema["$defs"][cluster].update(_CARDS)
    for key in ("expressway_e", "expressway_c"):
        _one_or_named(properties[key])
    options = schema["$defs"]["Options"]["properties"]
    options["ports"]["propertyNames"] = {"enum": sorted(parameter_names(catalog))}
    head = {
        "$schema": DIALECT,
        "$id": schema_id("deployment"),
        "title": "Flowbridge deployment file",
        "description": "One deployment of Cisco Expressway, Unified CM and Meeting Server in one "
        "cloud: what runs where, and which documented services it uses.",
    }
    return {**head, **{key: value for key, value in schema.items() if key != "description"}}


def _list_or_map(part: dict[str, Any]) -> None:
    """Services as a list or as a map: one schema for both, so that an editor tells what is wrong
    inside it."""
    listed, mapped = part.pop("oneOf")
    part.update({**mapped, **listed, "type": ["array", "object"]})


def _one_or_named(part: dict[str, Any]) -> None:
    """One cluster, or several by name: told apart by the keys of one, as the model does."""
    for holder in (part, *part.get("anyOf", ())):
        if "oneOf" in holder:
            one, named = holder.pop("oneOf")
            part.pop("anyOf", None)
            part["type"] = "object"
            part["if"] = {"anyOf": [{"required": [key]} for key in ("tier", "peers", "nics")]}
            part["then"], part["else"] = one, named
            return


def editor_schema(catalog: Catalog) -> dict[str, Any]:
    """The schema with a name and a sentence for each system, service and port that editors offer.

    It takes and refuses what `deployment_schema` does, but for what a file that extends another
    may leave out.
    """
    schema = deployment_schema(catalog)
    properties = schema["properties"]
    properties["systems"]["properties"] = {
        name: {"$ref": "#/$defs/System", "description": _sentence(catalog.parties[name].en)}
        for name in sorted(system_names(catalog))
    }
    about = {name: _opens(catalog, name) for name in sorted(catalog.services)}
    services = properties["services"]
    services["items"]["anyOf"] = [
        *({"const": name, "description": text} for name, text in about.items()),
        {"type": "string"},
    ]
    peers = services["additionalProperties"]
    schema["$defs"]["Peers"] = peers
    services["additionalProperties"] = {"$ref": "#/$defs/Peers"}
    services["properties"] = {
        name: {"$ref": "#/$defs/Peers", "description": text} for name, text in about.items()
    }
    ports = schema["$defs"]["Options"]["properties"]["ports"]
    (each,) = ports["patternProperties"].values()
    ports["properties"] = {
        name: {**each, "description": catalog.parameters[name].description}
        for name in sorted(parameter_names(catalog))
    }
    required = {"required": schema.pop("required")}
    schema["allOf"].remove(_SERVICES_SOMEWHERE)
    schema["allOf"].remove(_NETWORK_SOMEWHERE)
    # What a file lacks stands in the one that it extends.
    whole = {"allOf": [required, _SERVICES_SOMEWHERE, _NETWORK_SOMEWHERE]}
    schema["allOf"].append({"if": {"required": ["extends"]}, "else": whole})
    return schema


def _opens(catalog: Catalog, service: str) -> str:
    """What a service opens, in a sentence, with its tables."""
    tables = catalog.tables_of(service)
    titles = "; ".join(dict.fromkeys(table.title.en for table in tables))
    printed = ", ".join(f"{table.document}/{table.table}" for table in tables)
    return f"{titles} ({printed})."


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def schema_text(catalog: Catalog) -> str:
    """The schema as it is committed."""
    return json.dumps(editor_schema(catalog), indent=2, ensure_ascii=False) + "\n"


def _names(catalog: Catalog) -> dict[str, Any]:
    """The services and systems there are; overlays bring their own, which no schema knows."""
    return {
        "if": {"required": ["overlays"]},
        "else": {
            "properties": {
                "services": {
                    "items": {"enum": sorted(catalog.services)},
                    "propertyNames": {"enum": sorted(catalog.services)},
                },
                "systems": {
                    # A system with a name of the user's own says whose part it plays.
                    "patternProperties": {
                        f"^(?!({'|'.join(sorted(system_names(catalog)))})$)": {
                            "required": ["roles"]
                        }
                    }
                },
            }
        },
    }


def _of_cloud(cloud: Cloud, foreign: dict[str, Any]) -> dict[str, Any]:
    then = copy.deepcopy(foreign)
    network = then.setdefault("properties", {}).setdefault("network", {})
    network.update(_needed_network(cloud))
    return {
        "if": {"properties": {"cloud": {"const": cloud.value}}, "required": ["cloud"]},
        "then": then,
    }


def _plain(schema: Any) -> None:
    """Without what only repeats the model: titles, and defaults that are whole sections.

    A key that may be left out is of its own type, not of that or null: editors then say what is
    wrong inside it.
    """
    match schema:
        case dict():
            _leave_out_null(schema)
            if isinstance(schema.get("title"), str):
                del schema["title"]
            match schema.get("default"):
                case {"first": int(first), "last": int(last)}:
                    schema["default"] = str(PortRange(first, last))
                case dict():
                    del schema["default"]
            for key, part in schema.items():
                for member in part.values() if key in ("properties", "$defs") else [part]:
                    _plain(member)
        case list():
            for part in schema:
                _plain(part)


def _leave_out_null(schema: dict[str, Any]) -> None:
    match schema:
        case {"anyOf": [*kinds]} if {"type": "null"} in kinds:
            kinds.remove({"type": "null"})
            schema["anyOf"] = kinds
            if len(kinds) == 1:
                del schema["anyOf"]
                schema.update(kinds[0])
            if schema.get("default", "") is None:
                del schema["default"]
