"""A shown plan or state as Terraform JSON, so that its rules have the one meaning that we know.

The readers of rules (`providers.<cloud>.meaning`) read Terraform JSON with plain references. Here
every resource instance, of any module, becomes a resource of such a document; what a plan knows
only after the apply becomes a reference where the configuration tells which resource it comes from,
and an expression that nobody can resolve where it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path as File
from typing import Any, Final

from flowbridge.catalog.reading.kept_yaml import read_plain
from flowbridge.providers.terraform.address import TerraformAddress
from flowbridge.providers.terraform.shown.origin import Configuration, Origin
from flowbridge.providers.terraform.shown.resources import Shown, ShownEstate

_NAMES: Final = File(__file__).with_name("names.yaml")
_FLAT: Final = re.compile(r"\b(?:data\.)?([a-z][a-z0-9_]*)\.(at_\d+_)")
# How an expression begins that nobody can resolve before the apply.
LEFT_OPEN: Final = "${known after the apply, from"
_OWN_NAME: Final = ("id", "arn", "self_link")


class Flattened:
    """A name for each resource instance that a reference can have, and its address for people."""

    def __init__(self) -> None:
        self._flat: dict[str, str] = {}
        self._real: dict[str, str] = {}

    def name(self, address: str) -> str:
        if address not in self._flat:
            self._flat[address] = name = f"at_{len(self._flat)}_"
            self._real[name] = address
        return self._flat[address]

    def real(self, text: str) -> str:
        """`text` with the addresses that people know."""
        return _FLAT.sub(lambda match: self._real.get(match[2], match[0]), text)

    def flat(self, address: str) -> str | None:
        return self._flat.get(address)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference that cannot be told before an apply. `flat` is the name of the resource in the
    document; `candidates` are what it can be, as far as that is known (`None`: anything)."""

    flat: TerraformAddress
    attribute: str
    text: str
    candidates: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class FlatDocument:
    """`document` is Terraform JSON; `kinds` the type of every flat name; `explicit` the nested
    blocks that the configuration writes out, by flat name."""

    document: dict[str, Any]
    names: Flattened
    unresolved: tuple[Unresolved, ...] = ()
    explicit: Mapping[str, frozenset[str]] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()

    def of(self, *kinds: str) -> dict[str, dict[str, Any]]:
        """The bodies of `kinds` by their address in the document."""
        resources = self.document["resource"]
        return {
            TerraformAddress.of(kind, name): body
            for kind in kinds
            for name, body in resources.get(kind, {}).items()
        }


def as_written(document: Mapping[str, Any]) -> FlatDocument:
    """A `cdk.tf.json` or the JSON of a module: it is what it is. ValueError for another shape."""
    resources: dict[str, dict[str, Any]] = {}
    for part in _listed(document.get("resource")):
        for kind, named in part.items():
            for bodies in _listed(named):
                for name, body in bodies.items():
                    if name == "//":
                        continue
                    for each in _listed(body):
                        resources.setdefault(kind, {})[name] = dict(each)
    gaps = tuple(
        f"module.{name}: resources of a module are not in this file: judge the output of "
        "`terraform show -json` for a plan"
        for part in _listed(document.get("module"))
        for name in part
    )
    return FlatDocument({**document, "resource": resources}, Flattened(), gaps=gaps)


def _listed(value: object) -> list[dict[str, Any]]:
    if value is None:
        return []
    found: list[dict[str, Any]] = []
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, dict):
            raise ValueError(f"{str(value)[:60]!r} stands where an object is due")
        found.append(each)
    return found


def flatten(
    estate: ShownEstate,
    names: Flattened,
    locals_: Mapping[str, Iterable[str]] | None = None,
) -> FlatDocument:
    """Data sources that tell as much as a resource (`aws_subnet`) are taken for resources.

    `locals_`: what locals of modules refer to, by name.
    """
    wanted = frozenset(_table()["data"])
    taken = [each for each in estate.resources if not each.data or each.kind in wanted]
    configuration = Configuration(estate.configuration, estate.resources, locals_)
    reading = _Reading(names, configuration, taken)
    resources: dict[str, dict[str, Any]] = {}
    explicit: dict[str, frozenset[str]] = {}
    for shown in taken:
        flat = names.name(shown.address)
        resources.setdefault(shown.kind, {})[flat] = reading.body(shown)
        expressions = reading.configuration.body(shown).get("expressions") or {}
        explicit[flat] = frozenset(expressions)
    return FlatDocument(
        {"resource": resources}, names, tuple(reading.unresolved), explicit, estate.gaps
    )


