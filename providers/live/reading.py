"""How reading a place goes wrong, the same for every cloud."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowbridge.policy.audit.estate import Cause, Unread

# After these the other calls of the same place would only fail the same way, and slowly.
FATAL: Final = frozenset(
    {Cause.EXPIRED, Cause.NO_CREDENTIALS, Cause.TIMED_OUT, Cause.UNREACHABLE, Cause.NO_SDK}
)


# What an answer of a shape that nobody documented ends in, once it is looked into.
ODD_SHAPE: Final = (AttributeError, KeyError, TypeError, ValueError)


class GarbledError(ValueError):
    """An answer that contradicts itself or the documented shape."""


class DeadlineError(TimeoutError):
    """The time for one place is used up."""


def not_understood(scope: str, call: str, message: str) -> Unread:
    """An answer that came whole and has no meaning here; `message` says what is odd in it."""
    return Unread(
        scope=scope, call=call, cause=Cause.GARBLED, message=message, remedy="Report this answer."
    )


def split_absent(
    unread: Iterable[Unread], call: str
) -> tuple[tuple[Unread, ...], tuple[Unread, ...]]:
    """Those that say that what `call` asks for is not there, and the rest.

    For an audit that is no verdict; for an apply it is what ends it.
    """
    every = tuple(unread)
    absent = tuple(each for each in every if each.cause is Cause.ABSENT and each.call == call)
    return absent, tuple(each for each in every if each not in absent)
