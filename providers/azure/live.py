"""Azure as `providers.live` wants it: what azure-mgmt-network reads, and what that means."""

from __future__ import annotations

from typing import Final

from providers.azure.live_adoption import adoption
from providers.azure.live_answers import Answers, Place
from providers.azure.live_estate import estate
from providers.azure.live_fetch import fetch
from providers.azure.live_preflight import preflight
from providers.live import LiveReader

READER: Final[LiveReader[Answers]] = LiveReader(Place.of, fetch, estate, adoption, preflight)
