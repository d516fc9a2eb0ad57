"""Names of the formats for pipelines; what writes them is loaded when one is asked for."""

from __future__ import annotations

from typing import Final

FORMATS: Final = ("sarif", "junit", "github", "gitlab", "md")
