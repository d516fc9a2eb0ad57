"""Where credentials may go, by the address that a file or the command names."""

from __future__ import annotations

import pytest
from urllib3.util import parse_url

from flowbridge.providers.live.endpoint import Trust, trust

OWN = ("googleapis.com",)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example\\@compute.googleapis.com",
        "https://evil.example\\.googleapis.com",
        "https://evil.example\\@localhost",
        "https://user:word@compute.googleapis.com",
        "https://evil.example\t@compute.googleapis.com",
        "https://evil.example\n.googleapis.com",
        "https://compute.googleapis.com@evil.example",
        "https://evil.example#.googleapis.com",
        "https://notgoogleapis.com",
        "http://compute.googleapis.com",
        "file:///etc/passwd",
    ],
)
def test_a_file_sends_credentials_to_no_other_server(url: str) -> None:
    """The library that sends reads a backslash as the end of the host, Python's as part of it."""
    assert trust(url, OWN, named_by_command=False) is Trust.REFUSED


@pytest.mark.parametrize(
    ("url", "by_command", "expected"),
    [
        ("https://compute.googleapis.com/compute/v1/", False, Trust.CREDENTIALS),
        ("https://googleapis.com:443", False, Trust.CREDENTIALS),
        ("http://127.0.0.1:8080", False, Trust.ANONYMOUS),
        ("https://[::1]:8080/x", False, Trust.ANONYMOUS),
        ("http://azure_emulator:8080", True, Trust.ANONYMOUS),
        ("https://private.example", True, Trust.CREDENTIALS),
    ],
)
def test_what_is_trusted_is_the_host_that_is_asked(
    url: str, by_command: bool, expected: Trust
) -> None:
    assert trust(url, OWN, named_by_command=by_command) is expected
    assert str(parse_url(url).host) in url
