"""What a plan attaches a holder of rules to: subnets, networks, cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flowbridge.providers.terraform.blocks import Reference, resources


def attached_places(
    planned: Mapping[str, Any],
    kind: str,
    holder: str,
    place: str,
    spelled: Callable[[str], str] = str,
) -> dict[str, tuple[str, ...]]:
    """The places that each planned holder is for, by the holder's address.

    `kind` is the type of the resource that attaches, `holder` and `place` its attributes;
    `spelled` turns a place into how the cloud writes it.
    """
    found: dict[str, tuple[str, ...]] = {}
    for block in resources(planned, kind).values():
        reference = Reference.parse(block.get(holder))
        where = block.text(place)
        if reference is not None and where is not None:
            found[reference.address] = (*found.get(reference.address, ()), spelled(where))
    return found
