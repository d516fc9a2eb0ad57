"""The limits of Amazon VPC, from one sourced table (`quotas.yaml`), raised where a site says so."""

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
    """One limit. `key` is its name in the deployment file, empty where it cannot be raised."""

    limit: str
    value: int
    source: str
    maximum: int | None = None
    code: str = ""
    site: str = ""

    @property
    def remedy(self) -> str:
        """What a user can do about it, as the end of a sentence."""
        if not self.site:
            return "this limit cannot be raised"
        return (
            f"raise the quota ({self.code}, at most {self.maximum}) in the account and write it "
            f"as `quotas: {{{self.site}: N}}` in the deployment file"
        )


@dataclass(frozen=True, slots=True)
class Quotas:
    """All limits of one account."""

    rules_per_security_group: Quota
    security_groups_per_interface: Quota
    rules_times_groups: Quota
    network_acl_entries: Quota
    prefix_list_entries: Quota
    rule_description_length: Quota
    group_name_length: Quota
    tag_value_length: Quota

    @property
    def usable_acl_entries(self) -> int:
        """Entries per direction and family that are left beside the built-in deny."""
        return self.network_acl_entries.value - 1

    @property
    def groups(self) -> int:
        """Groups an interface can carry, by their own quota and by the product."""
        product = self.rules_times_groups.value // self.rules_per_security_group.value
        return min(self.security_groups_per_interface.value, product)


@cache
def default_quotas() -> Quotas:
    """The limits of an account that has raised none."""
    table = cast("dict[str, dict[str, Any]]", read_yaml(_TABLE).data)
    return Quotas(**{name: Quota(**entry) for name, entry in table.items()})


def quotas_for(raised: RaisedQuotas) -> Quotas:
    """The limits of an account with the `raised` values of its deployment file."""
    quotas = default_quotas()
    for name in Quotas.__dataclass_fields__:
        quota: Quota = getattr(quotas, name)
        value = getattr(raised, quota.site) if quota.site else None
        if value is not None:
            quotas = replace(quotas, **{name: replace(quota, value=value)})
    return quotas
