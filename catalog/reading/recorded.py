"""Which files of a user were read, with the digest of each: what an answer was made from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flowbridge.catalog.reading.cache_folder import digest

CHANGED: Final = "changed"
_OPEN: Final[list[dict[str, str]]] = []


@contextmanager
def reads_recorded() -> Iterator[dict[str, str]]:
    """Every file that is read within, by its path; filled as they are read."""
    reads: dict[str, str] = {}
    _OPEN.append(reads)
    try:
        yield reads
    finally:
        _OPEN.remove(reads)


def record_read(path: str, content: bytes) -> None:
    """A file was read."""
    if _OPEN:
        found = digest(content)
        for reads in _OPEN:
            # Of a file that changed in between nothing can be said: no content has that digest.
            reads[path] = found if reads.get(path, found) == found else CHANGED
