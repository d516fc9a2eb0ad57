"""`flowbridge flows`: a list of flows by address; `flowbridge request` has the same records."""

from __future__ import annotations

from flowbridge.answers.part import Part
from flowbridge.policy.questions.flow_list import Side


class AddressedFlow(Part):
    """One flow in the direction of its first packet."""

    direction: Side
    """Seen from the place that `--at` names."""
    source: str
    source_addresses: list[str]
    source_but: list[str]
    """Networks that `source_addresses` leave out."""
    source_ports: list[str]
    destination: str
    destination_addresses: list[str]
    destination_but: list[str]
    """Networks that `destination_addresses` leave out."""
    destination_ports: list[str]
    protocol: str
    replies: str
    """What a firewall without state has to let back."""
    translated: list[str]
    """Addresses that a NAT on the way changes."""
    rows: list[str]
    citations: list[str]
    """Where the documents print the rows."""
    purpose_en: list[str]
    purpose_ja: list[str]


class Flow(AddressedFlow):
    """One flow of a site."""

    site: str
    managed: bool
    """Whether one of its ends has rules of this deployment."""
