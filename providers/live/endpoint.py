"""Whether credentials may go to a server: a bearer token is as good as a password to who gets it.

* No address given, or one of the cloud's own: the SDK's credential chain.
* This machine (an emulator): nothing is sent that would be worth stealing, over HTTP or HTTPS.
* Another address over HTTPS: credentials only where the command names it (`--endpoint-url`). A
  deployment file may come from anybody who can open a pull request.
* Another address over plain HTTP: never credentials; without them, only where the command
  names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

# A host and a port. What else a server's name may hold in a URL (a user, a backslash) the
# libraries read as different hosts: `https://evil.example\@googleapis.com`.
_PLAIN: Final = re.compile(
    r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?(?:/\S*)?", re.IGNORECASE
)


class Trust(StrEnum):
    CREDENTIALS = "credentials"
    ANONYMOUS = "anonymous"
    REFUSED = "refused"


def trust(url: str | None, clouds: Iterable[str], *, named_by_command: bool) -> Trust:
    """What may be sent to `url`. `clouds` are host names that are the cloud's own, with all that
    are below them."""
    if url is None:
        return Trust.CREDENTIALS
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return Trust.REFUSED
    if not host or not _PLAIN.fullmatch(url):
        return Trust.REFUSED
    if is_loopback(host):
        return Trust.ANONYMOUS
    if parts.scheme == "http":
        return Trust.ANONYMOUS if named_by_command else Trust.REFUSED
    own = any(host == cloud or host.endswith(f".{cloud}") for cloud in clouds)
    return Trust.CREDENTIALS if own or named_by_command else Trust.REFUSED


def without_user(url: str) -> str:
    """`url` as it may be shown: without the user and password that stand before its `@`."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    _, at, host = authority.rpartition("@")
    return f"{scheme}{separator}{'***@' if at else ''}{host}{slash}{path}"


def is_loopback(host: str) -> bool:
    """`localhost` or an address of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class EndpointRefusedError(ValueError):
    """Credentials must not go to this server."""

    remedy = "Give the address as --endpoint-url, or take it out of `provider.endpoints`."

    def __init__(self, url: str | None) -> None:
        super().__init__(
            f"the deployment file points at {url}, which is none of the cloud's own addresses: "
            "credentials go there only when the command says so"
        )
