"""What any command answers to bad input, with exit code 2."""

from __future__ import annotations

from typing import Literal

from flowbridge.answers.part import Answer, Part


class Problem(Part):
    """One thing that cannot be used as it is written."""

    file: str | None
    """The file; null where it is about the command line."""
    line: int | None
    """The line in it, from 1; null where it is about the whole file."""
    key: str
    """The key with those around it (`options.turn.port`); empty where there is none."""
    message: str
    """What is wrong and what to write instead."""


class Refusal(Answer):
    """The input cannot be used; nothing was done."""

    holds: Literal[False]
    problems: list[Problem]
