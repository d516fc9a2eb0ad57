"""Names, tags and descriptions that AWS takes, and that a person can read.

Names of Terraform are made in `providers.terraform.content_names`. Row ids come first in every
description.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from flowbridge.providers.aws.quotas import default_quotas
from flowbridge.providers.terraform.row_text import description, in_reading_order

# What every shape of the EC2 API takes in a rule's description (`&` only some of them).
SAFE_DESCRIPTION: Final = re.compile(r"[0-9A-Za-z _.:/()#,@\[\]+=;{}!$*-]{0,255}")
_UNSAFE: Final = re.compile(r"[^0-9A-Za-z _.:/()#,@\[\]+=;{}!$*-]")


def group_name(site: str, interface: str, number: int) -> str:
    """`flowbridge/emea-edge/expressway-e/external`, with the number of a further group.

    Names and descriptions of groups cannot be changed later, so nothing else goes into them.
    """
    name = f"flowbridge/{site}/{interface}" + (f"/{number}" if number else "")
    return _UNSAFE.sub("_", name)


def rule_description(rows: Iterable[str], subject: str) -> str:
    """`row_text.description` in safe characters, 255 at most."""
    safe = [_UNSAFE.sub("_", row) for row in rows]
    limit = default_quotas().rule_description_length.value
    return description(safe, _UNSAFE.sub("_", subject), limit)


def rows_tag(rows: Iterable[str]) -> str | None:
    """The row ids as the value of one tag; None where they do not all fit."""
    text = " ".join(_UNSAFE.sub("_", row) for row in in_reading_order(rows))
    return text if 0 < len(text) <= default_quotas().tag_value_length.value else None
