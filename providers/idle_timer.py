"""How long a cloud's stateful filters remember a connection over which nothing is sent.

One table a cloud (`providers/<cloud>/idle-timers.yaml`), each figure with the page that prints it.
Of several the shortest default counts: who may have set it otherwise is not in a deployment file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from flowbridge.catalog.protocol import Protocol
from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Record
from flowbridge.deployment.file.site import Cloud

_FOLDER: Final = Path(__file__).parent


class IdleTimer(Record):
    """`seconds` of silence after which a filter forgets; `state` says of which connections."""

    protocol: Literal["tcp", "udp"]
    state: str
    seconds: int = Field(gt=0)
    source: str
    note: str = ""


class _IdleTimers(Record):
    cloud: Literal["aws", "azure", "gcp"]
    timers: tuple[IdleTimer, ...] = Field(min_length=1)


@cache
def idle_timers(cloud: Cloud) -> tuple[IdleTimer, ...]:
    """Every timer that the cloud documents, in the order of its table."""
    return read_model(_FOLDER / cloud.value / "idle-timers.yaml", _IdleTimers).timers


@cache
def remembered(cloud: Cloud) -> dict[Protocol, int]:
    """For how many seconds of silence a conversation under way is remembered, by protocol."""
    found: dict[Protocol, int] = {}
    for timer in idle_timers(cloud):
        if timer.state == "conversation":
            protocol = Protocol.parse(timer.protocol)
            found[protocol] = min(timer.seconds, found.get(protocol, timer.seconds))
    return found
