"""Estates that Flowbridge did not make: who wears which filter there, and what nobody can tell.

A plan of others has no `flowbridge:` tags and attaches its groups in ways of its own. Each cloud
(`providers.<cloud>.meaning.foreign`) finds what every interface of the deployment wears in it, by
the user's mapping, by tags, cards, addresses or names, and reads the filters as everywhere. What
cannot be read is left out and named, so that the rest is judged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from flowbridge.catalog.reading.kept_yaml import read_plain
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.terraform.address import TerraformAddress
from flowbridge.providers.terraform.attribute_table import AttributeTable
from flowbridge.providers.terraform.nested_address import nested_addresses
from flowbridge.providers.terraform.shown.document import FlatDocument, Unresolved

_COMPUTED: Final = Path(__file__).parents[1] / "terraform" / "shown" / "computed.yaml"
_AT: Final = re.compile(
    r"^(?P<kind>[a-z][a-z0-9_]*)\.(?P<name>[\w-]+)(?:\.(?P<block>\w+)(?P<place>\[[^\]]*\]))?"
)
Read = TypeVar("Read")


class Found(StrEnum):
    """How it is known what an interface wears. The words are part of the answer."""

    MAPPING = "the mapping file"
    TAGS = "flowbridge: tags"
    CARD = "the card that the deployment names"
    ADDRESS = "its address"
    SUBNET = "the subnets of its tier"
    NAME = "its name"


@dataclass(frozen=True, slots=True)
class Wearing:
    """The user's mapping. `interfaces`: by interface key, what it is or wears: addresses in
    Terraform, ids or names of cards, groups, NSGs or network tags. `subnets`: by tier. `locals_`:
    what locals of modules refer to. Not `strict`: names that nothing has are left out."""

    interfaces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    subnets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    locals_: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Worn:
    """What one interface wears: `what` are addresses or ids for people."""

    how: Found
    what: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Foreign:
    """An estate as it was read. `enforcement` has the points of the interfaces in `worn` only.
    `untold` is what cannot be told; `assumed` are sentences on what was taken for granted."""

    enforcement: Enforcement
    worn: Mapping[str, Worn]
    untold: tuple[Unknown, ...]
    assumed: tuple[str, ...] = ()


class BadMappingError(ValueError):
    """A mapping that does not fit the plan; str() says what to write instead. `key` is the place
    in the mapping file."""

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Thing:
    """A resource that a mapping can name. `address` is in the document; `real` is for people."""

    address: str
    real: str
    names: tuple[str, ...]

    @property
    def kind(self) -> str:
        return TerraformAddress(self.address).kind


def things(flat: FlatDocument, kinds: Iterable[str]) -> tuple[Thing, ...]:
    """Everything of `kinds`, with all names that a person may have for it, in small letters."""
    found = []
    for address, body in flat.of(*kinds).items():
        real = flat.names.real(address)
        tags = body.get("tags")
        named = tags.get("Name") if isinstance(tags, Mapping) else None
        given = (real, re.sub(r"\[[^\]]*\]$", "", real), body.get("id"), body.get("name"), named)
        texts = (str(each).lower() for each in given if isinstance(each, str) and each)
        found.append(Thing(address, real, tuple(dict.fromkeys(texts))))
    return tuple(found)


def named_by(name: str, key: str, known: Iterable[Thing]) -> Thing | None:
    """The thing that a mapping means by `name`; None for none. BadMappingError for several."""
    listed = [each for each in known if name.lower() in each.names]
    exact = [each for each in listed if each.real == name] or listed
    if len(exact) > 1:
        several = " and ".join(each.real for each in exact[:4])
        raise BadMappingError(key, f"{name!r} is the name of {several}: write one of these")
    return exact[0] if exact else None


def unnamed(name: str, key: str, known: Iterable[Thing]) -> BadMappingError:
    """For a name that nothing has."""
    names = [each.real for each in known]
    near = get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]}?" if near else ""
    return BadMappingError(key, f"{name!r} is nothing in this plan{hint}")


def names_of(interface: Interface, policy: Policy, site: str) -> frozenset[str]:
    """What people call an interface: `expressway-e-external`, with the site before it or not; the
    workload alone where it has one interface."""
    only = sum(each.workload == interface.workload for each in policy.interfaces) == 1
    own = [f"{interface.workload}-{interface.name}", *([interface.workload] if only else [])]
    return frozenset(text for each in own for text in (each, f"{site}-{each}"))


def plain_name(text: str) -> str:
    return text.lower().replace("_", "-").replace("/", "-").replace(" ", "-")


def read_rest(
    document: Mapping[str, Any], read: Callable[[Mapping[str, Any]], Read]
) -> tuple[Read, list[Unknown]]:
    """`read` of as much of `document` as can be read; what has to be left out, and why.

    ValueError where that is not the fault of one resource.
    """
    rest: dict[str, Any] = {"resource": {k: dict(v) for k, v in document["resource"].items()}}
    untold: list[Unknown] = []
    while True:
        try:
            return read(rest), untold
        except ValueError as error:
            where, colon, why = str(error).partition(": ")
            if not colon or not _without(rest, where):
                raise
            untold.append(Unknown(where, why, Why.MEANING))


def _without(document: dict[str, Any], where: str) -> bool:
    """Takes the block at `where` out of `document`; False where there is none."""
    match = _AT.match(where)
    if match is None:
        return False
    named = document["resource"].get(match["kind"], {})
    body = named.get(match["name"])
    if body is None:
        return False
    if match["block"] and isinstance(listed := body.get(match["block"]), list):
        parent = f"{match['kind']}.{match['name']}"
        places = nested_addresses(parent, match["block"], listed)
        wanted = f"{parent}.{match['block']}{match['place']}"
        if wanted in places:
            left = [each for at, each in zip(places, listed, strict=True) if at != wanted]
            named[match["name"]] = {**body, match["block"]: left}
            return True
    del named[match["name"]]
    return True


def unlisted(
    flat: FlatDocument, addresses: Iterable[str], table: AttributeTable
) -> Iterator[Unknown]:
    """What is given at `addresses` and stands in no table."""
    computed = _computed()
    for address in map(TerraformAddress, addresses):
        known = table.resources.get(address.kind)
        body = flat.document["resource"].get(address.kind, {}).get(address.name, {})
        for key, value in body.items():
            given = value not in (None, "", [], {}, False)
            if (
                given
                and known is not None
                and key not in computed
                and known.attributes.of(key) is None
            ):
                what = f"`{key}` is given, and what it does to packets is not known"
                yield Unknown(address, what, Why.MEANING)


def above(flat: FlatDocument, table: AttributeTable) -> Iterator[Unknown]:
    """Filters of whole accounts or networks, which no rule shows."""
    for kind, named in flat.document["resource"].items():
        if table.is_filter(kind):
            for name in named:
                what = "decides for a whole account or network, and is not judged"
                yield Unknown(TerraformAddress.of(kind, name), what, Why.MEANING)


def unresolved(open_: Iterable[Unresolved], concerned: Iterable[str]) -> Iterator[Unknown]:
    """References of rules and associations that may come to something `concerned`."""
    ours = frozenset(concerned)
    for each in open_:
        if each.candidates is None or not ours.isdisjoint(each.candidates):
            what = f"`{each.attribute}` is known after the apply only, from {each.text}"
            if "local." in each.text:
                what += "; say in a mapping file (`locals`) what that refers to"
            yield Unknown(each.flat, what, Why.MEANING)


@cache
def _computed() -> frozenset[str]:
    return frozenset(read_plain(_COMPUTED))


def renamed(enforcement: Enforcement, real: Callable[[str], str]) -> Enforcement:
    """With the addresses that people know; one filter stays one object."""
    from dataclasses import replace

    known: dict[int, tuple[Filter, Filter]] = {}

    def of(stage: Filter) -> Filter:
        if id(stage) not in known:
            rules = tuple(replace(rule, name=real(rule.name)) for rule in stage.rules)
            unknown = tuple(
                Unknown(real(each.rule), real(each.what), each.why) for each in stage.unknown
            )
            new = replace(stage, name=real(stage.name), rules=rules, unknown=unknown)
            known[id(stage)] = stage, new
        return known[id(stage)][1]

    return {point: tuple(map(of, filters)) for point, filters in enforcement.items()}


def copied(flat: FlatDocument) -> dict[str, Any]:
    """A document to change, apart from the values in it."""
    return deepcopy(flat.document)
