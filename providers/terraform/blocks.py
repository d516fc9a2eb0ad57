"""Terraform JSON read as written: blocks, values and references, with no cloud's meaning in it.

A document is what `cdktf synth` writes (`cdk.tf.json`), or any other Terraform JSON: a mapping
with `resource`, `data` and so on. Whatever cannot be read for certain (a `for_each`, a
`dynamic` block, a number that is an expression) is refused by ValueError with the resource's
address, because a rule that is skipped silently would be judged wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final

from flowbridge.providers.terraform.address import TerraformAddress
from flowbridge.providers.terraform.nested_address import nested_addresses

Network = IPv4Network | IPv6Network

_REFERENCE: Final = re.compile(
    r"^\$\{\s*(?P<data>data\.)?(?P<type>[a-z][a-z0-9_]*)\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*)"
    r"(?:\[0\])?\.(?P<attribute>[a-z_0-9]+)\s*\}$"
)
_ROW_IDS: Final = re.compile(r"^[\s\[(]*([a-z][a-z0-9-]*/\d+/\+?\d+(?:,\+?\d+)*)[\s,;:)\]]*")


@dataclass(frozen=True, slots=True)
class Reference:
    """`${aws_security_group.edge.id}`; `data` for a data source, which is never in the file."""

    type: str
    name: str
    attribute: str
    data: bool = False

    @property
    def address(self) -> str:
        return TerraformAddress.of(self.type, self.name)

    @classmethod
    def parse(cls, value: object) -> Reference | None:
        """The reference that is the whole of `value`; None where it is anything else."""
        match = _REFERENCE.match(value) if isinstance(value, str) else None
        if match is None:
            return None
        return cls(match["type"], match["name"], match["attribute"], bool(match["data"]))


def is_expression(value: object) -> bool:
    """Whether `value` holds a `${...}` or `%{...}` whose result the file does not tell."""
    return isinstance(value, str) and ("${" in value or "%{" in value)


@dataclass(frozen=True, slots=True)
class Block:
    """A resource or a block inside one. `address` is what a person can look up."""

    address: str
    attributes: Mapping[str, Any]

    def refusal(self, message: str) -> ValueError:
        """A ValueError that names this block, to be raised."""
        return ValueError(f"{self.address}: {message}")

    def get(self, key: str) -> Any:
        return self.attributes.get(key)

    def has(self, key: str) -> bool:
        """Whether `key` is given: null and the empty list or text are the same as left out."""
        return self.get(key) not in (None, "", [], {})

    def text(self, key: str) -> str | None:
        """A text (or a number written as one); None where it is left out or empty."""
        value = self.get(key)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self.refusal(f"`{key}` is {value!r}, not a text")
        return str(value)

    def literal(self, key: str) -> str | None:
        """A text that must not be an expression."""
        value = self.text(key)
        if is_expression(value):
            raise self.refusal(f"`{key}` is the expression {value}; only plain values are judged")
        return value

    def number(self, key: str) -> int | None:
        value = self.literal(key)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise self.refusal(f"`{key}` is {value!r}, not a number") from None

    def required_number(self, key: str) -> int:
        value = self.number(key)
        if value is None:
            raise self.refusal(f"`{key}` is missing")
        return value

    def flag(self, key: str) -> bool:
        value = self.get(key)
        if value is None:
            return False
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in ("true", "false"):
            return value == "true"
        raise self.refusal(f"`{key}` is {value!r}, not true or false")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        value = self.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, Sequence) or not all(isinstance(v, str | int) for v in value):
            raise self.refusal(f"`{key}` is {value!r}, not a list of texts")
        return tuple(str(item) for item in value)

    def blocks(self, key: str) -> tuple[Block, ...]:
        """Nested blocks `key`: one object or a list of them."""
        if any(key in part for part in _parts(self.get("dynamic"))):
            raise self.refusal(f"`{key}` is a dynamic block; only plain blocks are judged")
        value = self.get(key)
        if value is None:
            return ()
        if isinstance(value, Mapping):
            value = [value]
        if not isinstance(value, Sequence) or not all(isinstance(v, Mapping) for v in value):
            raise self.refusal(f"`{key}` is {value!r}, not a list of blocks")
        addresses = nested_addresses(self.address, key, value)
        return tuple(Block(*each) for each in zip(addresses, value, strict=True))

    def tag(self, key: str) -> str | None:
        """The tag `key`; None where there is none."""
        tags = self.get("tags")
        if tags is None:
            return None
        if not isinstance(tags, Mapping):
            raise self.refusal(f"`tags` is {tags!r}, not a map")
        value = tags.get(key)
        return None if value is None else str(value)


def resources(terraform: Mapping[str, Any], kind: str) -> dict[str, Block]:
    """The resources of type `kind` by address, in the order of their addresses.

    ValueError for a shape that is not Terraform JSON, and for `count` or `for_each`.
    """
    found: dict[str, Block] = {}
    for part in _parts(terraform.get("resource")):
        for named in _parts(part.get(kind)):
            for name, bodies in named.items():
                if name == "//":
                    continue
                for body in _parts(bodies):
                    block = Block(TerraformAddress.of(kind, name), body)
                    for meta in ("count", "for_each"):
                        if meta in body:
                            raise block.refusal(
                                f"`{meta}` makes a number of resources that the file does not "
                                "tell; write them out"
                            )
                    found[block.address] = block
    return dict(sorted(found.items()))


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Terraform JSON lets every object be a list of objects."""
    if value is None:
        return
    if isinstance(value, Mapping):
        yield value
        return
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ValueError(f"this is not Terraform JSON: {str(value)[:60]!r} where a block is due")
    yield from value


def refer(value: object, known: Mapping[str, Block], asking: Block, key: str) -> str | None:
    """The address in `known` that `value` refers to; None for a thing outside this file.

    ValueError where `value` refers to a resource of a known type that the file does not have, or
    is an expression that may come to one of `known`.
    """
    reference = Reference.parse(value)
    if reference is None and is_expression(value):
        text = str(value)
        if "local." in text or any(address in text for address in known):
            raise asking.refusal(
                f"`{key}` is the expression {value}, which may come to a resource of this file; "
                "write a plain reference such as ${TYPE.NAME.id}"
            )
    if reference is None or reference.data:
        return None
    if reference.address in known:
        return reference.address
    if any(address.startswith(reference.type + ".") for address in known):
        raise asking.refusal(f"`{key}` refers to {reference.address}, which is not in the file")
    return None


def network(text: str, asking: Block, *, strict: bool = False) -> Network:
    """An address or CIDR. Host bits are cut off, as the clouds do, unless `strict`."""
    try:
        return _parsed(text, strict)
    except ValueError as error:
        raise asking.refusal(f"{text!r} is not an address range: {error}") from None


@lru_cache(maxsize=65_536)
def _parsed(text: str, strict: bool) -> Network:
    """Once for all that name it: the rules of a group are read for each card that wears it."""
    return ip_network(text, strict=strict)


def row_ids(description: str | None, tag: str | None = None) -> tuple[str, ...]:
    """The row ids that a description starts with: `expressway/11/5, expressway/12/3,4 ...`.

    Then those of `tag`, which has room for more: ids with blanks between them.
    """
    rows: list[str] = []
    rest = description or ""
    while match := _ROW_IDS.match(rest):
        first, *more = match[1].split(",")
        table = first.rsplit("/", 1)[0]
        rows.append(first)
        rows.extend(f"{table}/{row}" for row in more)
        rest = rest[match.end() :]
    return tuple(dict.fromkeys((*rows, *(tag or "").split())))
