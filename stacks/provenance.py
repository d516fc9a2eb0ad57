"""Which code and which catalog an answer comes from."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

_CATALOG: Final = Path(__file__).parents[1] / "catalog" / "VERSION"


@cache
def code_version() -> str:
    """The version of the installed package; `0` where it is run from a folder alone."""
    try:
        return version("flowbridge")
    except PackageNotFoundError:
        return "0"


def provenance() -> dict[str, str]:
    """`{flowbridge, catalog}`: the versions of code and data."""
    return {"flowbridge": code_version(), "catalog": _CATALOG.read_text("utf-8").strip()}


def with_provenance(data: Any) -> Any:
    """An answer with the versions it comes from; a list stays a list, as programs read it."""
    if isinstance(data, dict) and "provenance" not in data:
        return {**data, "provenance": provenance()}
    return data


def version_line() -> str:
    """`flowbridge 0.1.0 (catalog 2.0.0)`."""
    here = provenance()
    return f"flowbridge {here['flowbridge']} (catalog {here['catalog']})"
