"""The client of the network resource provider: bounded retries, bounded time, reading only.

The SDK's pipeline is put together here because three of its defaults do not fit a reader: it
registers resource providers by itself (a write), it follows a next page to any server with the
token in its hand, and it waits as long as a server asks it to.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flowbridge.providers.azure.live.answers import Place
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.endpoint import EndpointRefusedError, Trust, trust
from flowbridge.providers.live.reading import DeadlineError, GarbledError

if TYPE_CHECKING:
    from azure.mgmt.network import NetworkManagementClient

# Azure Resource Manager in its clouds, each with the audience of its tokens.
_MANAGERS: Final = {
    "management.azure.com": "https://management.azure.com/.default",
    "management.usgovcloudapi.net": "https://management.usgovcloudapi.net/.default",
    "management.chinacloudapi.cn": "https://management.chinacloudapi.cn/.default",
}
# What a reader may send: POSTs that ask for the effective admin rules and verify a packet.
_READING_POSTS: Final = ("/listNetworkManagerEffectiveSecurityAdminRules", "/ipFlowVerify")
_BACKOFF: Final = 0.4
# Whoever asks too often is told how long to wait (Retry-After); this is for a server that is gone.
_LONGEST_PAUSE: Final = 10


def client_of(place: Place, access: Access) -> NetworkManagementClient:
    """The client of one place, for one thread. Raises what the SDK raises, and
    EndpointRefusedError."""
    from azure.core.pipeline import policies
    from azure.mgmt.network import NetworkManagementClient

    allowed = trust(place.endpoint, _MANAGERS, named_by_command=place.by_command)
    if allowed is Trust.REFUSED:
        raise EndpointRefusedError(place.endpoint)
    # What the SDK would tell a terminal in passing is told once, as an Unread.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    end = time.monotonic() + access.deadline
    server = place.endpoint or next(iter(_MANAGERS.values())).removesuffix("/.default")
    host = urlsplit(server).hostname or ""
    scope = _MANAGERS.get(host, next(iter(_MANAGERS.values())))
    if allowed is Trust.CREDENTIALS:
        from azure.core.pipeline.policies import BearerTokenCredentialPolicy
        from azure.identity import DefaultAzureCredential

        credential: Any = DefaultAzureCredential()
        signing: list[Any] = [BearerTokenCredentialPolicy(credential, scope)]
    else:
        credential = _Nobody()
        signing = []
    return NetworkManagementClient(
        credential,
        place.subscription,
        base_url=server,
        credential_scopes=[scope],
        policies=[
            policies.CustomHookPolicy(),
            policies.RequestIdPolicy(),
            policies.HeadersPolicy(),
            policies.UserAgentPolicy(user_agent="flowbridge"),
            policies.ProxyPolicy(),
            policies.ContentDecodePolicy(),
            _retries(access, end),
            _guard(server, end, access),
            *signing,
        ],
        connection_timeout=access.connect_timeout,
        read_timeout=access.read_timeout,
    )


class _Nobody:
    """The credential of an emulator: there is none, and none is asked for."""

    def get_token(self, *_: str, **__: Any) -> Any:
        raise AssertionError("no token goes to this server")


def _retries(access: Access, end: float) -> Any:
    """The SDK's retries, for the reading POSTs too, and never beyond the deadline."""
    from azure.core.pipeline.policies import RetryPolicy

    class Bounded(RetryPolicy[Any, Any]):
        def _is_method_retryable(self, *_: Any, **__: Any) -> bool:
            return True  # nothing is sent that cannot be sent twice

        def sleep(self, settings: Any, transport: Any, response: Any = None) -> None:
            left = end - time.monotonic()
            asked = self.get_retry_after(response) if response else None
            pause = self.get_backoff_time(settings) if asked is None else asked
            if pause > left:
                # Waiting is of no use any more: the last answer is the outcome.
                settings["total"] = 0
                settings["status"] = 0
                pause = 0
            if pause > 0:
                transport.sleep(pause)

    more = max(access.attempts - 1, 0)
    # The SDK takes a limit of 0 for no limit; an unbounded one never lies below the total.
    return Bounded(
        retry_total=more or -1,
        retry_connect=more + 1,
        retry_read=more + 1,
        retry_status=more + 1,
        retry_backoff_factor=_BACKOFF,
        retry_backoff_max=_LONGEST_PAUSE,
    )


def _guard(server: str, end: float, access: Access) -> Any:
    """Before each request that is sent: in time, to the right server, and only to read."""
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    known = urlsplit(server)

    class Guard(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            if time.monotonic() > end:
                raise DeadlineError(f"no whole answer within {access.deadline:g} seconds")
            sent = request.http_request
            asked = urlsplit(sent.url)
            if (asked.scheme, asked.netloc) != (known.scheme, known.netloc):
                raise GarbledError(f"the next page is said to be at another server, {asked.netloc}")
            if sent.method != "GET" and not asked.path.endswith(_READING_POSTS):
                raise AssertionError(f"a reader sends no {sent.method} {asked.path}")

    return Guard()
