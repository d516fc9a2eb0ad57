"""Names that Azure takes, from the content that they stand for."""

from __future__ import annotations

import re
from typing import Final

from flowbridge.providers.azure.quotas import default_quotas
from flowbridge.providers.terraform.content_names import content_hash

# Network security groups overview: begins with a word character, ends with one or `_`.
NAME: Final = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,78}[0-9A-Za-z_])?")
_UNFIT: Final = re.compile(r"[^0-9A-Za-z._-]+")


def azure_name(*parts: str) -> str:
    """`parts` joined by `-`; what is too long is cut and made unique by a hash of the whole."""
    limit = default_quotas().rule_name_length.value
    name = "-".join(part for part in (_UNFIT.sub("_", p).strip("._-") for p in parts) if part)
    if len(name) <= limit:
        return name
    tail = f"-{content_hash(*parts)}"
    return name[: limit - len(tail)].rstrip("._-") + tail


def hashed_name(identity: str, *parts: str) -> str:
    """`parts` joined by `-` and cut to leave room for a hash of `identity`, which ends the name."""
    tail = content_hash(identity)
    room = default_quotas().rule_name_length.value - len(tail) - 1
    name = "-".join(part for part in (_UNFIT.sub("_", p).strip("._-") for p in parts) if part)
    return f"{name[:room].rstrip('._-')}-{tail}"
