"""A deployment that acts as a service account asks Google for its token with one's own."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, Final

import google.auth
import pytest
from google.auth.credentials import Credentials, Scoped

from flowbridge.providers.gcp.live.answers import Place
from flowbridge.providers.gcp.live.client import Connection
from flowbridge.providers.live.contract import Access

ACCOUNT: Final = "net@some-project.iam.gserviceaccount.com"
READING: Final = "https://www.googleapis.com/auth/cloud-platform.read-only"


class Own(Scoped, Credentials):
    """One's own credentials: their token tells which scopes it was asked for."""

    def __init__(self, scopes: tuple[str, ...]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._scopes = scopes
        self.token = f"own for {' '.join(scopes)}"

    @property
    def requires_scopes(self) -> bool:
        return False

    def with_scopes(self, scopes: Any, default_scopes: Any = None) -> Own:  # noqa: ARG002
        return Own(tuple(scopes))

    def refresh(self, request: Any) -> None:
        """Never out of date."""


@pytest.fixture(autouse=True)
def _own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google.auth, "default", lambda scopes: (Own(tuple(scopes)), "some-project"))


def place(acting_as: str | None) -> Place:
    return Place(
        project="some-project",
        region="europe-west1",
        networks=(),
        in_policies=False,
        endpoint=None,
        by_command=False,
        acting_as=acting_as,
    )


def test_the_client_asks_for_a_reading_token_of_the_account() -> None:
    client = Connection(place(ACCOUNT), Access()).client("FirewallsClient")
    asked: list[dict[str, Any]] = []

    def request(**sent: Any) -> SimpleNamespace:
        asked.append(sent)
        answer = {"accessToken": "the account's", "expireTime": "2038-01-01T00:00:00Z"}
        return SimpleNamespace(status=200, data=json.dumps(answer).encode())

    credentials = client.transport._credentials
    credentials.refresh(request)
    [sent] = asked
    assert sent["url"].endswith(f"/serviceAccounts/{ACCOUNT}:generateAccessToken")
    assert json.loads(sent["body"])["scope"] == [READING]
    # A token for reading may not ask for tokens: one's own has the scope that may.
    own = sent["headers"]["authorization"]
    assert own.startswith("Bearer own for ")
    assert READING not in own
    assert credentials.token == "the account's"  # noqa: S105


def test_without_an_account_ones_own_credentials_are_used() -> None:
    client = Connection(place(None), Access()).client("FirewallsClient")
    assert client.transport._credentials.token == f"own for {READING}"
