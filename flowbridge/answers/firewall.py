"""`flowbridge firewall`: the configuration of firewalls on the way, and one held against it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flowbridge.answers.part import Answer, Part


class Term(Part):
    """A rule of the firewall."""

    name: str
    action: Literal["allow", "deny"]
    source: str = Field(alias="from")
    """The zone."""
    destination: str = Field(alias="to")
    rows: list[str]


class RefusedTerm(Part):
    """A rule that the kind of firewall cannot have."""

    why: str
    rows: list[str]


class Set(Part):
    """Packets from one zone to another."""

    source: str = Field(alias="from")
    destination: str = Field(alias="to")
    packets: int
    """How many."""
    example: str


class Configuration(Part):
    """What one firewall has to let through."""

    name: str
    kind: str
    holds: bool
    written: str | None
    """The file; null where none was written."""
    terms: list[Term]
    """In the order of the rules."""
    refused: list[RefusedTerm]
    untold: list[str]
    """Flows of which it cannot be told whether they pass it."""
    elsewhere: list[str]
    """Flows that do not pass it."""
    excess: list[Set]
    """What passes and no flow asks for, because the kind cannot say less."""
    missing: list[Set]
    unexplained: list[Set]
    beside: list[str]
    """What is to be configured besides the rules."""
    configuration: str
    """The text for the firewall."""


class Configured(Answer):
    """The configuration of each firewall."""

    holds: bool
    firewalls: list[Configuration]


class Compared(Answer):
    """With `--compare`: what a configuration of somebody's own lets through."""

    holds: bool
    refused: str | None
    """A packet that is asked for and does not pass."""
    let_in: str | None
    """A packet that passes and nobody asks for."""


Firewall = Configured | Compared
