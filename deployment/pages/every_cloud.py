"""One JSON Schema for the deployment files of every cloud, made from the model of each.

A section that differs between clouds (`AwsNetwork`, `AzureNetwork`) has the keys of all of them
under the name of the section that they share; what a cloud does not know is forbidden there.
"""

from __future__ import annotations

import json
import re
from typing import Any

from flowbridge.deployment.file.site import Cloud, site_type

Schema = dict[str, Any]


def joined_schemas() -> tuple[Schema, dict[Cloud, Schema]]:
    """The schema with the keys of every cloud, and for each cloud the keys it does not have, as a
    schema that refuses them (a key is `false`)."""
    own = {cloud: _schema(cloud) for cloud in Cloud}
    joined: Schema = {}
    for schema in own.values():
        _join(joined, schema)
    joined["properties"]["cloud"]["enum"] = [cloud.value for cloud in Cloud]
    del joined["properties"]["cloud"]["const"]
    foreign = {cloud: _missing(joined, joined, own[cloud], own[cloud]) for cloud in Cloud}
    return joined, foreign


def _schema(cloud: Cloud) -> Schema:
    """The schema of one cloud, its own sections under the names of those that all clouds share."""
    model = site_type(cloud)
    text = json.dumps(model.model_json_schema(by_alias=True, mode="validation"))
    prefix = model.__name__.removesuffix("Site")
    shared = json.loads(re.sub(rf'"(#/\$defs/)?{prefix}(?=[A-Z])', r'"\1', text))
    assert isinstance(shared, dict)  # noqa: S101
    return shared


def _join(into: Schema, other: Schema) -> None:
    """Add to `into` the keys and definitions of `other` that it lacks."""
    for key, value in other.items():
        mine = into.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            _join(mine, value)
        elif key not in into:
            into[key] = json.loads(json.dumps(value))


def _missing(root: Schema, every: Schema, own_root: Schema, own: Schema) -> Schema:
    """What a cloud's `own` section lacks of `every`, in it and in the sections below."""
    mine = own.get("properties", {})
    properties: Schema = {}
    for name, part in every.get("properties", {}).items():
        if name not in mine:
            properties[name] = False
        elif below := _below(root, part, own_root, mine[name]):
            properties[name] = below
    return {"properties": properties} if properties else {}


def _below(root: Schema, part: Schema, own_root: Schema, own: Schema) -> Schema:
    """The same of the section that stands at a key, or by name below it."""
    if "properties" in (whole := _resolved(root, part)):
        return _missing(root, whole, own_root, _resolved(own_root, own))
    for key in ("additionalProperties", "patternProperties"):
        named, own_named = part.get(key), own.get(key)
        if isinstance(named, dict) and isinstance(own_named, dict):
            if key == "additionalProperties":
                found = _below(root, named, own_root, own_named)
                return {key: found} if found else {}
            each = {
                pattern: found
                for pattern, inner in named.items()
                if (found := _below(root, inner, own_root, own_named[pattern]))
            }
            return {key: each} if each else {}
    return {}


def _resolved(root: Schema, part: Schema) -> Schema:
    reference = part.get("$ref")
    found = part if reference is None else root["$defs"][reference.rpartition("/")[2]]
    assert isinstance(found, dict)  # noqa: S101
    return found
