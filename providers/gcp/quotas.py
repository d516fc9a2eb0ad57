"""The limits of Google Cloud firewalls, from one sourced table (`quotas.yaml`).

Quotas belong to a project and many are not published; the deployment file states them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from flowbridge.deployment.file.account import GcpQuotas
from flowbridge.providers.limits import quotas as quota_table
from flowbridge.providers.limits.quotas import read_limits, with_stated
from flowbridge.providers.provider import Usage

_TABLE: Final = Path(__file__).with_name("quotas.yaml")


@dataclass(frozen=True, slots=True)
class Quota(quota_table.Quota["int | None"]):
    """Many limits have no published default."""

    @property
    def remedy(self) -> str:
        """What a user can do about it, as the end of a sentence."""
        if not self.site:
            return "this limit is fixed"
        return (
            f"look up the quota of the project, have it raised where needed, and write it as "
            f"`quotas: {{{self.site}: N}}` in the deployment file"
        )

    def usage(self, scope: str, used: int) -> tuple[Usage, ...]:
        """How much of it is used; nothing where the limit is not known."""
        if self.value is None:
            return ()
        return (Usage(self.limit, scope, used, self.value, self.source),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """All limits of one project."""

    firewall_rules: Quota
    ranges_per_rule: Quota
    ranges_per_policy_rule: Quota
    ports_per_protocol: Quota
    host_names_per_rule: Quota
    policy_tuples: Quota
    name_length: Quota
    description_length: Quota
    tag_length: Quota


@cache
def default_quotas() -> Quotas:
    """The limits of a project whose quotas nobody has changed."""
    return read_limits(_TABLE, Quotas, Quota)


def quotas_for(stated: GcpQuotas) -> Quotas:
    """The limits of a project with the values that its deployment file states."""
    return with_stated(default_quotas(), stated)
