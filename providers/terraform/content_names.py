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
    return int.from_bytes(_digest(content).digest())


def content_hash(*content: object) -> str:
    """Ten hexadecimal digits of the content."""
    return _digest(content).hexdigest()[:10]


def _digest(content: tuple[object, ...]) -> hashlib._Hash:
    return hashlib.sha256("\x1f".join(map(str, content)).encode())


def terraform_name(*parts: object) -> str:
    """A name of letters, digits, `-` and `_`, `_` between the parts; it starts with a letter."""
    words = [_NOT_IN_NAMES.sub("_", str(part)).strip("_") for part in parts]
    name = "_".join(word for word in words if word)
    return name if name[:1].isalpha() else f"x_{name}"
