"""Declared members that no machine of the estate is: never "as planned"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flowbridge.policy.audit.estate import Estate
from flowbridge.policy.compiled import Policy


@dataclass(frozen=True, slots=True)
class Absent:
    """A member that the deployment declares and the estate does not have."""

    interface: str
    member: str
    addresses: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.interface}: nothing here is {self.member}"

    def as_plain(self) -> dict[str, Any]:
        return {
            "interface": self.interface,
            "member": self.member,
            "addresses": list(self.addresses),
        }


def absent_members(policy: Policy, estate: Estate) -> Iterator[Absent]:
    """Every declared member that the reader does not say it found.

    Where no machines were read that is among what was not read.
    """
    if estate.found is None:
        return
    for interface in policy.interfaces:
        there = estate.found.get(interface.key, frozenset())
        for member in interface.members:
            if member.name not in there:
                yield Absent(interface.key, member.name, tuple(map(str, member.private)))
