"""`flowbridge init`, `flowbridge report` and `flowbridge synth`: what was written."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flowbridge.answers.part import Answer, Part
from flowbridge.deployment.file.site import Cloud


class Init(Answer):
    """The first deployment file."""

    written: str | None
    """The file; null with `-o -`."""
    content: str | None = None
    """With `-o -`: the text itself."""


class Report(Answer):
    """The page."""

    written: str | None
    """The file; null with `-o -`."""
    holds: bool
    """Whether the deployment does."""
    content: str | None = None
    """With `-o -`: the page itself."""


class SynthesizedDeployment(Part):
    """One deployment file."""

    file: str
    name: str
    cloud: Cloud
    holds: bool
    failures: list[str]


class Synth(Answer):
    """The Terraform JSON that was written; nothing where one of the files does not hold."""

    holds: bool
    form: Literal["stack", "module"] = Field(alias="as")
    written: list[str]
    deployments: list[SynthesizedDeployment]
