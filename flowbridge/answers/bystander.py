"""Who else stands in the subnets of a deployment, in the answers of `audit` and `check --live`."""

from __future__ import annotations

from flowbridge.answers.packets import Packets
from flowbridge.answers.part import Json, Part
from flowbridge.policy.point import Direction


class CutNeed(Part):
    """What somebody needs and does not get any more."""

    what: str
    packets: str


class Bystander(Part):
    """Somebody whose packets the filter of a subnet of ours decides as well."""

    kind: str
    id: str
    """The live id."""
    text: str
    subnet: str
    addresses: list[str]
    tier: str
    filter: str
    """What decides for it after the apply."""
    spared: str
    """Why nothing of it is filtered there; empty where it is."""
    unseen: str
    """Why nothing is known of it but that it may be there; empty where it was read."""
    compared: bool
    """Whether what is in force now was read."""
    loses: dict[Direction, Packets]
    """By direction: those that it lets in, those that it sends."""
    keeps: dict[Direction, int]
    """How many packets."""
    cut: list[CutNeed]
    source: str
    """What says that it needs them."""
    advice: str
    systems: dict[str, Json]
    """What to add to `systems`, so that it keeps what it needs; empty where nothing is cut."""
    overlay: dict[str, Json]
    """The overlay that goes with it."""
