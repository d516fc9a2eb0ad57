"""`flowbridge diff`."""

from __future__ import annotations

from typing import Literal

from flowbridge.answers.packets import At, Packets
from flowbridge.answers.part import Answer, Part


class ChangedFlow(At):
    """Packets of one peer that fare differently."""

    change: Literal["allowed", "refused"]
    """What becomes of them."""
    peer: str
    rows: list[str]
    """The rows that ask for them; none: excess of the cloud."""
    packets: Packets


class ChangedFeature(Part):
    """A feature that starts, stops or hangs on something else."""

    id: str
    service: str
    title: str
    before: str
    """Its answer in a rehearsal, or `not requested`."""
    after: str
    conditions: list[str]
    """What it hangs on now, or the first packet that is cut."""
    message: str


class RefusedSides(Part):
    """Why a side cannot be synthesized, whatever its packets are; empty where it can."""

    before: list[str]
    after: list[str]


class Diff(Answer):
    """Which packets become allowed or refused."""

    before: str
    """The file."""
    after: str
    """The file; the same one with `--set`."""
    set: dict[str, str]
    """What `--set` changes, by key."""
    changes: list[ChangedFlow]
    features: list[ChangedFeature]
    refused: RefusedSides
