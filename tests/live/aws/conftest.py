"""An emulated EC2 for the live reader, and a fresh deployment in it for each test."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.retries import bucket, standard
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from tests.live.aws.estates import LiveSite, live_site
from tests.terraform.emulated_ec2 import CREDENTIALS, REGION, EmulatedEc2, emulated_ec2


@pytest.fixture(scope="session")
def cloud() -> Iterator[EmulatedEc2]:
    with emulated_ec2() as running:
        yield running


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long to wait between tries is botocore's; that it tries again is ours to ask for."""
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    monkeypatch.setattr(bucket.TokenBucket, "acquire", lambda *_, **__: True)


@pytest.fixture
def make(cloud: EmulatedEc2, tmp_path: Path) -> Callable[..., LiveSite]:
    """Makes a VPC with a deployment in it."""

    def made(**more: Any) -> LiveSite:
        return live_site(cloud.client, cloud.url, tmp_path, **more)

    return made


@pytest.fixture(scope="session")
def _made_once(
    cloud: EmulatedEc2, tmp_path_factory: pytest.TempPathFactory
) -> tuple[LiveSite, dict[str, Any]]:
    site = live_site(cloud.client, cloud.url, tmp_path_factory.mktemp("edge"))
    return site, _copied(vars(_state()))


@pytest.fixture
def edge(_made_once: tuple[LiveSite, dict[str, Any]]) -> LiveSite:
    """A deployment whose groups were put on cards by hand, as it was just made."""
    site, then = _made_once
    vars(_state()).update(_copied(then))
    return site


def _state() -> Any:
    return ec2_backends[DEFAULT_ACCOUNT_ID][REGION]


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    """Copying what is there takes a quarter of the time of making it; the emulator stays one, and
    so do its hundreds of machine images, which no test changes."""
    kept = (_state(), _state().amis, _state().snapshots)
    return copy.deepcopy(state, {id(one): one for one in kept})
