"""What a document is held against besides its plan: all that is ours in one deployment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flowbridge.providers.terraform.attribute_table import AttributeTable


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is ours in one deployment.

    All in small letters. `cards` are ids and addresses of our machines' cards, `marks` what they
    are known by (a group's name, a network tag, an account), `places` the networks and subnets that
    others may share. `worn_at`: for each mark that a machine of ours wears (a group's Terraform
    address, a tag, an account), the addresses that may wear it.
    """

    table: AttributeTable
    site: str
    cards: frozenset[str]
    marks: frozenset[str]
    places: frozenset[str]
    worn_at: Mapping[str, frozenset[str]] = field(default_factory=dict)
