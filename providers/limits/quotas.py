"""The limits of a cloud: one sourced YAML table each, with the values that a site states."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from flowbridge.catalog.reading.kept_yaml import read_kept

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import DataclassInstance

    from flowbridge.deployment.file.account import Quotas as Stated

Value = TypeVar("Value", bound="int | None")
Limits = TypeVar("Limits", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Quota(Generic[Value]):
    """One limit. `site` is its key in the deployment file, empty where it cannot be stated there.

    `value` is None where a cloud publishes no default.
    """

    limit: str
    value: Value
    source: str
    site: str = ""


def read_limits(table: Path, limits: type[Limits], quota: type[Quota[Any]]) -> Limits:
    """Every entry of `table` as a `quota`, by its name in `limits`."""
    entries = cast("dict[str, dict[str, Any]]", read_kept(table))
    return limits(**{name: quota(**entry) for name, entry in entries.items()})


def with_stated(limits: Limits, stated: Stated) -> Limits:
    """`limits` with the values that a deployment file states."""
    for field in fields(limits):
        quota: Quota[Any] = getattr(limits, field.name)
        value = getattr(stated, quota.site) if quota.site else None
        if value is not None:
            limits = replace(limits, **{field.name: replace(quota, value=value)})
    return limits
