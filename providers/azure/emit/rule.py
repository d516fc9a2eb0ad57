"""A security rule, identified by what it asks for and not by where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flowbridge.catalog.port_set import port_mask, port_ranges
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.interface import Network
from flowbridge.policy.point import Direction
from flowbridge.providers.azure.emit.naming import hashed_name


@dataclass(frozen=True, order=True, slots=True)
class Side:
    """One end of a rule: `group` is the key of an interface, whose application security group is
    named, `tag` a service tag; without them `networks` are. `label` is the party's name."""

    label: str
    networks: tuple[Network, ...]
    group: str | None = None
    tag: str | None = None

    def __str__(self) -> str:
        return self.group or self.tag or ", ".join(map(str, self.networks))


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One allow rule. Ports are runs without parity, as Azure takes them; none where the protocol
    has no ports (or, for ICMP, where no type can be told).

    `local` is the side of the interface, `remote` the other one; `remote_key` says in words that
    stay what the remote side is: the key of an interface here, else its addresses. `inside` are
    addresses of the remote side that are not meant, and that a rule before this one denies.
    """

    interface: str
    direction: Direction
    protocol: Protocol
    families: tuple[int, ...]
    local: Side
    remote: Side
    remote_key: str
    source_ports: tuple[PortRange, ...]
    destination_ports: tuple[PortRange, ...]
    rows: tuple[str, ...]
    parties: tuple[str, ...]
    inside: tuple[Network, ...] = ()

    @cached_property
    def identity(self) -> str:
        """What the rule is for. The addresses behind an interface may change and it stays."""
        return "\x1f".join(
            (
                self.interface,
                self.direction,
                str(int(self.protocol)),
                ",".join(map(str, self.families)),
                self.remote_key,
                ",".join(map(str, self.source_ports)),
                ",".join(map(str, self.destination_ports)),
            )
        )

    @cached_property
    def name(self) -> str:
        """`in-tcp-5061-any_v4-to-expressway-e.external-0123456789`."""
        inbound = self.direction is Direction.INGRESS
        ends = [_first_of(self.remote_key.split(",")), self.interface.replace("/", ".")]
        return hashed_name(
            self.identity,
            "in" if inbound else "out",
            self.protocol.label,
            _first_of(shown_ports(self.destination_ports).split(", ")),
            "-to-".join(ends if inbound else reversed(ends)),
        )

    @property
    def source(self) -> Side:
        return self.remote if self.direction is Direction.INGRESS else self.local

    @property
    def destination(self) -> Side:
        return self.local if self.direction is Direction.INGRESS else self.remote


def shown_ports(ports: tuple[PortRange, ...]) -> str:
    """`5060-5061, 36000-36010 even`: short, as a person reads it; empty where there are none."""
    return ", ".join(map(str, port_ranges(port_mask(ports))))


def _first_of(texts: list[str]) -> str:
    """The first, as a word of a name: `any_v4`, `10.0.0.1`, `expressway-c.single`."""
    first = texts[0].replace("0.0.0.0/0", "any_v4").replace("::/0", "any_v6")
    first = first.removesuffix("/32").removesuffix("/128").replace("/", ".")
    return f"{first}_more" if len(texts) > 1 else first
