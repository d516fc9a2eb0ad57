"""A security group rule, identified by its content alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.interface import Network
from flowbridge.policy.point import Direction
from flowbridge.providers.terraform.content_names import (
    content_digest,
    content_hash,
    terraform_name,
)


class PeerKind(StrEnum):
    """What a rule names on the other side; values are the attributes of the Terraform resource."""

    IPV4 = "cidr_ipv4"
    IPV6 = "cidr_ipv6"
    GROUP = "referenced_security_group_id"
    PREFIX_LIST = "prefix_list_id"


@dataclass(frozen=True, order=True, slots=True, kw_only=True)
class Peer:
    """`value` is a CIDR, the key of an interface, or the Terraform name of a prefix list.

    `weight` is what a rule with this peer takes of the rule quota, `families` of which families:
    a group counts for both, because AWS has never said that it no longer does. `inside` are
    addresses of the CIDR that are not meant (of the internet).
    """

    kind: PeerKind
    value: str
    label: str
    families: tuple[int, ...]
    weight: int = 1
    inside: tuple[Network, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One allow rule. `first` and `last` are ports; for ICMP type and code (-1: all); None else."""

    interface: str
    direction: Direction
    protocol: Protocol
    first: int | None
    last: int | None
    peer: Peer
    rows: tuple[str, ...]
    parties: tuple[str, ...]

    @property
    def identity(self) -> tuple[str, ...]:
        """Everything that decides what the rule lets through, and nothing else."""
        return (
            self.interface,
            self.direction,
            str(int(self.protocol)),
            str(self.first),
            str(self.last),
            self.peer.kind,
            self.peer.value,
        )

    @cached_property
    def name(self) -> str:
        """The Terraform name: a readable beginning and a hash of the identity."""
        return terraform_name(
            self.interface,
            self.direction,
            self.protocol.label,
            self.ports_label,
            self.peer.label,
            content_hash(*self.identity),
        )

    @cached_property
    def bits(self) -> int:
        """256 even bits of the identity, by which rules are spread over groups."""
        return content_digest(*self.identity)

    @property
    def ports_label(self) -> str:
        """`5060-5062`, `8` or `3/4` for an ICMP type and code, empty where there are no ports."""
        if self.first is None:
            return ""
        if not self.protocol.has_ports:
            parts = [str(part) for part in (self.first, self.last) if part != -1]
            return "/".join(parts) or "any"
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
