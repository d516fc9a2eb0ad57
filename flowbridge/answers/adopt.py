"""`flowbridge adopt`."""

from __future__ import annotations

from typing import Literal

from flowbridge.answers.finding import Unread
from flowbridge.answers.part import Answer, Part


class Import(Part):
    """One import block."""

    to: str
    """The Terraform address."""
    id: str
    """The live id, as Terraform wants it."""
    why: str
    """By what it was found: name and tags, or its content."""


class Change(Part):
    """What Terraform would change in place."""

    address: str
    change: str


class Conflict(Part):
    """What would fail on something live that cannot be imported."""

    address: str
    why: str


class Adoption(Answer):
    """What exists already, and what an apply would do after the import."""

    holds: bool
    """Whether nothing is in the way."""
    scope: str
    output: str | None
    """The file that was written; null where none was."""
    imports: list[Import]
    creates: list[str]
    """Addresses for which nothing live stands."""
    changes: list[Change]
    destroys: list[str]
    """Foreign rules that the apply removes, with `exclusive` only."""
    state_only: list[str]
    """Addresses that are made in Terraform's state and nowhere else."""
    conflicts: list[Conflict]
    left: list[str]
    """Live things beside ours that Terraform will not know."""
    unread: list[Unread]
    """Always empty: with anything unread nothing is adopted."""


class NothingAdopted(Answer):
    """Not everything could be read, so that nothing is adopted."""

    holds: Literal[False]
    unread: list[Unread]


Adopt = Adoption | NothingAdopted
