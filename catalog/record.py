"""What the files of the catalog are made of: records, and entries by name.

Each validator is built when it is first used, so that a program pays for what it reads only.
"""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, RootModel

Content = TypeVar("Content")


class Record(BaseModel):
    """What every record of the catalog shares: unknown keys refused, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Entries(RootModel[Content]):
    """A file that holds nothing but its entries: `Entries[dict[str, Party]]`."""

    model_config = ConfigDict(frozen=True, defer_build=True)
