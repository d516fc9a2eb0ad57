"""A flow: a row resolved against a deployment, with the addresses a firewall really sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.interface import Interface, Network

_MEDIA: Final = 1000  # destination ports of a flow that are no single service


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a flow.

    `party` is the catalog's name. `interface` is set when the end is managed here. `addresses`
    are the ones by which the *other* end's firewall sees this end; where `translated` they are
    public (NAT reflection, a NAT gateway), so a reference to a group never matches them.
    `host_names` are the printed names that the addresses stand for. `inside` are addresses among
    them that are not meant: the internet is every address but those.
    `sets` are sets of addresses that the cloud knows by name, each of at most `set_entries`.
    """

    party: str
    interface: Interface | None
    addresses: tuple[Network, ...]
    translated: bool = False
    host_names: tuple[str, ...] = ()
    inside: tuple[Network, ...] = ()
    sets: tuple[str, ...] = ()
    set_entries: int = 1

    @property
    def key(self) -> str:
        return self.interface.key if self.interface else self.party


class Flow(NamedTuple):
    """Packets that the documents ask for, in the direction of the first packet.

    One protocol; source and destination ports are unions of ranges (for ICMP the destination
    "port" is type * 256 + code). `rows` are the ids that ask for it, sorted. At least one end is
    managed here. `source_ports` are those that the source sends from; `translated_ports`, where
    there are any, those that a NAT gateway on the way makes of them.
    """

    source: End
    destination: End
    protocol: Protocol
    source_ports: tuple[PortRange, ...]
    destination_ports: tuple[PortRange, ...]
    rows: tuple[str, ...]
    management: bool = False
    signalling: bool = False
    translated_ports: tuple[PortRange, ...] = ()

    @property
    def arriving_ports(self) -> tuple[PortRange, ...]:
        """The source ports that the destination's firewall sees."""
        return self.translated_ports or self.source_ports

    @property
    def is_media(self) -> bool:
        """Whether it is streams over UDP, each with ports of its own."""
        ports = sum(span.last - span.first + 1 for span in self.destination_ports)
        return self.protocol is Protocol.UDP and ports >= _MEDIA
