"""AWS as `providers.live` wants it: what is read by boto3, and what it is taken to mean."""

from __future__ import annotations

from typing import Final

from providers.aws.live_adoption import adoption
from providers.aws.live_answers import Answers, Place
from providers.aws.live_estate import estate
from providers.aws.live_fetch import fetch
from providers.aws.live_preflight import preflight
from providers.live import LiveReader

READER: Final[LiveReader[Answers]] = LiveReader(Place.of, fetch, estate, adoption, preflight)
