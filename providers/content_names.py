"""Names that Terraform takes, made from the content they stand for.

Never from an order, so that a name stays the same whatever else is added or removed.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

_NOT_IN_NAMES: Final = re.compile(r"[^0-9A-Za-z-]+")


def content_digest(*content: object) -> int:
    """256 even bits of the content."""
    text = "\x1f".join(map(str, content))
    return int.from_bytes(hashlib.sha256(text.encode()).digest())


def content_hash(*content: object) -> str:
    """Ten hexadecimal digits of the content."""
    return f"{content_digest(*content):064x}"[:10]


def terraform_name(*parts: object) -> str:
    """A name of letters, digits, `-` and `_`, `_` between the parts; it starts with a letter."""
    words = [_NOT_IN_NAMES.sub("_", str(part)).strip("_") for part in parts]
    name = "_".join(word for word in words if word)
    return name if name[:1].isalpha() else f"x_{name}"
