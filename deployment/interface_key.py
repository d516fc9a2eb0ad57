"""The name of an interface: `expressway-e/external`, read once and written in one way."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_SPELLED: Final = re.compile(r"(?:([^:/]+):)?([^:/]+)/([^:/]+)")


class InterfaceKey(NamedTuple):
    """A workload and one of its cards; `place` where it is not the file's own network."""

    workload: str
    card: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.place}:{self.local}" if self.place else self.local

    @property
    def local(self) -> str:
        """Without the place."""
        return f"{self.workload}/{self.card}"


def read_interface_key(text: str) -> InterfaceKey:
    """The interface of this name. ValueError where a workload or nothing is named."""
    spelled = _SPELLED.fullmatch(text)
    if spelled is None:
        raise ValueError(f"{text!r} is no interface; they look like expressway-e/external")
    place, workload, card = spelled.groups()
    return InterfaceKey(workload, card, place or "")


def workload_of(name: str) -> str:
    """The workload that an interface is of; any other name stands for itself."""
    try:
        return read_interface_key(name).workload
    except ValueError:
        return name
