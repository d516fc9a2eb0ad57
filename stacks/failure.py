"""What keeps a deployment from holding: a test of its file, the proof, a feature that is cut."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """`id` is one of `catalog/findings.yaml`, or a feature's, which a file may accept; `test` is
    the place in `tests`, from 0, of a test that fails."""

    id: str
    text: str
    test: int | None = None

    def __str__(self) -> str:
        return self.text
