"""Which machines a rule is for: by network tag, by secure tag, or by service account.

A tag or an account belongs to a machine with all its interfaces; the rule's network tells which
of them is meant, since each is in a network of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from flowbridge.deployment.file.site import GcpSite, Site
from flowbridge.deployment.interface import Interface
from flowbridge.providers.gcp.markers import target_tag


class TargetKind(StrEnum):
    NETWORK_TAG = "network tag"
    SECURE_TAG = "secure tag"
    SERVICE_ACCOUNT = "service account"


@dataclass(frozen=True, slots=True)
class Target:
    """`value` is the tag (for a secure tag its short name) or the account's e-mail address."""

    kind: TargetKind
    value: str


def targets_of(site: Site, interfaces: Iterable[Interface]) -> Mapping[str, Target]:
    """The target of each interface, by its key."""
    gcp = GcpSite.of(site).options.gcp
    tags = TargetKind.SECURE_TAG if gcp.rules == "network-policy" else TargetKind.NETWORK_TAG
    found: dict[str, Target] = {}
    for interface in interfaces:
        account = gcp.service_accounts.get(interface.workload)
        tag = target_tag(site.name, interface.workload, interface.name)
        found[interface.key] = (
            Target(TargetKind.SERVICE_ACCOUNT, account) if account else Target(tags, tag)
        )
    return found
