"""Names, tags and descriptions: what AWS and Terraform accept, and what a person can read.

A Terraform name is made from the content it stands for, never from an order, so that it stays
the same whatever else is added or removed. Row ids come first in every description.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from providers.aws.quotas import default_quotas

# What every shape of the EC2 API takes in a rule's description (`&` only some of them).
SAFE_DESCRIPTION: Final = re.compile(r"[0-9A-Za-z _.:/()#,@\[\]+=;{}!$*-]{0,255}")
_UNSAFE: Final = re.compile(r"[^0-9A-Za-z _.:/()#,@\[\]+=;{}!$*-]")
_NOT_IN_NAMES: Final = re.compile(r"[^0-9A-Za-z-]+")


def content_hash(*content: object) -> str:
    """Ten hexadecimal digits of the content."""
    return hashlib.sha256("\x1f".join(map(str, content)).encode()).hexdigest()[:10]


def terraform_name(*parts: object) -> str:
    """A name of letters, digits, `-` and `_`, `_` between the parts; it starts with a letter."""
    words = [_NOT_IN_NAMES.sub("_", str(part)).strip("_") for part in parts]
    name = "_".join(word for word in words if word)
    return name if name[:1].isalpha() else f"x_{name}"


def group_name(site: str, interface: str, number: int) -> str:
    """`flowbridge/emea-edge/expressway-e/external`, with the number of a further group.

    Names and descriptions of groups cannot be changed later, so nothing else goes into them.
    """
    name = f"flowbridge/{site}/{interface}" + (f"/{number}" if number else "")
    return _UNSAFE.sub("_", name)


def _compact(rows: Sequence[str]) -> list[str]:
    """`expressway/11/5`, `expressway/11/6` as `expressway/11/5,6`."""
    tables = groupby(rows, key=lambda row: row.rpartition("/")[0])
    return [f"{table}/{','.join(r.rpartition('/')[2] for r in group)}" for table, group in tables]


def in_reading_order(rows: Iterable[str]) -> list[str]:
    """Row ids with their numbers in the order of numbers: row 9 before row 10."""
    return sorted(
        set(rows),
        key=lambda row: [
            (0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in re.split(r"(\d+)", row)
        ],
    )


def rule_description(rows: Iterable[str], subject: str) -> str:
    """The row ids, then `subject` where there is room; at most 255 safe characters.

    Where not all ids fit, whole ids are left out and counted: `... (+7 rows)`.
    """
    limit = default_quotas().rule_description_length.value
    ordered = [_UNSAFE.sub("_", row) for row in in_reading_order(rows)]
    text = ", ".join(ordered)
    if len(text) > limit:
        text = ", ".join(_compact(ordered))
    kept = len(ordered)
    while len(text) > limit:
        kept -= 1
        text = ", ".join(_compact(ordered[:kept])) + f" (+{len(ordered) - kept} rows)"
    subject = _UNSAFE.sub("_", subject).strip()
    full = f"{text}: {subject}" if text else subject
    return full if subject and len(full) <= limit else text[:limit].rstrip()


def rows_tag(rows: Iterable[str]) -> str | None:
    """The row ids as the value of one tag; None where they do not all fit."""
    text = " ".join(_UNSAFE.sub("_", row) for row in in_reading_order(rows))
    return text if 0 < len(text) <= default_quotas().tag_value_length.value else None
