"""What a live estate lets through for sure, and at best: between the two nothing can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flowbridge.policy.filter import Enforcement
from flowbridge.policy.point import Point


@dataclass(frozen=True, slots=True)
class Bounds:
    """`least` lets through what passes whatever was left open, `most` what may pass. Where they
    differ, `reasons` says in words what was not read, told or found at a point."""

    least: Enforcement
    most: Enforcement
    reasons: Mapping[Point, tuple[str, ...]]
