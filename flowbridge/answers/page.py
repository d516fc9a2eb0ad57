"""The page of the answers (`docs/answers.md`), made from the models: every key and its meaning."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flowbridge.answers.contract import CONTRACTS

_INTRODUCTION: Final = """# JSON answers

Every command answers `--format json` with one of these, made from the models in
`flowbridge/answers` by `make docs`. They are a contract: a key keeps its name, its type and its
meaning; new ones may come with a release, and the changelog says so. The schemas (JSON Schema
2020-12) are in [schemas/answers](../schemas/answers); `flowbridge schema --answer check` prints
one. A program in Python reads an answer by its model:
`flowbridge.answers.trace.Trace.model_validate_json(text)`.

Answers that are objects end with `provenance`. A key in *italics* may be left out.

"""

_PLAIN: Final = {
    str: "text",
    int: "number",
    float: "number",
    bool: "true or false",
    types.NoneType: "null",
    Any: "JSON",
}


def answers_page() -> str:
    """The page as Markdown."""
    return _INTRODUCTION + "".join(_lines())


def _lines() -> Iterator[str]:
    yield "| answer | command | what it is |\n|---|---|---|\n"
    for name, contract in CONTRACTS.items():
        yield f"| [{name}](../schemas/answers/{name}.schema.json) | `{contract.command}` | "
        yield f"{kind(contract.shape)} |\n"
    for module, models in _by_file().items():
        yield f"\n## {module.replace('_', ' ')}\n\n{sys.modules[_name(module)].__doc__}\n"
        for model in models:
            yield from _record(model)


def _name(module: str) -> str:
    return f"flowbridge.answers.{module}"


def _by_file() -> dict[str, list[type[BaseModel]]]:
    """The records of every file, those of the common files first, each in the order they stand."""
    found: dict[str, list[type[BaseModel]]] = {"part": [], "packets": [], "finding": []}
    for contract in CONTRACTS.values():
        for model in models_of(contract.shape):
            module = model.__module__.rpartition(".")[2]
            found.setdefault(module, [])
            if model not in found[module]:
                found[module].append(model)
    return found


def models_of(shape: Any) -> Iterator[type[BaseModel]]:
    """Every model that a shape is made of, the outer ones first; one may come twice."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        yield shape
        for field in shape.model_fields.values():
            yield from models_of(field.annotation)
    else:
        for part in get_args(shape):
            yield from models_of(part)


def _record(model: type[BaseModel]) -> Iterator[str]:
    yield f"\n### {_title(model)}\n\n{model.__doc__}\n\n| key | is | means |\n|---|---|---|\n"
    for name, field in model.model_fields.items():
        key = f"`{field.alias or name}`"
        shown = key if field.is_required() else f"*{key}*"
        means = " ".join((field.description or "").split())
        yield f"| {shown} | {_kind_of(field)} | {means} |\n"


def _kind_of(field: FieldInfo) -> str:
    left_out = not field.is_required() and types.NoneType in get_args(field.annotation)
    parts = [part for part in get_args(field.annotation) if part is not types.NoneType]
    return " or ".join(map(kind, parts)) if left_out else kind(field.annotation)


def _title(model: type[BaseModel]) -> str:
    """Names of one file are said with it: `check: Row` is another record than `catalog: Row`."""
    return f"{model.__module__.rpartition('.')[2].replace('_', ' ')}: {model.__name__}"


def kind(shape: Any) -> str:
    """What a value is, in words."""
    if (plain := _PLAIN.get(shape) if shape.__hash__ else None) is not None:
        return plain
    origin, parts = get_origin(shape), get_args(shape)
    if origin is Literal:
        return ", ".join(f"`{_value(part)}`" for part in parts)
    if origin in (Union, types.UnionType):
        return " or ".join(map(kind, parts))
    if origin is list:
        return f"list of {kind(parts[0])}"
    if origin is dict:
        return f"by name: {kind(parts[1])}"
    if issubclass(shape, Enum):
        return ", ".join(f"`{each.value}`" for each in shape)
    title = _title(shape)
    anchor = title.lower().replace(":", "").replace(" ", "-")
    return f"[{title}](#{anchor})"


def _value(part: object) -> str:
    return str(part).lower() if isinstance(part, bool) else str(part)
