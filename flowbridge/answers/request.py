"""`flowbridge request`."""

from __future__ import annotations

from flowbridge.answers.flow_list import AddressedFlow
from flowbridge.answers.part import Answer, Part


class Version(Part):
    """One of the two files that are compared."""

    file: str
    site: str
    sha256: str
    """Of the file's bytes."""


class Request(Answer):
    """A change request: what to open and what to close, by address."""

    date: str
    """UTC, as 2026-11-27."""
    before: Version
    after: Version
    flowbridge: str
    """The version of the program."""
    catalog: str
    """The version of the catalog's data."""
    approver: str | None
    at: str | None
    """The party that `--at` names."""
    open: list[AddressedFlow]
    close: list[AddressedFlow]
    roll_back: str
    """The command that writes the request back."""
