"""Which interfaces a rule's target is, and which addresses a source stands for.

A network tag, a secure tag or a service account belongs to a machine and reaches every interface
of it (see `markers`). As a source it stands for the primary interface of those machines alone,
in the rule's own network (compute API, Firewall.sourceTags). Where a workload has several
interfaces, `external` is the primary one: it holds the default route. A secure tag is only good
in the network that its key is made for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.deployment.file.site import GcpSite, Site
from flowbridge.deployment.interface import Interface, Network
from flowbridge.policy.compiled import Policy
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.gcp.markers import target_tag
from flowbridge.providers.gcp.meaning.networks import NetworkName, Networks
from flowbridge.providers.meaning.rule_side import RuleSide
from flowbridge.providers.terraform.blocks import Block, refer, resources

PRIMARY = "external"
SECURE_TAG = "secure tag"

# The interfaces of the machines with a tag or an account; None where it is not one of ours.
Machines = Callable[[str], tuple[Interface, ...] | None]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Of a live cloud: where machines may be that were not read.

    `unseen` are networks that other projects use, `peered` networks with a peering in force, over
    which secure tags reach. Everywhere else a tag that no machine has stands for nobody.
    """

    unseen: frozenset[NetworkName]
    peered: frozenset[NetworkName]

    def may_hold(self, kind: str, here: NetworkName) -> bool:
        """Whether machines with a source of `kind` may be where none were read."""
        return here in self.unseen or (kind == SECURE_TAG and here in self.peered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """By tag, by account and by host name: what the deployment says of each."""

    tags: Mapping[str, tuple[Interface, ...]]
    accounts: Mapping[str, tuple[Interface, ...]]
    hosts: Mapping[str, tuple[Network, ...]]
    networks: Networks
    tag_values: Mapping[str, Block]
    tag_keys: Mapping[str, Block]
    elsewhere: Elsewhere | None = None  # None: a file, which knows the machines of its site alone

    @classmethod
    def read(
        cls, terraform: Mapping[str, Any], policy: Policy, site: Site, networks: Networks
    ) -> Targets:
        tags: dict[str, tuple[Interface, ...]] = {}
        accounts: dict[str, tuple[Interface, ...]] = {}
        for interface in policy.interfaces:
            workload = interface.workload
            machine = tuple(other for other in policy.interfaces if other.workload == workload)
            tags[target_tag(site.name, workload, interface.name)] = machine
        own_accounts = GcpSite.of(site).options.gcp.service_accounts
        for workload, account in sorted(own_accounts.items()):
            machine = tuple(card for card in policy.interfaces if card.workload == workload)
            accounts[account] = (*accounts.get(account, ()), *machine)
        return cls(
            tags=tags,
            accounts=accounts,
            hosts=_hosts(policy),
            networks=networks,
            tag_values=resources(terraform, "google_tags_tag_value"),
            tag_keys=resources(terraform, "google_tags_tag_key"),
        )

    def secure_tag(self, value: str, here: NetworkName, asking: Block) -> str:
        """The short name of a secure tag of this file that is good in `here`, else `value`."""
        known = refer(value, self.tag_values, asking, "name")
        if known is None:
            return value
        block = self.tag_values[known]
        key = refer(block.get("parent"), self.tag_keys, block, "parent")
        if key is not None:
            [made_for] = self.tag_keys[key].blocks("purpose_data") or [self.tag_keys[key]]
            if made_for.has("network") and not self.networks.named(made_for, "network").means(here):
                return f"{value} of another network"
        return block.literal("short_name") or value

    def reached(
        self, kinds: Iterable[tuple[str, Machines, Iterable[str]]]
    ) -> tuple[frozenset[str] | None, RuleSide]:
        """The interfaces (keys) that a rule with these targets is for; None: every one.

        The second part says which targets are not known.
        """
        keys: set[str] = set()
        unknown: list[Unknown] = []
        given = False
        for kind, machines, values in kinds:
            for value in values:
                given = True
                found = machines(value)
                if found is None and self.elsewhere is None:
                    what = f"the machines with target {kind} {value}"
                    unknown.append(Unknown("", what, Why.TARGETS))
                keys.update(interface.key for interface in found or ())
        return frozenset(keys) if given else None, RuleSide(unknown=tuple(unknown))

    def as_source(
        self, kind: str, machines: Machines, values: Iterable[str], here: NetworkName
    ) -> RuleSide:
        """The addresses that tags or accounts stand for as a source in the network `here`."""
        found: list[Network] = []
        unknown: list[Unknown] = []
        for value in values:
            cards = machines(value)
            if self.elsewhere is not None and self.elsewhere.may_hold(kind, here):
                what = f"the machines with {kind} {value} in other projects and networks"
                unknown.append(Unknown("", what, Why.PEERS))
            elif self.elsewhere is None and cards is None:
                unknown.append(Unknown("", f"the machines with {kind} {value}", Why.PEERS))
            cards = cards or ()
            for workload in dict.fromkeys(card.workload for card in cards):
                own = [card for card in cards if card.workload == workload]
                primary = next((card for card in own if card.name == PRIMARY), own[0])
                if self.networks.of(primary).means(here):
                    found.extend(primary.private)
        return RuleSide(tuple(found), unknown=tuple(unknown))


def _hosts(policy: Policy) -> dict[str, tuple[Network, ...]]:
    """The addresses that the deployment gives for host names."""
    found: dict[str, tuple[Network, ...]] = {}
    for demands in policy.demands.values():
        for demand in demands:
            for name in demand.peer.host_names:
                known = found.get(name.lower(), ())
                found[name.lower()] = tuple(dict.fromkeys((*known, *demand.peer.addresses)))
    return found
