"""Names that two deployments of one run would both give in one place of one cloud.

The emitted names are made so that this does not happen (docs/decisions/0006-names.md); here every
name of what was emitted is looked at, whoever made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from flowbridge.catalog.reading.located_yaml import Problem
from flowbridge.providers.provider import TerraformJson

# Where a name has to be the only one of its kind, by what of a resource says the place: its own
# attributes and those of the provider. Names of other resources need not differ.
PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "aws_security_group": ("region", "vpc_id"),
    "aws_lb": ("region",),
    "aws_lb_target_group": ("region",),
    "azurerm_network_security_group": ("subscription_id", "resource_group_name"),
    "azurerm_application_security_group": ("subscription_id", "resource_group_name"),
    "azurerm_lb": ("subscription_id", "resource_group_name"),
    "azurerm_public_ip": ("subscription_id", "resource_group_name"),
    "google_compute_firewall": ("project",),
    "google_compute_network_firewall_policy_with_rules": ("project",),
    "google_compute_global_address": ("project",),
    "google_compute_backend_service": ("project",),
    "google_compute_health_check": ("project",),
    "google_compute_target_tcp_proxy": ("project",),
    "google_compute_global_forwarding_rule": ("project",),
    "google_tags_tag_key": ("parent",),
}
_FOLDED: Final = "azurerm_"
"""Resources whose names Azure compares without regard to case."""

Name = tuple[str, tuple[str, ...], str]
"""Kind, place and name: two of one are one thing."""


def names_of(document: TerraformJson) -> Iterator[Name]:
    """Every name of a document that has to be the only one of its kind in its place.

    A network tag of Google Cloud is one too: it reaches every machine of the project that has it.
    """
    provider: dict[str, Any] = {}
    for blocks in document.get("provider", {}).values():
        for block in blocks if isinstance(blocks, list) else [blocks]:
            provider.update(block)
    for kind, bodies in document.get("resource", {}).items():
        for body in bodies.values():
            place = tuple(str(body.get(key, provider.get(key, ""))) for key in PLACES.get(kind, ()))
            name = body.get("name") or body.get("short_name")
            if kind in PLACES and isinstance(name, str):
                yield (
                    _folded(kind, place, name) if kind.startswith(_FOLDED) else (kind, place, name)
                )
            for tag in body.get("target_tags", ()):
                yield "network tag", place, tag


def _folded(kind: str, place: tuple[str, ...], name: str) -> Name:
    return kind, tuple(part.casefold() for part in place), name.casefold()


def taken_names(documents: Iterable[tuple[str, TerraformJson]]) -> Iterator[Problem]:
    """A problem of the later file for each name that an earlier one gives in the same place."""
    owners: dict[Name, str] = {}
    for file, document in documents:
        for kind, place, name in dict.fromkeys(names_of(document)):
            owner = owners.setdefault((kind, place, name), file)
            if owner != file:
                where = ", ".join(part for part in place if part)
                message = (
                    f"{owner} makes the {kind} {name} in {where} too: each would change what the "
                    "other has; rename one of the two deployments, or its tier"
                )
                yield Problem(file, None, "name", message)
