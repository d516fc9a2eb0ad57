"""One firewall rule: who may talk to one interface, or reach from it, and by what.

The identity of a rule is its interface, direction and peer, so that everything else about it
changes in place: one request replaces its ranges, protocols and ports at once, and no moment
lies between the old and the new (docs/decisions/0004-gcp-rules.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cached_property, lru_cache
from typing import Final

from flowbridge.catalog.ports import ANY_PORT, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.interface import Interface, Network
from flowbridge.policy.point import Direction
from flowbridge.providers.gcp.naming import cloud_name, terraform_name

# What the compute API takes by name; every other protocol goes by its number.
_BY_NAME: Final = frozenset({Protocol.TCP, Protocol.UDP, Protocol.ICMP, Protocol.ESP, Protocol.AH})
EVERYTHING: Final = "everything"
INSIDE: Final = "inside"
TRANSLATED: Final = "translated"


class Rank(IntEnum):
    """In what order rules are tried. Those for the internet stand behind the ones that deny the
    inside, and these behind all others: what the inside may do is said by them."""

    ALLOW = 0
    DENY_INSIDE = 1
    ALLOW_INTERNET = 2
    DENY = 3


class Action(StrEnum):
    """Values are the blocks of `google_compute_firewall` and the actions of policy rules."""

    ALLOW = "allow"
    DENY = "deny"


# What is asked for again and again of one object is kept in it, so some of these have no slots.


@lru_cache(maxsize=4096)
def _texts(ports: tuple[PortRange, ...]) -> tuple[str, ...]:
    return () if ANY_PORT in ports else tuple(map(str, ports))


@dataclass(frozen=True, slots=True)
class Layer:
    """A protocol and its ports, as one entry of a rule; no protocol: all of them, no ports: all.

    `rows` are the rows that ask for it.
    """

    protocol: Protocol | None
    ports: tuple[PortRange, ...] = ()
    rows: tuple[str, ...] = ()

    @property
    def protocol_text(self) -> str:
        if self.protocol is None:
            return "all"
        return self.protocol.label if self.protocol in _BY_NAME else str(int(self.protocol))

    @property
    def port_texts(self) -> tuple[str, ...]:
        """Empty where every port is meant."""
        return _texts(self.ports)

    @property
    def attributes(self) -> int:
        """What it takes of a rule's complexity: the protocol and each of its ports."""
        return 1 + len(self.port_texts)


@dataclass(frozen=True)
class Peer:
    """The other side of a rule, in one IP version.

    `party` is its name (`everything` for the rules that deny), `qualifier` what tells it from
    other address sets of the same party: `public`, `translated` (public addresses of hosts that
    have private ones), or a digest where nothing else does. `inside` are addresses among its own
    that are not meant (of the internet).
    """

    party: str
    qualifier: str
    networks: tuple[Network, ...]
    host_names: tuple[str, ...] = ()
    inside: tuple[Network, ...] = ()

    @property
    def version(self) -> int:
        return self.networks[0].version

    @cached_property
    def range_texts(self) -> tuple[str, ...]:
        return tuple(map(str, self.networks))

    @property
    def label(self) -> str:
        """The party, and that it is met by its public address where it has others."""
        return f"{self.party} public" if TRANSLATED in self.qualifier else self.party


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of one interface. `part` names the share of the ports where one rule cannot hold
    them all."""

    site: str
    network: str
    interface: Interface
    direction: Direction
    action: Action
    peer: Peer
    layers: tuple[Layer, ...]
    part: str = ""

    @property
    def rank(self) -> Rank:
        if self.action is Action.DENY:
            return Rank.DENY_INSIDE if self.peer.party == INSIDE else Rank.DENY
        return Rank.ALLOW_INTERNET if self.peer.inside else Rank.ALLOW

    @property
    def identity(self) -> tuple[str, ...]:
        return (
            self.site,
            # A token of an app stands for the same network, whatever it is called today.
            "" if "${" in self.network else self.network,
            self.interface.key,
            self.direction,
            self.action,
            self.peer.party,
            self.peer.qualifier,
            str(self.peer.version),
            self.part,
        )

    @cached_property
    def name(self) -> str:
        """The name in the cloud: `emea-edge-expressway-e-external-in-internet-1f2e3d4c`."""
        way = "in" if self.direction is Direction.INGRESS else "out"
        words = (self.site, self.interface.key, way, self._peer_words, self.part)
        return cloud_name(words, *self.identity)

    @cached_property
    def terraform_name(self) -> str:
        return terraform_name(
            self.interface.key,
            self.direction,
            self._peer_words,
            self.part,
            self.name.rpartition("-")[2],
        )

    @property
    def _peer_words(self) -> str:
        deny = "deny " if self.action is Action.DENY else ""
        version = " v6" if self.peer.version == 6 else ""
        return f"{deny}{self.peer.label}{version}"

    @property
    def rows(self) -> tuple[str, ...]:
        return tuple(sorted({row for layer in self.layers for row in layer.rows}))

    @property
    def subject(self) -> str:
        """The description behind the rows."""
        arrow = "from" if self.direction is Direction.INGRESS else "to"
        if self.rank is Rank.DENY_INSIDE:
            return f"deny {arrow} the inside (IPv{self.peer.version}), which the internet is not"
        if self.action is Action.DENY:
            return f"deny what no other rule allows {arrow} any IPv{self.peer.version} address"
        return f"{arrow} {self.peer.label}"

    @property
    def attributes(self) -> int:
        """Its complexity: ranges, protocols, ports and the one target."""
        return len(self.peer.networks) + sum(layer.attributes for layer in self.layers) + 1
