"""What the compute API answered for one place, as it spells it, and what it did not.

A part that could not be read is not in `parts`: asking for it raises, so that it can never be
taken for an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Unread
from flowbridge.providers.live.contract import Access

Row = Mapping[str, Any]

_NETWORK: Final = re.compile(r"(?:^|/)projects/([^/]+)/global/networks/([^/]+)$")


class Part(StrEnum):
    """One list that is read, named as a person counts it."""

    NETWORKS = "VPC networks"
    FIREWALLS = "firewall rules"
    EFFECTIVE = "effective firewall policies"
    POLICIES = "network firewall policies"
    INSTANCES = "instances"
    TAGS = "secure tags of instances"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Place:
    """Deployments in one place share one fetch. `networks` are project and name.

    `endpoint` is another server than Google's own; `by_command`: the command names it.
    """

    project: str
    region: str
    networks: tuple[tuple[str, str], ...]
    in_policies: bool
    endpoint: str | None
    by_command: bool

    @classmethod
    def of(cls, site: Site, access: Access) -> Place:
        project = site.network.project or ""
        section = site.network
        named = [*section.networks.values(), *(t.network for t in section.tiers.values())]
        found = [network_parts(text, project) for text in (*named, section.id) if text]
        file = site.provider.endpoints
        endpoint = access.endpoint_url or file.get("compute") or file.get("*")
        return cls(
            project,
            site.region,
            tuple(sorted(set(found))),
            site.options.gcp.rules == "network-policy",
            _server(endpoint) if endpoint else None,
            bool(access.endpoint_url),
        )

    @property
    def scope(self) -> str:
        return f"project {self.project} {self.region}"

    @property
    def projects(self) -> tuple[str, ...]:
        """The projects that the networks, and so their rules, are in."""
        return tuple(dict.fromkeys(project for project, _ in self.networks))


def _server(endpoint: str) -> str:
    """Terraform's custom endpoints end in the API's path, the client's do not."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else endpoint


def network_parts(network: str, project: str) -> tuple[str, str]:
    """The project and the name of a network that is written as a name, a path or a link."""
    found = _NETWORK.search(network)
    return (found[1], found[2]) if found else (project, network.rsplit("/", 1)[-1])


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers of one place. `aside_unread` concerns no audit.

    Rows of `EFFECTIVE` are policies, each with the `network` (project and name) that it is in
    force in.
    """

    place: Place
    parts: Mapping[Part, tuple[Row, ...]]
    audit_unread: tuple[Unread, ...] = ()
    aside_unread: tuple[Unread, ...] = field(default=())

    @property
    def scope(self) -> str:
        return self.place.scope

    @property
    def unread(self) -> tuple[Unread, ...]:
        return (*self.audit_unread, *self.aside_unread)

    def has(self, *parts: Part) -> bool:
        return all(part in self.parts for part in parts)

    def rows(self, part: Part) -> tuple[Row, ...]:
        """KeyError for a part that was not read."""
        return self.parts[part]
