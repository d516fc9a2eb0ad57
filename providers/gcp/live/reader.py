"""Google Cloud as `providers.live.contract` wants it: what its API says, and what that means."""

from __future__ import annotations

from typing import Final

from flowbridge.providers.gcp.live.adoption import adoption
from flowbridge.providers.gcp.live.answers import Answers, Place
from flowbridge.providers.gcp.live.bystanders import bystanders
from flowbridge.providers.gcp.live.estate import estate
from flowbridge.providers.gcp.live.fetch import fetch
from flowbridge.providers.gcp.live.preflight import preflight
from flowbridge.providers.live.contract import LiveReader

READER: Final[LiveReader[Answers]] = LiveReader(
    place=Place.of,
    fetch=fetch,
    estate=estate,
    adoption=adoption,
    preflight=preflight,
    bystanders=bystanders,
)
