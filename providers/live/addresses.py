"""Addresses of a live card beside those that the deployment says, in one wording for all clouds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowbridge.deployment.addresses import shown
from flowbridge.deployment.interface import Interface, Network
from flowbridge.policy.audit.estate import Departure, Deviation
from flowbridge.policy.packets.packet_set import PacketSet


def listed(networks: Iterable[Network]) -> str:
    """`10.0.1.11, 10.0.2.0/24`, as a person writes them."""
    return ", ".join(map(shown, networks))


def private_departures(
    interface: Interface, said: Iterable[Network], has: Iterable[Network], subject: str, name: str
) -> Iterator[Deviation]:
    """Of a card that `has` none of the addresses `said` of its member, or others as well.

    `subject` is its live id, `name` what a person calls it. Addresses of the interface's other
    members are no others.
    """
    live, mine = tuple(has), tuple(said)
    if not PacketSet.of(live, None) & PacketSet.of(mine, None):
        yield Deviation(
            Departure.ADDRESS_CHANGED,
            subject,
            f"{name} of {interface.key} has {listed(live) or 'no address'}, the deployment says "
            f"{listed(mine)}",
            interfaces=(interface.key,),
        )
        return
    named = PacketSet.of(interface.private, None)
    if more := [each for each in live if not PacketSet.of([each], None) <= named]:
        yield Deviation(
            Departure.ADDRESS_CHANGED,
            subject,
            f"{name} of {interface.key} has {listed(more)}, too, which the deployment does not "
            "name",
            drift=False,
            interfaces=(interface.key,),
        )
