"""Names that Azure takes, from the content that they stand for."""

from __future__ import annotations

import re
from typing import Final

from flowbridge.providers.azure.quotas import default_quotas
from flowbridge.providers.terraform.content_names import content_hash
from flowbridge.providers.terraform.joined_names import is_plain

# Network security groups overview: begins with a word character, ends with one or `_`.
NAME: Final = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,78}[0-9A-Za-z_])?")
_UNFIT: Final = re.compile(r"[^0-9A-Za-z._-]+")


def azure_name(*parts: str, plain: bool = True) -> str:
    """`parts` joined by `-`; what is too long is cut and made unique by a hash of the whole.

    So is what would not be `plain`: a name that other parts, or parts that Azure does not take as
    they are, make as well.
    """
    limit = default_quotas().rule_name_length.value
    name = "-".join(part for part in (_UNFIT.sub("_", p).strip("._-") for p in parts) if part)
    if plain and len(name) <= limit and name == "-".join(parts):
        return name
    tail = f"-{content_hash(*parts)}"
    return name[: limit - len(tail)].rstrip("._-") + tail


def group_name(site: str, workload: str, interface: str) -> str:
    """Of the application security group of one card."""
    return azure_name("flowbridge", site, workload, interface, plain=is_plain(site, workload))


def nsg_name(site: str, tier: str) -> str:
    """Of a tier's network security group. `emea` + `edge-dmz` is not `emea-edge` + `dmz`: a tier
    without a hyphen has the plain name."""
    return azure_name("flowbridge", site, tier, plain="-" not in tier)


def hashed_name(identity: str, *parts: str) -> str:
    """`parts` joined by `-` and cut to leave room for a hash of `identity`, which ends the name."""
    tail = content_hash(identity)
    room = default_quotas().rule_name_length.value - len(tail) - 1
    name = "-".join(part for part in (_UNFIT.sub("_", p).strip("._-") for p in parts) if part)
    return f"{name[:room].rstrip('._-')}-{tail}"
