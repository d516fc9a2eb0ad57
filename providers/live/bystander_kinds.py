"""What kinds of things stand in subnets beside machines, and what each has to be let do.

One sourced YAML table a cloud, in the order in which its entries are tried: `{called, when, needs,
source, spared}`. `when` maps a name that the cloud's reader gives (`type`, `description`) to texts
of which one has to be how the value begins. A need is `{direction, protocols, ports, peer, what}`;
`peer` is `network` (every address of the network that it stands in) or `internet`; `ports` may be
left out where they are not known: then 443 stands for them. `groups: false`: it can have no groups
of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.catalog.reading.kept_yaml import read_kept
from flowbridge.deployment.interface import Network
from flowbridge.policy.audit.bystanders import Need
from flowbridge.policy.packets.packet_set import EVERY_ADDRESS
from flowbridge.policy.point import Direction

_STANDS_FOR_UNKNOWN: Final = "443"


@dataclass(frozen=True, slots=True)
class BystanderKind:
    """One entry of the table, with its needs as packets."""

    called: str
    needs: tuple[Need, ...]
    source: str
    spared: str
    has_groups: bool = True


def kind_of(
    table: Path, values: Mapping[str, str], network: tuple[Network, ...]
) -> BystanderKind | None:
    """The first entry of `table` that `values` fit; None where none does."""
    for entry in _entries(table):
        wanted = cast("dict[str, list[str]]", entry["when"])
        if all(values.get(key, "").startswith(tuple(texts)) for key, texts in wanted.items()):
            return BystanderKind(
                entry["called"],
                tuple(_needs(entry.get("needs", ()), network)),
                entry["source"],
                entry.get("spared", ""),
                has_groups=entry.get("groups", True),
            )
    return None


def _needs(entries: Any, network: tuple[Network, ...]) -> Iterator[Need]:
    for entry in entries:
        peers = network if entry["peer"] == "network" else EVERY_ADDRESS
        known = entry.get("ports")
        for protocol in entry["protocols"]:
            yield Need(
                direction=Direction(entry["direction"]),
                protocol=int(Protocol.parse(protocol)),
                ports=(PortRange.parse(str(known or _STANDS_FOR_UNKNOWN)),),
                peers=tuple(n for n in peers if n.version == 4) or tuple(peers),
                what=entry["what"],
                sure=known is not None,
                internet=entry["peer"] == "internet",
            )


@cache
def _entries(table: Path) -> tuple[dict[str, Any], ...]:
    return tuple(cast("list[dict[str, Any]]", read_kept(table)))
