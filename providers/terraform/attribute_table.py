"""What the proof of a document makes of each attribute of each resource type: one table a cloud.

The table is a YAML file (`providers/<cloud>/meaning/attributes.yaml`). It closes the world: what
stands in no table is not judged, so that an attribute that a provider adds later, or that somebody
writes by hand, is never taken for fine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.reading.kept_yaml import read_plain

_META: Final = Path(__file__).with_name("meta.yaml")
_OTHERS: Final = "*"
_OF_THE_TYPE: Final = ("whole", "alone", "card")


class Judgement(StrEnum):
    """See the opening of `providers/aws/meaning/attributes.yaml`."""

    READ = "read"
    PEERS = "peers"
    PLAN = "plan"
    OWNER = "owner"
    ATTACHED = "attached"
    MARKS = "marks"
    ORDER = "order"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True)
class Attributes:
    """The judgement of each attribute of a block; of a nested block, those of its attributes."""

    named: Mapping[str, Judgement | Attributes]
    others: Judgement | None = None

    def of(self, key: str) -> Judgement | Attributes | None:
        """None: not judged."""
        return self.named.get(key, self.others)


@dataclass(frozen=True, slots=True)
class ResourceType:
    """`whole`: all there as planned. `alone`: and no others in the document. `card`: the attribute
    that names the card which gets into a group."""

    attributes: Attributes
    whole: bool = False
    alone: bool = False
    card: str | None = None


@dataclass(frozen=True, slots=True)
class Wearer:
    """A machine or card: where it names its groups, and where its addresses (dotted paths)."""

    groups: frozenset[str]
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeTable:
    """The table of one cloud."""

    provider: str  # the local name that Terraform has for it
    provider_attributes: Attributes
    resources: Mapping[str, ResourceType]
    filters: tuple[str, ...]
    bystanders: tuple[str, ...]
    carriers: re.Pattern[str]
    wearers: Mapping[str, Wearer]

    def is_filter(self, kind: str) -> bool:
        """Whether resources of type `kind` decide over packets of whole accounts or networks."""
        return any(fnmatchcase(kind, pattern) for pattern in self.filters)

    def is_bystander(self, kind: str) -> bool:
        """Whether resources of type `kind` stand in a network and filter nothing."""
        return any(fnmatchcase(kind, pattern) for pattern in self.bystanders)


@cache
def attribute_table(path: Path) -> AttributeTable:
    """The table in `path`. ValueError for a word that is no judgement."""
    data = read_plain(path)
    meta = read_plain(_META)
    return AttributeTable(
        provider=data["provider"]["name"],
        provider_attributes=_attributes(data["provider"]["attributes"]),
        resources={kind: _type(body, meta) for kind, body in data["resources"].items()},
        filters=tuple(data["filters"]),
        bystanders=tuple(data["bystanders"]),
        carriers=re.compile(data["carriers"]),
        wearers={
            kind: Wearer(frozenset(body["groups"]), frozenset(body["addresses"]))
            for kind, body in data["wearers"].items()
        },
    )


def _type(body: Mapping[str, Any], meta: Mapping[str, Any]) -> ResourceType:
    attributes = {key: value for key, value in body.items() if key not in _OF_THE_TYPE}
    return ResourceType(
        _attributes({**attributes, **meta}),
        body.get("whole", False),
        body.get("alone", False),
        body.get("card"),
    )


def _attributes(body: Mapping[str, Any]) -> Attributes:
    named: dict[str, Judgement | Attributes] = {}
    for key, value in body.items():
        if key != _OTHERS:
            named[key] = _attributes(value) if isinstance(value, Mapping) else Judgement(value)
    others = body.get(_OTHERS)
    return Attributes(named, None if others is None else Judgement(others))
