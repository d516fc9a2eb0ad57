"""Azure as `providers.live.contract` wants it: what its SDK reads, and what that means."""

from __future__ import annotations

from typing import Final

from flowbridge.providers.azure.live.adoption import adoption
from flowbridge.providers.azure.live.answers import Answers, Place
from flowbridge.providers.azure.live.bystanders import bystanders
from flowbridge.providers.azure.live.estate import estate
from flowbridge.providers.azure.live.fetch import fetch
from flowbridge.providers.azure.live.preflight import preflight
from flowbridge.providers.live.contract import LiveReader

READER: Final[LiveReader[Answers]] = LiveReader(
    place=Place.of,
    fetch=fetch,
    estate=estate,
    adoption=adoption,
    preflight=preflight,
    bystanders=bystanders,
)
