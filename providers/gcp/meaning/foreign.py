"""Estates of others in Google Cloud: which tags and accounts the machines of a deployment have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

from flowbridge.deployment.file.site import GcpSite, Site
from flowbridge.deployment.interface import Interface, Network
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.gcp.markers import target_tag
from flowbridge.providers.gcp.meaning.filters import enforcement
from flowbridge.providers.gcp.meaning.networks import Networks
from flowbridge.providers.gcp.meaning.targets import Machines, Targets
from flowbridge.providers.meaning.foreign import (
    Foreign,
    Found,
    Thing,
    Wearing,
    Worn,
    above,
    named_by,
    names_of,
    plain_name,
    read_rest,
    renamed,
    things,
    unlisted,
    unresolved,
)
from flowbridge.providers.meaning.rule_side import RuleSide
from flowbridge.providers.terraform.address import TerraformAddress
from flowbridge.providers.terraform.attribute_table import attribute_table
from flowbridge.providers.terraform.blocks import is_expression
from flowbridge.providers.terraform.shown.document import FlatDocument

_TABLE: Final = Path(__file__).with_name("attributes.yaml")
_MACHINE: Final = "google_compute_instance"
_RULE: Final = "google_compute_firewall"
_TARGETS: Final = ("target_tags", "target_service_accounts")


@dataclass(frozen=True, slots=True)
class _Machine:
    """An instance: its addresses, and the tags and accounts that it has."""

    thing: Thing
    addresses: tuple[Network, ...]
    marks: tuple[str, ...]


class _KnownTargets(Targets):
    """All machines of the deployment and their tags are known, so that a target which is none of
    these is for machines of others."""

    def reached(
        self, kinds: Iterable[tuple[str, Machines, Iterable[str]]]
    ) -> tuple[frozenset[str] | None, RuleSide]:
        return Targets.reached(
            self, ((kind, _or_nobody(machines), values) for kind, machines, values in kinds)
        )


def _or_nobody(machines: Machines) -> Machines:
    def of(value: str) -> tuple[Interface, ...] | None:
        found = machines(value)
        return () if found is None and not is_expression(value) else found

    return of


def foreign(
    flat: FlatDocument,
    prior: FlatDocument,  # noqa: ARG001 - no resource of Google Cloud repeats another here
    policy: Policy,
    site: Site,
    wearing: Wearing,
) -> Foreign:
    """See `providers.provider.Provider.foreign`."""
    return _Estate(flat, policy, site, wearing).judged()


@dataclass
class _Estate:
    flat: FlatDocument
    policy: Policy
    site: Site
    wearing: Wearing
    untold: list[Unknown] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.machines = tuple(self._machines())
        self.marks = frozenset(self._marks_of_rules())

    def judged(self) -> Foreign:
        worn: dict[str, Worn] = {}
        marks: dict[str, tuple[str, ...]] = {}
        for interface in self.policy.interfaces:
            found = self._worn(interface)
            if found is not None:
                worn[interface.key], marks[interface.key] = found
        placed = tuple(each for each in self.policy.interfaces if each.key in worn)
        known = replace(self.policy, interfaces=placed)
        # A tag and an account belong to the whole machine, and so to all of its cards.
        of_mark: dict[str, tuple[Interface, ...]] = {}
        for interface in placed:
            for mark in marks[interface.key]:
                machine = [card for card in placed if card.workload == interface.workload]
                of_mark[mark] = tuple(dict.fromkeys((*of_mark.get(mark, ()), *machine)))
        document: dict[str, Any] = {
            "resource": {
                kind: dict(named) for kind, named in self.flat.document["resource"].items()
            }
        }
        self._only_for(document, of_mark)

        def read(rest: Mapping[str, Any]) -> Enforcement:
            networks = Networks.read(rest, self.site)
            of = Targets.read(rest, known, self.site, networks)
            targets = _KnownTargets(
                tags={m: cards for m, cards in of_mark.items() if "@" not in m},
                accounts={m: cards for m, cards in of_mark.items() if "@" in m},
                hosts=of.hosts,
                networks=networks,
                tag_values=of.tag_values,
                tag_keys=of.tag_keys,
            )
            return enforcement(rest, known, self.site, targets=targets)

        result, left_out = read_rest(document, read)
        self.untold += left_out
        names = {rule.name for filters in result.values() for s in filters for rule in s.rules}
        relevant = [name for name in names if TerraformAddress(name).kind == _RULE]
        self.untold += unlisted(self.flat, sorted(relevant), attribute_table(_TABLE))
        self.untold += above(self.flat, attribute_table(_TABLE))
        owners = ("network", "firewall_policy", "attachment_target")
        here = document["resource"]
        self.untold += unresolved(
            (
                each
                for each in self.flat.unresolved
                if each.attribute in owners
                and each.flat.kind in attribute_table(_TABLE).resources
                and each.flat.name in here.get(each.flat.kind, {})
            ),
            (),
        )
        real = self.flat.names.real
        # A rule for every machine of the network is for ours too, whoever else is there.
        plain = {
            point: tuple(
                replace(s, unknown=tuple(u for u in s.unknown if u.why is not Why.EVERY_MACHINE))
                for s in filters
            )
            for point, filters in result.items()
        }
        told = (Unknown(real(u.rule), real(u.what), u.why) for u in dict.fromkeys(self.untold))
        assumed = ["no firewall policy of an organisation or folder refuses or opens more"]
        return Foreign(renamed(plain, real), worn, tuple(told), tuple(assumed))

    # --- who has which tag ---------------------------------------------------------------------

    def _machines(self) -> Iterator[_Machine]:
        for thing in things(self.flat, (_MACHINE,)):
            body = self.flat.of(_MACHINE)[thing.address]
            addresses = [
                ip_network(text)
                for card in body.get("network_interface") or ()
                if isinstance(text := card.get("network_ip"), str) and text and "$" not in text
            ]
            accounts = [
                str(account["email"])
                for account in body.get("service_account") or ()
                if account.get("email")
            ]
            tags = body.get("tags") or ()
            marks = (*((tags,) if isinstance(tags, str) else tags), *accounts)
            yield _Machine(thing, tuple(addresses), tuple(map(str, marks)))

    def _marks_of_rules(self) -> Iterator[str]:
        for body in (*self.flat.of(_RULE).values(), *self._policy_rules()):
            for key in (*_TARGETS, "source_tags", "source_service_accounts"):
                for value in body.get(key) or ():
                    yield str(value)
        for body in self.flat.of("google_tags_tag_value").values():
            yield str(body.get("short_name"))

    def _policy_rules(self) -> Iterator[Mapping[str, Any]]:
        for scope in ("", "_region"):
            kind = f"google_compute{scope}_network_firewall_policy"
            yield from self.flat.of(f"{kind}_rule").values()
            for body in self.flat.of(f"{kind}_with_rules").values():
                yield from (rule for rule in body.get("rule") or () if isinstance(rule, Mapping))

    def _worn(self, interface: Interface) -> tuple[Worn, tuple[str, ...]] | None:
        given = self.wearing.interfaces.get(interface.key)
        if given is not None:
            marks: list[str] = []
            shown: list[str] = []
            for name in given:
                thing = named_by(
                    name, f"interfaces.{interface.key}", [m.thing for m in self.machines]
                )
                machine = next((m for m in self.machines if m.thing == thing), None)
                marks += machine.marks if machine else [name]
                shown.append(machine.thing.real if machine else name)
            return Worn(Found.MAPPING, tuple(shown)), tuple(marks)
        own = target_tag(self.site.name, interface.workload, interface.name)
        account = GcpSite.of(self.site).options.gcp.service_accounts.get(interface.workload)
        named = tuple(mark for mark in (own, account) if mark in self.marks)
        if named:
            return Worn(Found.TAGS, named), named
        found = [
            (member, machine)
            for member in interface.members
            for machine in self.machines
            if (
                member.attachment is not None
                and member.attachment.rsplit("/", 1)[-1].lower() in machine.thing.names
            )
            or (member.attachment is None and set(member.private) & set(machine.addresses))
        ]
        if found:
            for member in interface.members:
                if member not in [each for each, _ in found]:
                    what = f"the machine of {member.name} is not in this plan"
                    self.untold.append(Unknown(interface.key, what, Why.MEANING))
            how = Found.CARD if found[0][0].attachment else Found.ADDRESS
            return self._of_machines(interface, how, [machine for _, machine in found])
        names = names_of(interface, self.policy, self.site.name)
        called = [m for m in self.machines if names & set(map(plain_name, m.thing.names))]
        if called:
            return self._of_machines(interface, Found.NAME, called)
        tags = sorted(mark for mark in self.marks if mark in names)
        if tags:
            return Worn(Found.NAME, tuple(tags)), tuple(tags)
        what = "which tags its machines have is not known: say it in a mapping file (`interfaces`)"
        self.untold.append(Unknown(interface.key, what, Why.MEANING))
        return None

    def _of_machines(
        self, interface: Interface, how: Found, machines: list[_Machine]
    ) -> tuple[Worn, tuple[str, ...]]:
        marks = [set(each.marks) for each in machines]
        if any(each != marks[0] for each in marks):
            what = "its machines have different tags, and only those that all have are judged"
            self.untold.append(Unknown(interface.key, what, Why.MEANING))
        shared = set.intersection(*marks)
        if any(is_expression(mark) for each in marks for mark in each):
            what = "a tag or an account of its machines is known only after the apply"
            self.untold.append(Unknown(interface.key, what, Why.MEANING))
        worn = Worn(how, tuple(each.thing.real for each in machines))
        return worn, tuple(sorted(shared))

    def _only_for(self, document: dict[str, Any], ours: Mapping[str, object]) -> None:
        """Takes rules out of `document` whose targets are machines of others."""
        left = {}
        for name, body in document["resource"].get(_RULE, {}).items():
            targets = [str(value) for key in _TARGETS for value in body.get(key) or ()]
            if not targets or any(t in ours or is_expression(t) for t in targets):
                left[name] = body
        document["resource"][_RULE] = left
