"""Clients of the AWS services: the SDK's own credential chain, bounded retries, bounded time.

Adaptive retries hold back by themselves when EC2 says RequestLimitExceeded. What they cannot do
is end: a deadline per place does, checked before every request that is sent.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any, Final

from flowbridge.providers.aws.live.answers import Place
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.reading import DeadlineError

_SESSION_NAME: Final = "flowbridge"


class Connection:
    """The clients of one place. Made in one thread and used in it."""

    def __init__(self, place: Place, access: Access) -> None:
        """Raises what botocore raises: an unknown profile, a role that cannot be assumed."""
        from botocore.config import Config
        from botocore.session import Session

        self._place = place
        self._end = time.monotonic() + access.deadline
        self._allowed = access.deadline
        self._session = Session(profile=place.profile)
        self._session.register_component("data_loader", _models())
        self._session.set_config_variable("region", place.region)
        self._config = Config(
            retries={"mode": "adaptive", "total_max_attempts": access.attempts},
            connect_timeout=access.connect_timeout,
            read_timeout=access.read_timeout,
            user_agent_extra="flowbridge",
        )
        self._keys: dict[str, Any] = {}
        if place.role:
            keys = self._granted(place.role)["Credentials"]
            self._keys = {
                "aws_access_key_id": keys["AccessKeyId"],
                "aws_secret_access_key": keys["SecretAccessKey"],
                "aws_session_token": keys["SessionToken"],
            }

    def _granted(self, role: str) -> Any:
        """OSError where the token cannot be read, which is a fault like any other here."""
        sts, place = self.client("sts"), self._place
        who = {"RoleArn": role, "RoleSessionName": _SESSION_NAME}
        if place.token_file:
            token = Path(place.token_file).read_text("utf-8").strip()
            return sts.assume_role_with_web_identity(**who, WebIdentityToken=token)
        if place.external_id:
            who["ExternalId"] = place.external_id
        return sts.assume_role(**who)

    def client(self, service: str, *, attempts: int | None = None) -> Any:
        """`ec2`, `sts` or `service-quotas`; with `attempts` no call is tried more often."""
        from botocore.config import Config

        # Terraform spells the services of `endpoints` without hyphens.
        endpoint = self._place.endpoint(service.replace("-", ""))
        client = self._session.create_client(
            service,
            region_name=self._place.region,
            endpoint_url=endpoint,
            config=self._config.merge(Config(retries={"total_max_attempts": attempts}))
            if attempts
            else self._config,
            **self._keys,
        )
        client.meta.events.register("before-send", self._in_time)
        return client

    def _in_time(self, **_: Any) -> None:
        if time.monotonic() > self._end:
            raise DeadlineError(f"no whole answer within {self._allowed:g} seconds")


@cache
def _models() -> Any:
    """One loader of the API models for all sessions: a model takes 30 MB once parsed."""
    from botocore.session import Session

    return Session().get_component("data_loader")
