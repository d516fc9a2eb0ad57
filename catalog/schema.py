"""JSON Schemas of the catalog's files, for editors: tables, overlays and editions."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import BaseModel

from flowbridge.catalog.edition import EditionRows
from flowbridge.catalog.load import Catalog
from flowbridge.catalog.overlay import Overlay
from flowbridge.catalog.row import Table

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_KINDS: Final[dict[str, tuple[type[BaseModel], str]]] = {
    "table": (Table, "Flowbridge catalog: a table of a document"),
    "overlay": (Overlay, "Flowbridge overlay: rows of your own, and what they change of ours"),
    "edition": (EditionRows, "Flowbridge catalog: what an edition prints against another one"),
}
KINDS: Final = tuple(_KINDS)


def schema_id(kind: str) -> str:
    """The `$id`: a name and no address, so that no editor asks a server for it."""
    return f"urn:flowbridge:schema:{kind}"


_PORT: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": 65535},
        {"type": "string", "pattern": r"^(\d{1,5}(-\d{1,5})?( (even|odd))?|any)$"},
    ]
}
_PORTS: Final[dict[str, Any]] = {"anyOf": [*_PORT["anyOf"], {"type": "array", "items": _PORT}]}
_CONDITION: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Facts of a deployment that all have to hold: `{size: large}`; a list means any "
    "of its values; `any` and `not` nest.",
}
_ROW_NUMBERS: Final[dict[str, Any]] = {
    "type": "array",
    "items": {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\d+-\d+$"}]
    },
}
_PROTOCOLS: Final = ("icmp", "tcp", "udp", "gre", "esp", "ah", "icmpv6")
# What an overlay may leave out, since it prints nothing.
_PRINTED_ONLY: Final = {"line", "columns", "printed", "document", "ja"}


def file_schema(kind: str, catalog: Catalog) -> dict[str, Any]:
    """The schema of one kind of file (`KINDS`), in one fixed order. KeyError for another kind."""
    model, title = _KINDS[kind]
    schema = model.model_json_schema(by_alias=True, mode="validation")
    definitions = schema.setdefault("$defs", {})
    definitions.pop("PortRange", None)
    definitions["Condition"] = _CONDITION
    definitions["PortAlternative"]["properties"]["ports"] = _PORTS
    definitions["Protocol"] = {"enum": list(_PROTOCOLS)}
    for name in ("rows", "gone", "back"):
        if "EditionTable" in definitions:
            definitions["EditionTable"]["properties"][name] = _ROW_NUMBERS
    _names(definitions, catalog)
    if kind == "overlay":
        _lenient(definitions)
        # An overlay of one table is that table alone.
        whole = {"anyOf": [_bare(schema), {"$ref": "#/$defs/Table"}]}
        return _headed(kind, title, whole, definitions)
    return _headed(kind, title, _bare(schema), definitions)


def _headed(
    kind: str, title: str, schema: dict[str, Any], definitions: dict[str, Any]
) -> dict[str, Any]:
    for internal in ("closed", "replaced"):
        definitions.get("Table", {}).get("properties", {}).pop(internal, None)
        schema.get("properties", {}).pop(internal, None)
    head = {"$schema": DIALECT, "$id": schema_id(kind), "title": title}
    return {**head, **schema, "$defs": definitions}


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in schema.items() if key not in ("$defs", "title")}


def _names(definitions: dict[str, Any], catalog: Catalog) -> None:
    """Our parties and parameters are offered; names of one's own are taken too."""
    for model, key, names in (
        ("PartyReference", "party", catalog.parties),
        ("PortAlternative", "parameter", catalog.parameters),
    ):
        if model in definitions:
            offered = {"anyOf": [{"enum": sorted(names)}, {"type": "string"}, {"type": "null"}]}
            definitions[model]["properties"][key] = offered


def _lenient(definitions: dict[str, Any]) -> None:
    for definition in definitions.values():
        if "required" in definition:
            definition["required"] = [n for n in definition["required"] if n not in _PRINTED_ONLY]
    if "Closing" in definitions:
        closing = definitions["Closing"]
        definitions["Closing"] = {
            "anyOf": [{"type": "string", "pattern": r"^[a-z][a-z0-9-]*/\d+/\+?\d+$"}, closing]
        }


def schema_text(kind: str, catalog: Catalog) -> str:
    """The schema as it is committed below `schemas/`."""
    return json.dumps(file_schema(kind, catalog), indent=2, ensure_ascii=False) + "\n"
