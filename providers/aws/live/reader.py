"""AWS as `providers.live.contract` wants it: what boto3 reads, and what that is taken to mean."""

from __future__ import annotations

from typing import Final

from flowbridge.providers.aws.live.adoption import adoption
from flowbridge.providers.aws.live.answers import Answers, Place
from flowbridge.providers.aws.live.bystanders import bystanders
from flowbridge.providers.aws.live.estate import estate
from flowbridge.providers.aws.live.fetch import fetch
from flowbridge.providers.aws.live.preflight import preflight
from flowbridge.providers.live.contract import LiveReader

READER: Final[LiveReader[Answers]] = LiveReader(
    place=Place.of,
    fetch=fetch,
    estate=estate,
    adoption=adoption,
    preflight=preflight,
    bystanders=bystanders,
)
