"""A deployment that is written in code: the keys of a deployment file as a typed object.

    AwsFirewall(self, "edge", Site(
        name="emea-edge", region="eu-west-1", network={"tiers": {...}},
        expressway_e={"tier": "dmz", "peers": [...]}, services=["traversal-pair"],
    ), vpc_id=vpc.id)

It means and refuses what a file with the same keys does. A mapping with these keys is as good, and
so is a site that was read from a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from flowbridge.deployment.file.site import Cloud
from flowbridge.deployment.file.site import Site as ReadSite

Keys = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Site:
    """The keys of a deployment file (docs/deployment.md). None: the key is not written.

    `cloud` may be left out: the construct says which it is.
    """

    name: str
    region: str
    network: Keys
    services: Sequence[str] | Mapping[str, Any] | None = None
    cloud: str | None = None
    release: str | Mapping[str, str] | None = None
    size: str | None = None
    platform: str | None = None
    expressway_e: Keys | None = None
    expressway_c: Keys | None = None
    systems: Mapping[str, Keys] | None = None
    options: Keys | None = None
    quotas: Keys | None = None
    tests: Sequence[Keys] | None = None
    backend: Keys | None = None
    provider: Keys | None = None
    extends: str | Sequence[str] | None = None
    overlays: Sequence[str] | None = None
    accept: Mapping[str, str] | Sequence[Keys] | None = None

    def data(self) -> dict[str, Any]:
        """What is written, as a file would have it."""
        written = {field.name: getattr(self, field.name) for field in fields(self)}
        return {key: value for key, value in written.items() if value is not None}


Description = Path | str | Site | ReadSite | Mapping[str, Any]


def data_of(description: Site | ReadSite | Mapping[str, Any], cloud: Cloud) -> dict[str, Any]:
    """The keys of a description as plain data, for `cloud` where it names none itself.

    TypeError for what no file could hold.
    """
    if isinstance(description, ReadSite):
        written = description.model_dump(mode="json", by_alias=True, exclude_unset=True)
    elif isinstance(description, Site):
        written = description.data()
    else:
        written = dict(description)
    plain: dict[str, Any] = json.loads(json.dumps(written, default=_text))
    return {"cloud": str(cloud), **plain}


def _text(value: object) -> str:
    """Addresses, dates and paths are texts in a file, too."""
    if isinstance(value, set | frozenset | bytes):
        raise TypeError(
            f"{type(value).__name__} is nothing that a deployment file holds: {value!r}"
        )
    return str(value)
