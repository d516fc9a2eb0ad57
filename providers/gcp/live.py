"""Google Cloud as `providers.live` wants it: what the compute API says, and what that means."""

from __future__ import annotations

from typing import Final

from providers.gcp.live_adoption import adoption
from providers.gcp.live_answers import Answers, Place
from providers.gcp.live_estate import estate
from providers.gcp.live_fetch import fetch
from providers.gcp.live_preflight import preflight
from providers.live import LiveReader

READER: Final[LiveReader[Answers]] = LiveReader(Place.of, fetch, estate, adoption, preflight)
