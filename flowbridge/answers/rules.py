"""`flowbridge rules`: a list of rules."""

from __future__ import annotations

from typing import Literal

from flowbridge.answers.part import Part
from flowbridge.policy.point import Direction


class Rule(Part):
    """One emitted rule."""

    address: str
    """Its Terraform address."""
    stage: str
    """The kind of filter: `security-group`, `network-acl`, `nsg`, `vpc-firewall`, …"""
    scope: str
    """The interface (`expressway-e/external`) or the tier that it is for."""
    direction: Direction
    action: Literal["allow", "deny"]
    priority: int | None
    """Its number where the cloud orders rules, else null."""
    peer: str
    protocol: str
    source_ports: str
    destination_ports: str
    rows: list[str]
    """The documented rows that it carries; none for a rule that closes."""
    description: str
    """As it stands in the cloud."""
