"""`flowbridge exposure`, with and without `--from`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flowbridge.answers.part import Answer, Part

Risk = Literal["management", "unasked", "wide", "service"]
"""The gravest first; `unasked`: no row asks for it; `wide`: at least 1,000 ports."""

Gravity = Literal["management", "unasked-inside", "unasked", "inside", "internet"]
"""The gravest first; `inside`: a host that is not the internet's."""


class Exposed(Part):
    """Ports of an interface that the internet reaches, for one reason."""

    interface: str
    protocol: str
    ports: list[str]
    port_count: int
    risk: Risk
    """The gravest kind that is among them."""
    rows: list[str]
    """The rows that ask for it; none: excess of the cloud."""
    purposes: list[str]
    """What the rows are for."""
    whole_internet: bool
    """Whether the whole internet is let in, or a part of it."""
    reachable: bool
    """Whether the interface has a public address."""


class Redundant(Part):
    """A rule whose packets others let through as well."""

    rule: str
    filter: str
    points: list[str]
    """Where it is in effect."""
    covered_by: list[str]
    """The rules that cover it; none: what happens without any rule."""
    removable: bool
    """Whether all such rules may go at once; else only as long as some of the others are kept."""


class Live(Part):
    """With `--live`: what of the filters in force cannot be told, a sentence each."""

    not_told: list[str]


class Exposure(Answer):
    """What the internet reaches, riskiest first."""

    exposure: list[Exposed]
    redundant: list[Redundant]
    live: Live | None = None


class Reached(Part):
    """Ports of a target that whoever holds a workload reaches from one of its interfaces."""

    interface: str
    target: str
    protocol: str
    ports: list[str]
    port_count: int
    risk: Gravity
    rows: list[str]
    purposes: list[str]


class Outreach(Answer):
    """With `--from`: what that workload or interface reaches."""

    source: str = Field(alias="from")
    reaches: list[Reached]
    live: Live | None = None
