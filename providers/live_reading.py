"""What ends the reading of a place early, the same for every cloud."""

from __future__ import annotations

from typing import Final

from policy.estate import Cause

# After these the other calls of the same place would only fail the same way, and slowly.
FATAL: Final = frozenset(
    {Cause.EXPIRED, Cause.NO_CREDENTIALS, Cause.TIMED_OUT, Cause.UNREACHABLE, Cause.NO_SDK}
)


class GarbledError(ValueError):
    """An answer that contradicts itself or the documented shape."""


class DeadlineError(TimeoutError):
    """The time for one place is used up."""
