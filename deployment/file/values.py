"""The single values of a deployment file: addresses, ports, releases, with clear refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final, Self, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    Strict,
    WithJsonSchema,
)
from pydantic_core import core_schema

from flowbridge.catalog.ports import HIGHEST_PORT, PortRange
from flowbridge.catalog.release import Release, release_order


class Section(BaseModel):
    """Unknown keys are refused: a misspelt key must never be an unnoticed default."""

    # Each validator is built when it is first used: the commands that read no file start faster.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @classmethod
    def unwritten(cls) -> Self:
        """The section where nobody writes it: every key as described, without a validator."""
        return cast("Self", cls.model_construct())


@dataclass(frozen=True, slots=True)
class Matching:
    """Marks a text that has to match `pattern`, which `words` describe to a person."""

    pattern: str
    words: str
    what: str = "this name"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "pattern": self.pattern}

    def _checked(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"{value!r} cannot be {self.what}: write {self.words}")
        return value


# No packet on a wire carries these addresses (RFC 4291, 2.5.5.2): no rule would ever match.
_MAPPED: Final = IPv6Network("::ffff:0:0/96")


def _network(value: object) -> object:
    """A CIDR without host bits, or a single address; ValueError says what to write."""
    if not isinstance(value, str):
        raise ValueError("write an address such as 10.0.1.11, or a CIDR such as 10.0.1.0/24")
    if "%" in value:  # Python reads it; no cloud knows what `%eth0` means there
        raise ValueError(f"{value!r} names a card of one machine: leave out what follows the %")
    try:
        network = ip_network(value)
    except ValueError:
        try:
            wide = ip_network(value, strict=False)
        except ValueError:
            raise ValueError(
                f"{value!r} is not an IP address or CIDR: write one such as 10.0.1.11, "
                "10.0.1.0/24 or 2001:db8::/64"
            ) from None
        raise ValueError(
            f"{value} has bits set behind its prefix length: write {wide}, "
            f"or {value.split('/')[0]} for the one address"
        ) from None
    if network.version == 6 and network.subnet_of(_MAPPED):
        host = network.network_address.ipv4_mapped
        written = host if network.prefixlen == 128 else f"{host}/{network.prefixlen - 96}"
        raise ValueError(f"{value} is an IPv4 address in the dress of IPv6: write {written}")
    return network


def _release(value: object) -> object:
    return str(Release.parse(str(value)))


def _written(product: str) -> Callable[[object], object]:
    """A release of a product, as written; a bare 3.10 would be 3.1 by now, so it needs quotes."""

    def read(value: object) -> object:
        if isinstance(value, float):
            raise ValueError(f'write the release in quotes, "{value}": without them 3.10 is 3.1')
        if isinstance(value, bool) or not isinstance(value, str | int):
            return value
        text = str(value).strip()
        release_order(product, text)
        return text

    return read


def _ports(value: object) -> object:
    return PortRange.parse(value) if isinstance(value, str | int) else value


def several(value: object) -> object:
    """A single value where a list of them may stand."""
    return [value] if isinstance(value, str | int | float) else value


def one_or_more(value: object) -> object:
    """A single port or range where a list of them may stand."""
    return [value] if isinstance(value, str | int) else value


def _string(value: object) -> str:
    return str(value)


_ADDRESS_SCHEMA: dict[str, Any] = {
    "type": "string",
    # Neither a host name nor `one-another`; what is right in itself is said by the check.
    "pattern": r"^[0-9A-Fa-f:.]+(/[0-9.]+)?$",
    "examples": ["10.0.1.11", "10.0.1.0/24"],
}
_PORTS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": HIGHEST_PORT},
        {"type": "string", "pattern": r"^(\d{1,5}(-\d{1,5})?( (even|odd))?|any)$"},
    ],
    "examples": [443, "36000-59999"],
}
Network = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_network),
    PlainSerializer(_string),
    WithJsonSchema(_ADDRESS_SCHEMA),
]
Ports = Annotated[
    PortRange, BeforeValidator(_ports), PlainSerializer(_string), WithJsonSchema(_PORTS_SCHEMA)
]
Networks = Annotated[
    tuple[Network, ...],
    BeforeValidator(several),
    WithJsonSchema({"anyOf": [_ADDRESS_SCHEMA, {"type": "array", "items": _ADDRESS_SCHEMA}]}),
]
PortList = Annotated[
    tuple[Ports, ...],
    BeforeValidator(one_or_more),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [*_PORTS_SCHEMA["anyOf"], {"type": "array", "items": _PORTS_SCHEMA}]}),
]
ReleaseName = Annotated[
    str,
    BeforeValidator(_release),
    WithJsonSchema(
        {"type": "string", "pattern": r"^X\d+\.\d+(\.\d+)?$", "examples": ["X15.0", "X12.5.3"]}
    ),
]
_SET_NAME: Final = r"(pl-[0-9a-f]{8,17}|[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)?)"
SetName = Annotated[
    str,
    Matching(
        f"^{_SET_NAME}$", "pl-0123456789abcdef0 on AWS, or AzureCloud.westeurope on Azure", "a set"
    ),
]


def is_set_name(text: str) -> bool:
    """Whether a text is a managed prefix list or a service tag, and no address."""
    return re.fullmatch(_SET_NAME, text) is not None


# A reason that the next person understands.
Sentence = Annotated[str, Field(min_length=20)]
UnifiedRelease = Annotated[
    str,
    BeforeValidator(_written("cucm")),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer"},
                {"type": "string", "pattern": r"^\d+(\.\d+)?(\(\d+\))? ?([Ss][Uu]\d+[a-z]?)?$"},
            ],
            "examples": ["14", "12.5(1)SU3", "15SU2"],
        }
    ),
]
DottedRelease = Annotated[
    str,
    BeforeValidator(_written("cms")),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer"},
                {"type": "string", "pattern": r"^\d+(\.\d+){0,2}$"},
            ],
            "examples": ["3.9", "3.9.1"],
        }
    ),
]
# As written: neither `"no"` nor 1 is false or true, and `true` is no number.
Switch = Annotated[bool, Strict()]
Count = Annotated[int, Strict()]
PortNumber = Annotated[Count, Field(ge=1, le=HIGHEST_PORT)]
