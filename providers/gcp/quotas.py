"""The limits of Google Cloud firewalls, from one sourced table (`quotas.yaml`).

Quotas belong to a project and many are not published; the deployment file states them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from catalog.located_yaml import read_yaml
from deployment.site import Quotas as RaisedQuotas
from providers.provider import Usage

_TABLE: Final = Path(__file__).with_name("quotas.yaml")


@dataclass(frozen=True, slots=True)
class Quota:
    """One limit. `site` is its key in the deployment file, empty where it is fixed.

    `value` None: a limit that Google publishes no default for.
    """

    limit: str
    value: int | None
    source: str
    site: str = ""

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


@dataclass(frozen=True, slots=True)
class Quotas:
    """All limits of one project."""

    firewall_rules: Quota
    ranges_per_rule: Quota
    ranges_per_policy_rule: Quota
    ports_per_protocol: Quota
    host_names_per_rule: Quota
    policy_tuples: Quota
    name_length: Quota


@cache
def default_quotas() -> Quotas:
    """The limits of a project whose quotas nobody has changed."""
    table = cast("dict[str, dict[str, Any]]", read_yaml(_TABLE).data)
    return Quotas(**{name: Quota(**entry) for name, entry in table.items()})


def quotas_for(stated: RaisedQuotas) -> Quotas:
    """The limits of a project with the values that its deployment file states."""
    quotas = default_quotas()
    for name in Quotas.__dataclass_fields__:
        quota: Quota = getattr(quotas, name)
        value = getattr(stated, quota.site) if quota.site else None
        if value is not None:
            quotas = replace(quotas, **{name: replace(quota, value=value)})
    return quotas
