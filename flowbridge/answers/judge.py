"""`flowbridge judge`."""

from __future__ import annotations

from typing import Literal

from flowbridge.answers.audit import Opened, Refused
from flowbridge.answers.diff import ChangedFlow
from flowbridge.answers.packets import At, Packets
from flowbridge.answers.part import Answer, Part
from flowbridge.deployment.file.site import Cloud
from flowbridge.policy.unknown import Why


class Worn(Part):
    """What of the plan stands for an interface."""

    by: str
    """How it was found: the mapping, tags, cards, addresses or names."""
    what: list[str]


class Documented(At):
    """Packets of the documents that pass."""

    peer: str
    rows: list[str]
    packets: Packets


class Missing(Refused):
    """Packets of the documents that do not pass."""

    certain: bool
    """Whether nothing that cannot be told may let them pass after all."""


class Untold(Part):
    """What cannot be told from the plan."""

    where: str
    why: Why
    text: str


class Effect(ChangedFlow):
    """What the plan changes."""

    by: list[str]
    """The rules that do it; none: what the interface is attached to."""


class FeatureChange(Part):
    """A feature that the plan makes work, or stops."""

    id: str
    service: str
    title: str
    change: Literal["starts", "stops"]
    cuts: list[str]
    """What cuts it."""


class Judge(Answer):
    """A plan, a state or a configuration, in packets against the documents."""

    plan: str
    """The file that was judged."""
    deployment: str
    """The deployment file that says what the documents ask for."""
    name: str
    cloud: Cloud
    holds: bool
    worn: dict[str, Worn]
    """By interface."""
    open: list[Documented]
    missing: list[Missing]
    unintended: list[Opened]
    cannot_be_told: list[Untold]
    assumed: list[str]
    """What was taken for granted."""
    changes: list[Effect] | None = None
    """With `--changes`."""
    features: list[FeatureChange] | None = None
    """With `--changes`; null where it cannot be told."""
