"""What the SDK sends to assume the role of a deployment: its id, its token, and nobody's keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.httpsession import URLLib3Session

from flowbridge.providers.aws.live.answers import Place
from flowbridge.providers.aws.live.client import Connection
from flowbridge.providers.live.contract import Access

ROLE: Final = "arn:aws:iam::111122223333:role/net"
_GRANTED: Final = """\
<{call}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{call}Result><Credentials>
<AccessKeyId>ASIAGRANTED</AccessKeyId><SecretAccessKey>granted</SecretAccessKey>
<SessionToken>granted-session</SessionToken><Expiration>2038-01-01T00:00:00Z</Expiration>
</Credentials></{call}Result></{call}Response>"""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[AWSPreparedRequest]:
    """The requests that would leave this machine; each is granted what it asks for."""
    found: list[AWSPreparedRequest] = []

    def send(_: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        found.append(request)
        raw = _GRANTED.format(call=fields(request)["Action"]).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), _Body(raw))

    monkeypatch.setattr(URLLib3Session, "send", send)
    return found


class _Body:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def stream(self, *_: object, **__: object) -> list[bytes]:
        return [self._raw]


def fields(request: AWSPreparedRequest) -> dict[str, str]:
    body: Any = request.body
    text = body.decode() if isinstance(body, bytes) else str(body)
    return {key: value for key, [value] in parse_qs(text).items()}


def place(**more: Any) -> Place:
    return Place(
        region="eu-west-1",
        vpc="vpc-0a1b2c3d4e5f60718",
        profile=None,
        role=ROLE,
        endpoints=(),
        **more,
    )


def test_a_role_is_assumed_with_its_external_id(sent: list[AWSPreparedRequest]) -> None:
    client = Connection(place(external_id="partner-7"), Access()).client("ec2")
    [asked] = sent
    assert fields(asked)["Action"] == "AssumeRole"
    assert fields(asked)["RoleArn"] == ROLE
    assert fields(asked)["ExternalId"] == "partner-7"
    assert "Authorization" in asked.headers
    assert client._request_signer._credentials.access_key == "ASIAGRANTED"


def test_no_external_id_is_sent_where_none_is_asked_for(sent: list[AWSPreparedRequest]) -> None:
    Connection(place(), Access())
    assert "ExternalId" not in fields(sent[0])


def test_a_token_takes_the_place_of_keys(
    sent: list[AWSPreparedRequest], tmp_path: Path, without_keys: Callable[[], None]
) -> None:
    """A pipeline with OIDC has no keys at all; the token alone is what it signs in with."""
    without_keys()
    token = tmp_path / "token"
    token.write_text("header.payload.signature\n", "utf-8")
    client = Connection(place(token_file=str(token)), Access()).client("ec2")
    [asked] = sent
    assert fields(asked)["Action"] == "AssumeRoleWithWebIdentity"
    assert fields(asked)["RoleArn"] == ROLE
    assert fields(asked)["WebIdentityToken"] == "header.payload.signature"
    assert "Authorization" not in asked.headers
    assert client._request_signer._credentials.token == "granted-session"  # noqa: S105


def test_a_token_that_is_not_there_is_a_fault_of_the_place(
    sent: list[AWSPreparedRequest], tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="gone"):
        Connection(place(token_file=str(tmp_path / "gone")), Access())
    assert sent == []


@pytest.fixture
def without_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Takes away every way to keys that the SDK's chain knows."""

    def taken() -> None:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    return taken
