"""The answers of one place while they come in: what was read, and what was not.

A failed call ends neither the reading nor the program: it is noted, and its part stays away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from flowbridge.policy.audit.estate import Cause, Unread
from flowbridge.providers.live.answered import Row, Scoped
from flowbridge.providers.live.endpoint import EndpointRefusedError
from flowbridge.providers.live.fault import Fault
from flowbridge.providers.live.reading import FATAL

Part = TypeVar("Part")

# A garbled answer is asked for again; the SDK retries everything else by itself.
TRIES: Final = 3


Place = TypeVar("Place", bound=Scoped)


class Gathering(Generic[Place, Part]):
    """`fault_of` is the cloud's own. `over`: no further call would succeed."""

    def __init__(self, place: Place, fault_of: Callable[[Exception], Fault]) -> None:
        self.place = place
        self.parts: dict[Part, tuple[Row, ...]] = {}
        self.unread: list[Unread] = []
        self.asides: list[Unread] = []
        self.over = False
        self._fault_of = fault_of

    def fail(self, call: str, error: Exception, *, aside: bool = False) -> None:
        """Note that `call` gave no answer to rely on."""
        scope = self.place.scope
        if isinstance(error, EndpointRefusedError):
            missing = Unread(
                scope=scope,
                call=call,
                cause=Cause.NO_CREDENTIALS,
                message=str(error),
                remedy=error.remedy,
            )
        else:
            fault = self._fault_of(error)
            missing = Unread(
                scope=scope,
                call=call,
                cause=fault.cause,
                message=fault.message,
                remedy=fault.remedy,
            )
        (self.asides if aside else self.unread).append(missing)
        self.over = self.over or missing.cause in FATAL

    def keep(
        self, part: Part, call: str, ask: Callable[[], Sequence[Row]], *, aside: bool = False
    ) -> None:
        """The rows of one call under `part`; where it failed, that is noted instead."""
        if self.over:
            return
        failed: Exception | None = None
        for _ in range(TRIES):
            try:
                self.parts[part] = tuple(ask())
            except Exception as error:
                # Nothing but the SDK runs inside `ask`: what it raises is an answer, too.
                failed = error
                if self._fault_of(error).cause is not Cause.GARBLED:
                    break
            else:
                return
        assert failed is not None  # noqa: S101
        self.fail(call, failed, aside=aside)
