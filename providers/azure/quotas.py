"""The limits of Azure networking, from one sourced table (`quotas.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from catalog.located_yaml import read_yaml
from deployment.site import Quotas as RaisedQuotas

_TABLE: Final = Path(__file__).with_name("quotas.yaml")


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit. `site` is its name in the deployment file, empty where it has none."""

    limit: str
    value: int
    source: str
    site: str = ""


@dataclass(frozen=True, slots=True)
class Quotas:
    """All limits of one subscription."""

    nsg_rules: Quota
    nsg_addresses: Quota
    groups_per_nsg: Quota
    members_per_group: Quota
    lowest_priority: Quota
    highest_priority: Quota
    port_ranges_per_rule: Quota
    rule_name_length: Quota
    description_length: Quota


@cache
def default_quotas() -> Quotas:
    """The documented limits."""
    table = cast("dict[str, dict[str, Any]]", read_yaml(_TABLE).data)
    return Quotas(**{name: Quota(**entry) for name, entry in table.items()})


def quotas_for(raised: RaisedQuotas) -> Quotas:
    """The limits of a subscription with the `raised` values of its deployment file."""
    quotas = default_quotas()
    if raised.nsg_rules is None:
        return quotas
    return replace(quotas, nsg_rules=replace(quotas.nsg_rules, value=raised.nsg_rules))
