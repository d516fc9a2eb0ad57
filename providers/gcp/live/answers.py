"""What the compute API answered for one place, as it spells it (`providers.live.answered`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from flowbridge.deployment.file.site import GcpSite, Site
from flowbridge.providers.live.answered import Answered
from flowbridge.providers.live.contract import Access

_NETWORK: Final = re.compile(r"(?:^|/)projects/([^/]+)/global/networks/([^/]+)$")


class Part(StrEnum):
    """One list that is read, named as a person counts it."""

    NETWORKS = "VPC networks"
    FIREWALLS = "firewall rules"
    EFFECTIVE = "effective firewall policies"
    POLICIES = "network firewall policies"
    INSTANCES = "instances"
    UNSEEN = "projects whose machines were not read"
    TAGS = "secure tags of instances"
    PROJECT = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
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
    acting_as: str | None = None

    @classmethod
    def of(cls, site: Site, access: Access) -> Place:
        options = GcpSite.of(site).options.gcp
        section = GcpSite.of(site).network
        project = section.project or ""
        named = [*section.networks.values(), *(t.network for t in section.tiers.values())]
        found = [network_parts(text, project) for text in (*named, section.id) if text]
        file = site.provider.endpoints
        endpoint = access.endpoint_url or file.get("compute") or file.get("*")
        return cls(
            project=project,
            region=site.region,
            networks=tuple(sorted(set(found))),
            in_policies=options.rules == "network-policy",
            endpoint=_server(endpoint) if endpoint else None,
            by_command=bool(access.endpoint_url),
            acting_as=GcpSite.of(site).provider.impersonate_service_account,
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


class Answers(Answered[Place, Part]):
    """All answers of one place.

    Rows of `EFFECTIVE` are policies, each with the `network` (project and name) that it is in
    force in.
    """

    __slots__ = ()
