"""Clients of the compute API: bounded retries, bounded time, credentials only where they belong.

The library retries neither 429 nor a 403 for rates, nor a connection that is cut; a reader may
repeat all of them, because it changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from flowbridge.providers.gcp.live.answers import Place
from flowbridge.providers.gcp.live.faults import is_throttled
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.endpoint import EndpointRefusedError, Trust, is_loopback, trust
from flowbridge.providers.live.reading import DeadlineError

_CLOUD: Final = ("googleapis.com",)
_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform.read-only",)
_WRITING: Final = ("https://www.googleapis.com/auth/cloud-platform",)
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 20.0
_PASSING: Final = frozenset({500, 502, 503, 504, 408})


class Connection:
    """The clients of one place. Made in one thread and used in it."""

    def __init__(self, place: Place, access: Access) -> None:
        """Raises what google-auth raises, and EndpointRefusedError."""
        from google.auth import default
        from google.auth.credentials import AnonymousCredentials

        self._access = access
        self._end = time.monotonic() + access.deadline
        self.endpoint = place.endpoint
        allowed = trust(place.endpoint, _CLOUD, named_by_command=place.by_command)
        loopback = place.endpoint is not None and is_loopback(_host(place.endpoint))
        if allowed is Trust.REFUSED or (allowed is Trust.ANONYMOUS and not loopback):
            raise EndpointRefusedError(place.endpoint)
        self.credentials: Any = (
            AnonymousCredentials()  # type: ignore[no-untyped-call]
            if loopback
            else _acting_as(place.acting_as, default(scopes=list(_SCOPES))[0])
        )

    def client(self, kind: str) -> Any:
        """`FirewallsClient` and so on."""
        from google.cloud import compute_v1

        options = {"api_endpoint": self.endpoint} if self.endpoint else None
        return getattr(compute_v1, kind)(credentials=self.credentials, client_options=options)

    def asking(self) -> dict[str, Any]:
        """The arguments of each call: its retries and its time."""
        return {"retry": self.retry(), "timeout": self._access.read_timeout}

    def retry(self) -> Any:
        """The custom retry. DeadlineError where the time of the place is used up."""
        from google.api_core.retry import Retry

        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineError(f"no whole answer within {self._access.deadline:g} seconds")
        return Retry(
            predicate=self._passing(),
            initial=_FIRST_PAUSE,
            maximum=_LONGEST_PAUSE,
            multiplier=2.0,
            timeout=left,
            on_error=self._as_asked,
        )

    def _passing(self) -> Callable[[BaseException], bool]:
        """Whether an error is worth another try; counts the tries of one call."""
        from google.api_core.exceptions import GoogleAPICallError
        from requests.exceptions import ChunkedEncodingError, Timeout
        from requests.exceptions import ConnectionError as Cut

        tries = 0

        def passing(error: BaseException) -> bool:
            nonlocal tries
            tries += 1
            if tries >= self._access.attempts:
                return False
            if isinstance(error, GoogleAPICallError):
                if not (is_throttled(error) or int(error.code or 0) in _PASSING):
                    return False
                # Where the server asks for more than is left, waiting is of no use.
                return _retry_after(error) < self._end - time.monotonic()
            return isinstance(error, Cut | Timeout | ChunkedEncodingError)

        return passing

    def _as_asked(self, error: BaseException) -> None:
        """Wait what `Retry-After` says; the library does not."""
        pause = _retry_after(error)
        if 0 < pause < self._end - time.monotonic():
            time.sleep(pause)


def writing_session(place: Place, server: str) -> tuple[Any, str]:
    """A session that may make and delete tests, and the server that it talks to: `server`, or an
    emulator on this machine. Raises what google-auth raises, and EndpointRefusedError.

    The three calls of Connectivity Tests need no client library of their own.
    """
    from google.auth import default
    from google.auth.credentials import AnonymousCredentials
    from google.auth.transport.requests import AuthorizedSession

    if place.endpoint is not None and is_loopback(_host(place.endpoint)):
        credentials: Any = AnonymousCredentials()  # type: ignore[no-untyped-call]
        return AuthorizedSession(credentials), place.endpoint  # type: ignore[no-untyped-call]
    own = default(scopes=list(_WRITING))[0]
    session = AuthorizedSession(_acting_as(place.acting_as, own, _WRITING))  # type: ignore[no-untyped-call]
    return session, server


def _retry_after(error: Any) -> float:
    """Seconds; 0 where the answer does not say."""
    response = getattr(error, "response", None)
    text = (getattr(response, "headers", None) or {}).get("Retry-After", "")
    try:
        return float(text)
    except ValueError:
        return 0.0


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return (urlsplit(url).hostname or "").lower()


def _acting_as(account: str | None, own: Any, scopes: tuple[str, ...] = _SCOPES) -> Any:
    """Credentials of the service account `account`, asked for with one's own; else one's own."""
    if account is None:
        return own
    from google.auth.impersonated_credentials import Credentials

    return Credentials(  # type: ignore[no-untyped-call]
        source_credentials=own, target_principal=account, target_scopes=list(scopes)
    )
