"""What every model of an answer has in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

Json = Any
"""A value that this contract says no more of than that it is JSON."""


class Part(BaseModel):
    """A record of an answer. A key that it does not name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Provenance(Part):
    """Which code and which catalog an answer comes from."""

    flowbridge: str
    """The version of the program."""
    catalog: str
    """The version of the catalog's data."""


class Answer(Part):
    """A whole answer that is an object; those that are lists have no provenance."""

    provenance: Provenance


class Bilingual(Part):
    """A text in English, and in Japanese where the document prints it."""

    en: str
    ja: str | None
