"""What a module makes for given values of its variables, read from its files as Terraform does.

Only the expressions that our modules have are known; any other that takes a variable is a fault
(ValueError), so that nothing is proved of a value that was not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from flowbridge.providers.provider import TerraformJson
from flowbridge.providers.terraform.address import TerraformAddress

_JOINED: Final = re.compile(
    r'\$\{ \{ for i, id in lookup\(var\.(?P<variable>\w+), "(?P<key>[^"]+)", \[\]\) : '
    r"tostring\(i\) => id \} \}"
)
_LATE: Final = re.compile(
    r'\$\{startswith\(each\.value, "/"\) \? each\.value : "(?P<before>.*)\$\{each\.value\}"\}'
)
_LOOKED_UP: Final = re.compile(
    r'\$\{lookup\(var\.(?P<variable>\w+), "(?P<key>[^"]+)", "(?P<default>[^"]+)"\)\}'
)
_NAMED: Final = re.compile(r"\$\{var\.(?P<variable>\w+)\}")
_LEFT: Final = re.compile(r"\bvar\.|\beach\.")

Values = Mapping[str, Any]


def evaluated(files: Mapping[str, TerraformJson], given: Values) -> TerraformJson:
    """The blocks of a root configuration that says the same; `given` wins over the defaults.

    A resource with `for_each` becomes one for each of its keys, named `<name>_<key>`.
    """
    blocks: TerraformJson = {}
    for content in files.values():
        blocks |= content
    variables = blocks.pop("variable", {})
    values = {
        name: given[name] if name in given else block["default"]
        for name, block in variables.items()
        if name in given or "default" in block
    }
    resources, expanded = _expanded(blocks.get("resource", {}), values)
    blocks["resource"] = {
        kind: {name: _depending(body, expanded) for name, body in named.items()}
        for kind, named in resources.items()
    }
    result: TerraformJson = _with_values(blocks, values)
    if _LEFT.search(json.dumps(result)):
        raise ValueError("the module has an expression that cannot be judged")
    return result


def _expanded(
    resources: TerraformJson, values: Values
) -> tuple[TerraformJson, dict[str, list[str]]]:
    """Every resource once for each of its keys; the addresses that an address became."""
    result: TerraformJson = {}
    addresses: dict[str, list[str]] = {}
    for kind, named in resources.items():
        result[kind] = {}
        for name, body in named.items():
            if "for_each" not in body:
                result[kind][name] = body
                continue
            joined = _JOINED.fullmatch(body["for_each"])
            if joined is None:
                raise ValueError(f"{kind}.{name}: its for_each cannot be judged")
            rest = {key: value for key, value in body.items() if key != "for_each"}
            addresses[TerraformAddress.of(kind, name)] = []
            for index, value in enumerate(values[joined["variable"]].get(joined["key"], [])):
                result[kind][f"{name}_{index}"] = _of_one(rest, value)
                addresses[TerraformAddress.of(kind, name)].append(
                    TerraformAddress.of(kind, f"{name}_{index}")
                )
    return result, addresses


def _of_one(value: Any, each: str) -> Any:
    match value:
        case str():
            late = _LATE.fullmatch(value)
            if late is not None:
                return each if each.startswith("/") else f"{late['before']}{each}"
            return value.replace("${each.value}", each)
        case Mapping():
            return {key: _of_one(part, each) for key, part in value.items()}
        case list():
            return [_of_one(part, each) for part in value]
    return value


def _depending(body: Any, expanded: Mapping[str, list[str]]) -> Any:
    if "depends_on" not in body:
        return body
    addresses = [one for each in body["depends_on"] for one in expanded.get(each, [each])]
    return {**body, "depends_on": addresses}


def _with_values(value: Any, values: Values) -> Any:
    match value:
        case str():
            text = _LOOKED_UP.sub(
                lambda found: values[found["variable"]].get(found["key"], found["default"]), value
            )
            return _NAMED.sub(lambda found: values[found["variable"]], text)
        case Mapping():
            return {key: _with_values(part, values) for key, part in value.items()}
        case list():
            return [_with_values(part, values) for part in value]
    return value


def named_as(document: TerraformJson, planned: TerraformJson) -> TerraformJson:
    """`document` with the names that `planned` has for the same resources.

    A resource that `planned` does not have keeps its name. Only what was one of several is renamed:
    every other resource of a module has the name of the plan.
    """
    names: dict[str, str] = {}
    resources: TerraformJson = {}
    for kind, named in document["resource"].items():
        there = planned["resource"].get(kind, {})
        known = {_content(body): name for name, body in there.items()}
        resources[kind] = {}
        for name, body in named.items():
            own = name if name in there else known.get(_content(body), name)
            names[TerraformAddress.of(kind, name)] = TerraformAddress.of(kind, own)
            resources[kind][own] = body
    return {
        **document,
        "resource": {
            kind: {name: _renamed(body, names) for name, body in named.items()}
            for kind, named in resources.items()
            if named
        },
    }


def _content(body: Mapping[str, Any]) -> str:
    """What the resource is, whatever it waits for."""
    return json.dumps({k: v for k, v in body.items() if k != "depends_on"}, sort_keys=True)


def _renamed(body: Any, names: Mapping[str, str]) -> Any:
    if "depends_on" not in body:
        return body
    return {**body, "depends_on": [names.get(each, each) for each in body["depends_on"]]}