class _Reading:
    def __init__(
        self,
        names: Flattened,
        configuration: Configuration,
        taken: Iterable[Shown],
    ) -> None:
        self.names, self.configuration = names, configuration
        self.unresolved: list[Unresolved] = []
        # Two resources with one id (a group and the data source that looks it up) are the same.
        self._ids: dict[str, Shown] = {}
        named = frozenset(kind for kinds in _named().values() for kind in kinds)
        for shown in sorted(taken, key=lambda each: each.data):
            if shown.kind in named:
                for key in _OWN_NAME:
                    value = shown.values.get(key)
                    if isinstance(value, str) and value:
                        self._ids.setdefault(value.lower(), shown)

    def body(self, shown: Shown) -> dict[str, Any]:
        expressions = self.configuration.body(shown).get("expressions") or {}
        return {
            key: value
            for key in dict.fromkeys((*shown.values, *shown.unknown))
            if (
                value := self._value(
                    shown,
                    key,
                    key,
                    shown.values.get(key),
                    shown.unknown.get(key, False),
                    expressions.get(key),
                )
            )
            is not None
        }

    def _value(
        self, shown: Shown, path: str, key: str, value: Any, unknown: Any, expression: Any
    ) -> Any:
        if unknown is True:
            return self._unknown(shown, path, expression)
        if isinstance(value, list):
            return self._list(shown, path, key, value, unknown, expression)
        if isinstance(value, Mapping):
            return self._block(shown, path, value, unknown, expression)
        if isinstance(unknown, list | dict) and value is None and unknown:
            return self._unknown(shown, path, expression)
        if isinstance(value, str) and _kinds(path) and path not in _OWN_NAME:
            known = self._ids.get(value.lower())
            if known is not None and known.kind in _kinds(path) and known is not shown:
                return self._reference(known, "id")
        return value

    def _block(
        self, shown: Shown, path: str, value: Mapping[str, Any], unknown: Any, expression: Any
    ) -> dict[str, Any]:
        left_open = unknown if isinstance(unknown, Mapping) else {}
        written = expression if isinstance(expression, Mapping) else {}
        whole = written if "references" in written else None
        found: dict[str, Any] = {}
        for key in dict.fromkeys((*value, *left_open)):
            inside = whole if whole is not None else written.get(key)
            here = self._value(
                shown, f"{path}.{key}", key, value.get(key), left_open.get(key, False), inside
            )
            if here is not None or key in value:
                found[key] = here
        return found

    def _list(
        self, shown: Shown, path: str, key: str, value: list[Any], unknown: Any, expression: Any
    ) -> list[Any]:
        left_open = unknown if isinstance(unknown, list) else []
        if any(each is True for each in left_open):
            return self._partly_known(shown, path, value, left_open, expression)
        if len(left_open) < len(value):
            left_open = [*left_open, *([False] * (len(value) - len(left_open)))]
        written = expression if isinstance(expression, list) else [expression] * len(value)
        if len(written) != len(value):
            # Blocks that a `dynamic` makes are not in the configuration: which is which is open.
            written = [None] * len(value)
        return [
            self._value(shown, path, key, *each)
            for each in zip(value, left_open, written, strict=False)
        ]

    def _partly_known(
        self, shown: Shown, path: str, value: list[Any], unknown: list[Any], expression: Any
    ) -> list[Any]:
        """A list of names some of which are known after the apply only."""
        known = [
            self._value(shown, path, path, each, False, None) for each in value if each is not None
        ]
        count = sum(each is True for each in unknown)
        origin = self.configuration.origin(shown, expression, _kinds(path))
        found = [] if origin is None else list(origin.among(_kinds(path)))
        found = [each for each in found if self._reference(each[0], "id") not in known]
        if (
            origin is not None
            and not origin.unfollowed
            and len(found) == len(origin.found) == count
        ):
            return [*known, *(self._reference(*each) for each in found)]
        return [*known, self._left_open(shown, path, origin)]

    def _unknown(self, shown: Shown, path: str, expression: Any) -> Any:
        kinds = _kinds(path)
        origin = self.configuration.origin(shown, expression, kinds)
        if origin is None:
            # Nothing is written there, and the provider fills it in; but a block without a place in
            # the configuration is made by a `dynamic`, whose content does not show.
            return self._left_open(shown, path, None) if "." in path else None
        found = origin.among(kinds)
        closed = kinds and len(found) == len(origin.found) and not origin.unfollowed
        if path.rsplit(".", 1)[-1] in _table()["several"]:
            known = [self._reference(*each) for each in found] if closed else []
            return [*known, self._left_open(shown, path, origin)]
        if closed and len(found) == 1:
            return self._reference(*found[0])
        return self._left_open(shown, path, origin)

    def _reference(self, shown: Shown, attribute: str) -> str:
        return f"${{{shown.kind}.{self.names.name(shown.address)}.{attribute}}}"

    def _left_open(self, shown: Shown, path: str, origin: Origin | None) -> str:
        found = () if origin is None else origin.found
        whence = [f"{each.address}.{attribute}" for each, attribute in found]
        whence += [] if origin is None else origin.unfollowed
        said = ", ".join(whence) or "a value"
        text = f"{LEFT_OPEN} {said}}}".replace("local.", "local ")
        closed = origin is not None and found and not origin.unfollowed
        candidates = (
            tuple(
                TerraformAddress.of(each.kind, self.names.name(each.address)) for each, _ in found
            )
            if closed
            else None
        )
        if _kinds(path):
            flat = f"{shown.kind}.{self.names.name(shown.address)}"
            self.unresolved.append(Unresolved(TerraformAddress(flat), path, said, candidates))
        return text


@cache
def _table() -> Mapping[str, Any]:
    data: Mapping[str, Any] = read_plain(_NAMES)
    return data


@cache
def _named() -> Mapping[str, tuple[str, ...]]:
    return {key: tuple(kinds) for key, kinds in _table()["attributes"].items()}


def _kinds(path: str) -> tuple[str, ...]:
    """The types that an attribute can name; `path` is that of nested blocks with dots."""
    parts = path.split(".")
    return _named().get(".".join(parts[-2:])) or _named().get(parts[-1]) or ()
