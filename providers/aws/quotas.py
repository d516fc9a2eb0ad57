"""The limits of Amazon VPC, from one sourced table (`quotas.yaml`), raised where a site says so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from flowbridge.deployment.file.account import AwsQuotas
from flowbridge.providers.limits import quotas as quota_table
from flowbridge.providers.limits.quotas import read_limits, with_stated

_TABLE: Final = Path(__file__).with_name("quotas.yaml")


@dataclass(frozen=True, slots=True)
class Quota(quota_table.Quota[int]):
    """`code` is that of Service Quotas, `maximum` how far AWS raises it."""

    maximum: int | None = None
    code: str = ""

    def raising(self, highest: int | None = None) -> str | None:
        """How to raise it, as a part of a sentence; None where it is as high as it can be.

        `highest`: how far it can be raised here, where that is less than AWS allows.
        """
        most = self.maximum if highest is None else highest
        if not self.site or (most is not None and self.value >= most):
            return None
        return (
            f"raise the quota ({self.code}, at most {most}) in the account and write it "
            f"as `quotas: {{{self.site}: N}}` in the deployment file"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """All limits of one account."""

    rules_per_security_group: Quota
    security_groups_per_interface: Quota
    rules_times_groups: Quota
    network_acl_entries: Quota
    prefix_list_entries: Quota
    rule_description_length: Quota
    tag_value_length: Quota
    groups_per_region: Quota
    acls_per_vpc: Quota

    @property
    def usable_acl_entries(self) -> int:
        """Entries per direction and family that are left beside the built-in deny."""
        return self.network_acl_entries.value - 1

    @property
    def groups(self) -> int:
        """Groups an interface can carry, by their own quota and by the product."""
        product = self.rules_times_groups.value // self.rules_per_security_group.value
        return min(self.security_groups_per_interface.value, product)

    @property
    def highest_rules(self) -> int:
        """How far the rules of a group can be raised without one group less on an interface."""
        return self.rules_times_groups.value // self.groups


@cache
def default_quotas() -> Quotas:
    """The limits of an account that has raised none."""
    return read_limits(_TABLE, Quotas, Quota)


def quotas_for(raised: AwsQuotas) -> Quotas:
    """The limits of an account with the `raised` values of its deployment file."""
    return with_stated(default_quotas(), raised)
