"""The limits of Azure networking, from one sourced table (`quotas.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from flowbridge.deployment.file.account import AzureQuotas
from flowbridge.providers.limits import quotas as quota_table
from flowbridge.providers.limits.quotas import read_limits, with_stated

_TABLE: Final = Path(__file__).with_name("quotas.yaml")


Quota = quota_table.Quota[int]


@dataclass(frozen=True, slots=True, kw_only=True)
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
    tag_value_length: Quota


@cache
def default_quotas() -> Quotas:
    """The documented limits."""
    return read_limits(_TABLE, Quotas, quota_table.Quota)


def quotas_for(raised: AzureQuotas) -> Quotas:
    """The limits of a subscription with the `raised` values of its deployment file."""
    return with_stated(default_quotas(), raised)
