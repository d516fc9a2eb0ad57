"""Names on Google Cloud and in Terraform: made from what they stand for, never from an order.

A Google Cloud name is `[a-z]([-a-z0-9]*[a-z0-9])?`, up to 63 characters, and unique in its
project; so it opens with the site's name and ends in a digest of all that it stands for.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Final

from flowbridge.providers.gcp.quotas import default_quotas

_NOT_IN_LABELS: Final = re.compile(r"[^a-z0-9-]+")
_NOT_IN_TERRAFORM: Final = re.compile(r"[^0-9A-Za-z-]+")
_DIGEST: Final = 8


def digest(*content: object) -> str:
    """Eight hexadecimal digits of the content."""
    text = "\x1f".join(map(str, content))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def cloud_name(words: tuple[str, ...], *content: object) -> str:
    """`words` as far as there is room, then the digest of `content`. `words` starts with a
    letter."""
    limit = default_quotas().name_length.value or 0
    text = _NOT_IN_LABELS.sub("-", "-".join(word for word in words if word).lower())
    return f"{text[: limit - _DIGEST - 1].strip('-')}-{digest(*content)}"


def terraform_name(*words: str) -> str:
    """The words with `_` between them; the first one starts with a letter."""
    return "_".join(part for part in map(_terraform_word, words) if part)


@lru_cache(maxsize=4096)
def _terraform_word(word: str) -> str:
    return _NOT_IN_TERRAFORM.sub("_", word).strip("_")
