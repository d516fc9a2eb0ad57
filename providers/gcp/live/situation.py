"""The live estate of a deployment in Google Cloud: its filters, its rules, and what departs.

Pure: made from the answers of one fetch. The meaning of rules is that of Terraform JSON
(`providers.gcp.meaning.filters`); see `live_terraform` and `live_placement`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from flowbridge.deployment.addresses import shown
from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Departure, Deviation, Estate, LiveRule, Unread
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, unknown_of
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.gcp.emit.network_policy import POLICY
from flowbridge.providers.gcp.emit.targets import TargetKind, targets_of
from flowbridge.providers.gcp.emit.vpc_rules import FIREWALL
from flowbridge.providers.gcp.live.answers import Answers, Part, Row, network_parts
from flowbridge.providers.gcp.live.as_terraform import (
    LiveDocument,
    firewalls,
    is_above,
    live_document,
    path_of,
    policies,
    policy_name,
    policy_rule_id,
)
from flowbridge.providers.gcp.live.faults import garbled
from flowbridge.providers.gcp.live.identity import Identity, identify, planned_policies
from flowbridge.providers.gcp.live.placement import (
    Placement,
    live_policy,
    live_site,
    live_targets,
    place,
)
from flowbridge.providers.gcp.markers import Marker
from flowbridge.providers.gcp.meaning.filters import enforcement
from flowbridge.providers.gcp.meaning.networks import Networks
from flowbridge.providers.live.addresses import listed, private_departures
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.providers.meaning.members import across_members
from flowbridge.providers.terraform.blocks import resources

_KIND: Final = "vpc-firewall"
_TOLD: Final = 12  # addresses that a note names
# The last priorities of a policy are rules that the API made; they leave all to the next stage.
_PREDEFINED: Final = 2147483644


def estate(
    answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any], access: Access
) -> Estate:
    """See `providers.live.contract.LiveReader.estate`.

    Without the networks, the rules or the machines nothing is judged: whom a rule is for is known
    from the machines' tags alone.
    """
    needed = [Part.NETWORKS, Part.FIREWALLS, Part.INSTANCES]
    needed += [Part.EFFECTIVE] if answers.place.in_policies else []
    tagged = any(unread.call.endswith("listEffectiveTags") for unread in answers.audit_unread)
    if not answers.has(*needed) or tagged:
        return _unjudged(answers)
    try:
        return _Reading.of(answers, policy, site, planned, access).estate()
    except ODD_SHAPE as error:
        # An answer of a shape that is not documented, or a rule that has no meaning.
        return _unjudged(answers, garbled(answers.scope, error))


def _unjudged(answers: Answers, *more: Unread) -> Estate:
    unread = (*answers.audit_unread, *more)
    return Estate(answers.scope, {}, {}, (), unread, managed=True, read=_counts(answers))


def _counts(answers: Answers) -> dict[str, int]:
    counts = {
        str(part): len(rows)
        for part, rows in answers.parts.items()
        if part not in (Part.PROJECT, Part.EFFECTIVE, Part.TAGS)
    }
    if answers.has(Part.EFFECTIVE):
        counts[str(Part.EFFECTIVE)] = len(list(policies(answers)))
    return counts


@dataclass(frozen=True, slots=True)
class _Reading:
    """Everything that the parts of an estate are made from."""

    answers: Answers
    policy: Policy
    site: Site
    planned: Mapping[str, Any]
    identity: Identity
    placement: Placement
    live: LiveDocument

    @classmethod
    def of(
        cls,
        answers: Answers,
        policy: Policy,
        site: Site,
        planned: Mapping[str, Any],
        access: Access,
    ) -> _Reading:
        return cls(
            answers,
            policy,
            site,
            planned,
            identify(answers, site, planned),
            place(answers, policy, site, access.placed),
            live_document(answers),
        )

    def estate(self) -> Estate:
        judged = self._enforcement()
        rules = {rule.id: rule for rule in (*self._rules(), *self._policy_rules())}
        unknown = unknown_of(judged)
        return Estate(
            scope=self.answers.scope,
            enforcement=judged,
            rules=rules,
            deviations=(*self._deviations(), *self._unresolved(unknown, rules)),
            unread=self.answers.audit_unread,
            managed=self.identity.managed,
            notes=tuple(self._notes()),
            read=_counts(self.answers),
        )

    def _enforcement(self) -> Enforcement:
        site = live_site(self.site, self.answers)
        networks = Networks.read(self.live.document, site)
        targets = live_targets(self.policy, self.site, self.placement, networks)
        found = enforcement(
            self.live.document,
            live_policy(self.policy, self.placement),
            site,
            targets=targets,
            above=self.live.above,
        )
        out: dict[Point, tuple[Filter, ...]] = {}
        for interface in self.policy.interfaces:
            cards = self.placement.judged(interface)
            for direction in Direction:
                point = Point(interface.key, direction)
                stages = [f for card in cards for f in found[Point(card.key, direction)]]
                if stages:
                    whole = across_members(stages, self.policy.intended(point))
                    out[point] = (self._named(whole),)
        return out

    def _named(self, stage: Filter) -> Filter:
        names = self.live.names
        rules = tuple(replace(r, name=names.get(r.name, r.name)) for r in stage.rules)
        unknown = tuple(each.of(self._live_name(each.rule)) for each in stage.unknown)
        return replace(stage, rules=rules, unknown=unknown)

    def _live_name(self, address: str) -> str:
        # Inside a rule of a policy, its `match` block may be named.
        return self.live.names.get(address.partition(".match")[0], address)

    def _rules(self) -> Iterator[LiveRule]:
        for row in firewalls(self.answers):
            name = str(row["name"])
            planned = self.identity.rules.get(name)
            yield LiveRule(
                name,
                path_of(network_parts(row["network"], row["project"])),
                ours=name in self.identity.ours,
                planned=planned,
                text=_rule_text(row),
                description=row.get("description") or "",
                was=None if planned else self.identity.named.get(name),
                made_for=self._made_for(row),
            )

    def _policy_rules(self) -> Iterator[LiveRule]:
        for policy in policies(self.answers):
            for rule in policy.get("rules") or ():
                if int(rule.get("priority", 0)) >= _PREDEFINED:
                    continue
                name = policy_rule_id(policy, rule)
                planned = self.identity.rules.get(name)
                yield LiveRule(
                    name,
                    policy_name(policy),
                    ours=name in self.identity.ours,
                    planned=planned,
                    text=_policy_text(policy, rule),
                    description=rule.get("description") or "",
                    was=None if planned else self.identity.named.get(name),
                    made_for=self._made_for(rule),
                )

    def _made_for(self, row: Row) -> str | None:
        marker = Marker.parse(row.get("description"))
        return marker.site if marker and marker.site != self.site.name else None

    def _deviations(self) -> Iterator[Deviation]:
        if self.identity.managed:
            yield from self._missing_policies()
            yield from self._targets_that_differ()
            yield from self._lost_markers()
        yield from self._cards_that_differ()
        for policy in policies(self.answers):
            deciding = [
                rule
                for rule in policy.get("rules") or ()
                if rule.get("action") != "goto_next" and not rule.get("disabled")
            ]
            if deciding and is_above(policy):
                yield Deviation(
                    Departure.OVERRIDDEN,
                    policy_name(policy),
                    f"{len(deciding)} rules of the policy {policy_name(policy)} decide before the "
                    f"rules of network {policy['network'][1]}; what they open or refuse is judged "
                    "with the rest",
                    drift=False,
                )

    def _missing_policies(self) -> Iterator[Deviation]:
        due = planned_policies(self.planned, self.answers.place.project)
        there = {row["name"] for row in self.answers.parts.get(Part.POLICIES, ())}
        for address, block in resources(self.planned, POLICY).items():
            if address in self.identity.policies:
                continue
            name, network = block.text("name"), due.get(address, ("", ""))[1]
            keys = tuple(
                key for key, where in self.placement.networks.items() if where == due.get(address)
            )
            if name in there:
                message = f"the firewall policy {name} is not in force in network {network}"
                yield Deviation(Departure.DETACHED, address, message, interfaces=keys)
            else:
                message = f"the firewall policy {name} does not exist"
                yield Deviation(Departure.HOLDER_MISSING, address, message, interfaces=keys)

    def _targets_that_differ(self) -> Iterator[Deviation]:
        for key, target in targets_of(self.site, self.policy.interfaces).items():
            if target.kind is TargetKind.SECURE_TAG:
                continue  # the packets tell
            own = {card.instance for _, card in self.placement.cards[key]}
            for card in self.placement.everyone:
                tagged = target.value in (
                    card.accounts if target.kind is TargetKind.SERVICE_ACCOUNT else card.tags
                )
                if card.instance in own and not tagged:
                    yield Deviation(
                        Departure.DETACHED,
                        card.instance,
                        f"the instance {card.instance} of {key} does not have the {target.kind} "
                        f"{target.value}, so the rules made for it are not for it",
                        interfaces=(key,),
                    )
                elif tagged and card.instance not in self._machines_of(key):
                    yield Deviation(
                        Departure.FOREIGN_MEMBER,
                        card.instance,
                        f"the instance {card.instance} has the {target.kind} {target.value} and "
                        f"is no machine of {key}: the rules are for it, too",
                        drift=False,
                    )

    def _machines_of(self, key: str) -> set[str]:
        """The machines of the whole workload: a tag is a machine's, not a card's."""
        workload = key.partition("/")[0]
        return {
            card.instance
            for other, cards in self.placement.cards.items()
            if other.partition("/")[0] == workload
            for _, card in cards
        }

    def _lost_markers(self) -> Iterator[Deviation]:
        for address, row in self.identity.firewalls.items():
            wanted = resources(self.planned, FIREWALL)[address].text("description")
            live = row.get("description") or ""
            if Marker.parse(live) != Marker.parse(wanted):
                message = f"{row['name']} lost the marker that says what it belongs to"
                yield Deviation(Departure.TAGS_LOST, str(row["name"]), message)

    def _cards_that_differ(self) -> Iterator[Deviation]:
        for key, name in self.placement.missing:
            network = self.placement.networks[key][1]
            yield Deviation(
                Departure.INTERFACE_MISSING,
                name,
                f"no instance {name.rsplit('/', 1)[-1]} of {key} is in network {network}",
                interfaces=(key,),
            )
        for interface in self.policy.interfaces:
            members = {member.name: member for member in interface.members}
            for member, card in self.placement.cards[interface.key]:
                said = members.get(member)
                if said is None:
                    continue
                where = (interface.key,)
                yield from private_departures(
                    interface, said.private, card.private, card.id, card.id
                )
                if said.public and not set(card.public) & set(said.public):
                    yield Deviation(
                        Departure.ADDRESS_CHANGED,
                        card.id,
                        f"{card.id} of {interface.key} has "
                        f"{listed(card.public) or 'no public address'}, the deployment says "
                        f"{listed(said.public)}",
                        drift=False,
                        interfaces=where,
                    )

    def _unresolved(
        self, unknown: Iterable[Unknown], rules: Mapping[str, LiveRule]
    ) -> Iterator[Deviation]:
        told = {
            each.rule: f"{each.what} cannot be told from here"
            for each in unknown
            if each.why is not Why.EVERY_MACHINE
        }
        for name, why in {**told, **self.live.doubts}.items():
            rule = rules.get(name)
            if rule is not None:
                message = f"{rule.text}: {why}"
                yield Deviation(Departure.UNRESOLVED, name, message, drift=rule.planned is None)

    def _notes(self) -> Iterator[str]:
        if not self.identity.managed:
            yield (
                "nothing here was made by Flowbridge for this deployment: the estate is judged "
                "against the documents alone"
            )
        for key, members in self.placement.absent.items():
            if members:
                missing = [shown(network) for member in members for network in member.private]
                more = f" and {len(missing) - _TOLD} more" if len(missing) > _TOLD else ""
                names = ", ".join(missing[:_TOLD])
                yield f"{key}: no instance has {names}{more}: the rules made for it are judged"


def _rule_text(row: Row) -> str:
    action = "allow" if row.get("allowed") else "deny"
    layers = ", ".join(map(_layer, row.get("allowed") or row.get("denied") or ()))
    ingress = row.get("direction") != "EGRESS"
    peers = [*(row.get("sourceRanges" if ingress else "destinationRanges") or ())]
    peers += [*(row.get("sourceTags") or ()), *(row.get("sourceServiceAccounts") or ())]
    targets = [*(row.get("targetTags") or ()), *(row.get("targetServiceAccounts") or ())]
    off = ", disabled" if row.get("disabled") else ""
    return (
        f"{str(row.get('direction', 'INGRESS')).lower()} {row.get('priority', 1000)} {action} "
        f"{layers} {'from' if ingress else 'to'} {_few(peers) or 'anywhere'} for "
        f"{_few(targets) or 'every machine'} in {str(row['network']).rsplit('/', 1)[-1]}{off}"
    )


def _policy_text(policy: Row, rule: Row) -> str:
    match = rule.get("match") or {}
    ingress = rule.get("direction") == "INGRESS"
    layers = ", ".join(map(_layer, match.get("layer4Configs") or ())) or "everything"
    peers = match.get("srcIpRanges" if ingress else "destIpRanges") or ()
    off = ", disabled" if rule.get("disabled") else ""
    return (
        f"{str(rule.get('direction')).lower()} {rule.get('priority')} {rule.get('action')} "
        f"{layers} {'from' if ingress else 'to'} {_few(list(peers)) or 'named peers'} in the "
        f"policy {policy_name(policy)}{off}"
    )


def _layer(row: Row) -> str:
    protocol = row.get("IPProtocol") or row.get("ipProtocol")
    return f"{protocol} {_few(list(row['ports']))}" if row.get("ports") else str(protocol)


def _few(texts: list[str]) -> str:
    more = f" and {len(texts) - 4} more" if len(texts) > 4 else ""
    return ", ".join(texts[:4]) + more
