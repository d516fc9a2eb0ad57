"""Managed prefix lists: one named set of CIDRs in place of as many rules.

A list takes as much of the rule quota as it has entries, so it never saves quota. What it saves
is resources: n CIDRs in r rules are n times r rules without a list and r rules and one list with
it. Whether a set becomes a list depends on the set alone, never on who else uses it, so that a
new flow does not rewrite the rules of another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flowbridge.deployment.interface import Network
from flowbridge.providers.aws.quotas import Quotas
from flowbridge.providers.terraform.content_names import content_hash, terraform_name

# Below this a reader is served better by plain CIDRs in the rules themselves.
PAYS_FROM: Final = 10


@dataclass(frozen=True, slots=True)
class PrefixList:
    """A set of CIDRs of one family; its name is made from them."""

    networks: tuple[Network, ...]

    @property
    def family(self) -> int:
        return self.networks[0].version

    @property
    def name(self) -> str:
        return terraform_name("cidrs", f"v{self.family}", content_hash(*self.networks))


def pays(networks: tuple[Network, ...], quotas: Quotas) -> bool:
    """Whether `networks` (one family, collapsed) are better one list than single rules.

    Not where the list weighs more than half a group: whole lists cannot be split over groups.
    """
    room = min(quotas.rules_per_security_group.value // 2, quotas.prefix_list_entries.value)
    return PAYS_FROM <= len(networks) <= room
