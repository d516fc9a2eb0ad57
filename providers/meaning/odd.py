"""Rules that say what no rule is known to mean: refused in a file, told in a live cloud.

A file that cannot be judged whole is refused. A cloud cannot: one odd rule that somebody made by
hand must not hide what the others let in, so it stays as a rule that matches nothing and leaves
its meaning open (`Why.MEANING`).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final, TypeVar

from flowbridge.policy.unknown import Unknown, Why

Made = TypeVar("Made")

# What reading a value of a shape or content that is not documented ends in.
_ODD: Final = (AttributeError, KeyError, TypeError, ValueError)


class Odd(Enum):
    """What becomes of a rule without a meaning."""

    REFUSE = auto()
    TELL = auto()

    def read(
        self, address: str, make: Callable[[], Made], instead: Callable[[Unknown], Made]
    ) -> Made:
        """`make()`; where it fails, that error, or `instead` of what the rule leaves open."""
        try:
            return make()
        except _ODD as error:
            if self is Odd.REFUSE:
                raise
            return instead(meaningless(address, error))


def meaningless(address: str, error: Exception) -> Unknown:
    """What a rule leaves open whose reading ended in `error`."""
    if isinstance(error, KeyError):
        said = f"{error} is missing"
    else:
        said = str(error).removeprefix(f"{address}: ") or type(error).__name__
    return Unknown(address, said, Why.MEANING)
