"""What is ours in a deployment, as a document names it (`providers.terraform.closed_world`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flowbridge.deployment.clouds.named_ids import named_networks, named_subnets
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy
from flowbridge.providers.terraform.attribute_table import attribute_table
from flowbridge.providers.terraform.blocks import is_expression
from flowbridge.providers.terraform.world import World

# Another name for each of our marks: the addresses of the machines that may wear it.
Worn = Mapping[str, frozenset[str]]


def world(table: Path, policy: Policy, site: Site, marks: Iterable[str], worn_at: Worn) -> World:
    """`marks`: names that our groups, policies and machines are known by in this cloud."""
    places = [*named_networks(site), *(text for _, text in named_subnets(site))]
    cards = [
        name
        for interface in policy.interfaces
        for member in interface.members
        for name in (member.attachment, *addresses(interface))
    ]
    return World(
        table=attribute_table(table),
        site=site.name,
        cards=_names(cards),
        marks=_names((*marks, *worn_at)),
        places=_names(places),
        worn_at=worn_at,
    )


def addresses(interface: Interface) -> tuple[str, ...]:
    """The addresses of single machines; of a fleet only its range is known."""
    return tuple(
        str(own.network_address)
        for own in (*interface.private, *interface.public)
        if own.prefixlen == own.max_prefixlen
    )


def private_addresses(interface: Interface) -> frozenset[str]:
    return frozenset(
        str(own.network_address) for own in interface.private if own.prefixlen == own.max_prefixlen
    )


def planned_names(plan: Mapping[str, Any], kinds: Iterable[str]) -> tuple[str, ...]:
    """The names that the plan gives to resources of `kinds`."""
    named = (plan.get("resource", {}).get(kind, {}) for kind in kinds)
    return tuple(body["name"] for bodies in named for body in bodies.values())


def _names(given: Iterable[str | None]) -> frozenset[str]:
    """In small letters; a path by itself and by its last part."""
    found: set[str] = set()
    for name in given:
        if name and not is_expression(name):
            found |= {name.lower(), name.rsplit("/", 1)[-1].lower()}
    return frozenset(found)
