"""What every cloud's live reader offers; `providers.<cloud>.live` has it as `READER`.

Talking and judging are kept apart. `fetch` is the only step that talks to a cloud: it makes read
calls (Describe, Get, List) and returns their answers with what could not be read, and never
raises for a fault of the cloud. The other steps are pure functions of those answers, so that one
fetch serves every deployment in the same place, and tests need no network.

An SDK is imported inside `fetch`, never at the top of a module. Credentials are the SDK's own
chain, with the `provider:` section of the deployment file; none is read or printed here.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, assert_never

from flowbridge.catalog.reading.located_yaml import BadFileError, Problem
from flowbridge.deployment.file.site import Cloud, Site
from flowbridge.deployment.finding import Finding
from flowbridge.policy.audit.bystanders import Affected, Bystander
from flowbridge.policy.audit.estate import Estate, Unread
from flowbridge.policy.compiled import Policy
from flowbridge.providers.provider import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach a cloud. Times in seconds; `attempts` counts the first try.

    `connect_timeout` and `read_timeout` are for one request, `deadline` for a whole fetch.

    `before_machines`: the user says that no machine of the deployment exists yet.

    `endpoint_url` points every service of the SDK at another server (an emulator, a private
    endpoint) and goes before the deployment file's `provider.endpoints`. `placed` names live
    cards or rule holders of an existing deployment by interface key, for estates whose cards the
    file does not name: `{"expressway-e/external": ("eni-0a1b",)}`.
    """

    endpoint_url: str | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    deadline: float = 300.0
    attempts: int = 10
    before_machines: bool = False
    placed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Fetched(Protocol):
    """The answers of one place. A cloud's own class; only this is known outside its folder."""

    @property
    def scope(self) -> str:
        """The place in words: `account 123456789012 eu-west-1`."""
        ...

    @property
    def unread(self) -> tuple[Unread, ...]:
        """Every call that failed, those for quotas and other asides included."""
        ...


@dataclass(frozen=True, slots=True)
class Import:
    """One Terraform `import` block: the planned address and the live id as Terraform wants it."""

    to: str
    id: str
    why: str  # "name and tags", "same content as sgr-0a1b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What adopting would do. Nothing in it destroys, but for `removes`.

    `creates` are planned addresses that nothing live stands for. `changes` are imported
    addresses whose live content differs, with the difference in words. `left` are live things
    beside ours that Terraform will not know (foreign rules), in words. `conflicts` are planned
    addresses whose creation would fail on something live that cannot be imported without
    Terraform replacing it, with what to do. `removes` are foreign rules that the apply removes,
    because the file asks for sole ownership, in words. `state_only` are planned addresses that
    are made in Terraform's state and nowhere else.
    """

    imports: tuple[Import, ...]
    creates: tuple[str, ...]
    changes: tuple[tuple[str, str], ...]
    left: tuple[str, ...]
    unread: tuple[Unread, ...]
    conflicts: tuple[tuple[str, str], ...] = ()
    removes: tuple[str, ...] = ()
    state_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preflight:
    """What would fail half-way through an apply, from the account as it is.

    A `REFUSAL` finding would fail; a `WARNING` may. `usage` compares live quotas with what would
    be used after the apply. `beside` are others in the subnets of the deployment.
    """

    findings: tuple[Finding, ...]
    usage: tuple[Usage, ...]
    unread: tuple[Unread, ...]
    beside: tuple[Affected, ...] = ()


Answers = TypeVar("Answers", bound=Fetched)
Read = TypeVar("Read", bound=Fetched, covariant=True)


class Fetch(Protocol[Read]):
    def __call__(self, site: Site, access: Access, *, asides: bool = False) -> Read: ...


# The whole Terraform JSON of the deployment (`Built.document`).
Planned = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReader(Generic[Answers]):
    """The steps of one cloud.

    No step raises for what it reads: what is not understood is an `Unread` (`GARBLED`) or an
    `UNRESOLVED` deviation.

    * `place`: what makes two deployments share one fetch: account, region, endpoint, network.
    * `fetch`: all read calls for the place of `site`; `asides` also quotas and what only
      `preflight` needs. Retries by the SDK's own means; bounded in time.
    * `estate`: the live filters of every interface of the policy, and how the estate departs.
    * `adoption`: which planned resources exist already, by name, tags or content.
    * `preflight`: what an apply would meet; needs a fetch with `asides`.
    * `bystanders`: what else stands in the subnets that filters of the deployment decide for.
    """

    place: Callable[[Site, Access], Hashable]
    fetch: Fetch[Answers]
    estate: Callable[[Answers, Policy, Site, Planned, Access], Estate]
    adoption: Callable[[Answers, Policy, Site, Planned], Adoption]
    preflight: Callable[[Answers, Policy, Site, Planned], Preflight]
    bystanders: Callable[[Answers, Policy, Site, Planned, Access], tuple[Bystander, ...]]


def reader_for(cloud: Cloud | str) -> LiveReader[Any]:
    """The reader of `cloud`; its folder is imported now, its SDK only by `fetch`.

    BadFileError names the extra that is not installed.
    """
    for name in _sdk(Cloud(cloud)):
        if not _is_installed(name):
            message = f"is not installed; `pip install 'flowbridge[{cloud}]'` brings it"
            raise BadFileError([Problem(name, None, "", message)])
    module = importlib.import_module(_module(Cloud(cloud)))
    reader: LiveReader[Any] = module.READER
    return reader


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # a package around it is missing
        return False


def _module(cloud: Cloud) -> str:
    match cloud:
        case Cloud.AWS:
            return "flowbridge.providers.aws.live.reader"
        case Cloud.AZURE:
            return "flowbridge.providers.azure.live.reader"
        case Cloud.GCP:
            return "flowbridge.providers.gcp.live.reader"
        case _:
            assert_never(cloud)


def _sdk(cloud: Cloud) -> tuple[str, ...]:
    """The modules of the SDK, which is the extra of the cloud's name in pyproject.toml."""
    match cloud:
        case Cloud.AWS:
            return ("boto3",)
        case Cloud.AZURE:
            return ("azure.identity", "azure.mgmt.network")
        case Cloud.GCP:
            return ("google.cloud.compute_v1",)
        case _:
            assert_never(cloud)
