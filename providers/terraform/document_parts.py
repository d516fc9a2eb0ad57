"""The blocks of a document in Terraform's JSON, where an object may also be a list of objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.providers.terraform.address import TerraformAddress

COMMENT: Final = "//"


def resources(
    document: Mapping[str, Any], block: str = "resource"
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Address, type and body of each. ValueError for what is no Terraform JSON."""
    for part in parts(document.get(block)):
        for kind, kinds in part.items():
            if kind == COMMENT:
                continue
            for named in parts(kinds):
                for name, bodies in named.items():
                    if name != COMMENT:
                        for body in parts(bodies):
                            yield TerraformAddress.of(kind, name), kind, body


def parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Terraform JSON lets every object be a list of objects."""
    if value is None:
        return
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, Mapping) for item in items):
        raise ValueError(f"this is not Terraform JSON: {str(value)[:60]!r} where a block is due")
    yield from items


def blocks_of(value: Any, name: str) -> Iterator[Mapping[str, Any]]:
    for part in parts(value):
        yield from parts(part.get(name))


def provider_source(document: Mapping[str, Any], name: str) -> object:
    for part in parts(document.get("terraform")):
        for required in parts(part.get("required_providers")):
            stated = required.get(name)
            if isinstance(stated, Mapping):
                return stated.get("source")
    return None
