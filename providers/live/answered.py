"""What a cloud answered for one place, as it spells it, and what it did not.

A part that could not be read is not in `parts`: asking for it raises, so that it can never be
taken for an empty one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from flowbridge.policy.audit.estate import Unread

Row = Mapping[str, Any]


class Scoped(Protocol):
    """A place that can say in words where it is."""

    @property
    def scope(self) -> str: ...


PlaceOf = TypeVar("PlaceOf", bound=Scoped)
PartOf = TypeVar("PartOf", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Answered(Generic[PlaceOf, PartOf]):
    """All answers of one place. `aside_unread` concerns no audit."""

    place: PlaceOf
    parts: Mapping[PartOf, tuple[Row, ...]]
    audit_unread: tuple[Unread, ...] = ()
    aside_unread: tuple[Unread, ...] = ()

    @property
    def scope(self) -> str:
        return self.place.scope

    @property
    def unread(self) -> tuple[Unread, ...]:
        return (*self.audit_unread, *self.aside_unread)

    def has(self, *parts: PartOf) -> bool:
        return all(part in self.parts for part in parts)

    def rows(self, part: PartOf) -> tuple[Row, ...]:
        """KeyError for a part that was not read."""
        return self.parts[part]
