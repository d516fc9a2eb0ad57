"""Judging a plan or state that Flowbridge did not make, against the documents.

`judge_plan` reads `terraform show -json` (or Terraform JSON as written), finds what each interface
of a deployment wears there, and says in packets what of the documents is open, what is missing,
and what is open beyond them. What cannot be told is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flowbridge.policy.audit.audit import Audit, Opened, Refused, audit
from flowbridge.policy.audit.estate import Estate, LiveRule
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement, Filter, Order, passes, unknown_of
from flowbridge.policy.packets.as_json import plain_packets
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Point
from flowbridge.policy.questions.difference import (
    Change,
    ChangedFlow,
    Side,
    difference,
    of_enforcement,
    of_policy,
)
from flowbridge.policy.questions.directory import Directory
from flowbridge.policy.questions.rehearsal import Answer, FeatureAnswer
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.providers.meaning.foreign import Foreign, Wearing
from flowbridge.providers.provider import Provider
from flowbridge.providers.terraform.shown import resources as shown
from flowbridge.providers.terraform.shown.document import (
    FlatDocument,
    Flattened,
    as_written,
    flatten,
)
from flowbridge.stacks.pipeline import Built
from flowbridge.stacks.rehearsal import features_of
from flowbridge.stacks.seen import Seen


@dataclass(frozen=True, slots=True)
class Effect:
    """What a plan changes for one peer, and `by` which rules."""

    flow: ChangedFlow
    by: tuple[str, ...]

    def as_plain(self) -> dict[str, Any]:
        return {**self.flow.as_plain(), "by": list(self.by)}


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """A feature that a plan makes work, or stops."""

    feature: FeatureAnswer
    starts: bool

    def __str__(self) -> str:
        return f"{self.feature.title.en} ({self.feature.id}) {self._word} to work"

    @property
    def _word(self) -> str:
        return "starts" if self.starts else "stops"

    def as_plain(self) -> dict[str, Any]:
        return {
            "id": self.feature.id,
            "service": self.feature.service,
            "title": self.feature.title.en,
            "change": self._word,
            "cuts": [str(cut) for step in self.feature.steps for cut in step.cuts],
        }


@dataclass(frozen=True, slots=True)
class Documented:
    """Packets of the documents that pass, by peer and rows."""

    point: Point
    peer: str
    rows: tuple[str, ...]
    packets: PacketSet

    def as_plain(self) -> dict[str, Any]:
        return {
            "interface": self.point.interface,
            "direction": str(self.point.direction),
            "peer": self.peer,
            "rows": list(self.rows),
            "packets": plain_packets(self.packets),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The judgement. `uncertain` are the points at which something cannot be told, so that what is
    missing there may be let through after all; `effects` are None where nobody asked."""

    built: Built
    estate: Foreign
    audit: Audit
    open: tuple[Documented, ...]
    untold: tuple[Unknown, ...]
    uncertain: frozenset[Point]
    effects: tuple[Effect, ...] | None = None
    features: tuple[FeatureChange, ...] | None = None  # None: not asked, or cannot be told

    def on(self, guesses: tuple[str, ...], unknown: tuple[Unknown, ...]) -> Judged:
        """The same, by a deployment of which this much is guessed, or not known."""
        if not guesses and not unknown:
            return self
        estate = replace(self.estate, assumed=(*guesses, *self.estate.assumed))
        return replace(self, estate=estate, untold=(*unknown, *self.untold))

    @property
    def opened(self) -> tuple[Opened, ...]:
        return self.audit.opened

    @property
    def missing(self) -> tuple[Refused, ...]:
        return self.audit.refused

    @property
    def holds(self) -> bool:
        return not (self.opened or self.missing or self.untold)

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        site = self.built.resolution.site
        plain = {
            "deployment": self.built.resolution.file,
            "name": site.name,
            "cloud": str(site.cloud),
            "holds": self.holds,
            "worn": {
                key: {"by": str(worn.how), "what": list(worn.what)}
                for key, worn in self.estate.worn.items()
            },
            "open": [each.as_plain() for each in self.open],
            "missing": [
                {**each.as_plain(), "certain": each.point not in self.uncertain}
                for each in self.missing
            ],
            "unintended": [each.as_plain() for each in self.opened],
            "cannot_be_told": [
                {"where": each.rule, "why": str(each.why), "text": str(each)}
                for each in self.untold
            ],
            "assumed": list(self.estate.assumed),
        }
        if self.effects is not None:
            plain["changes"] = [each.as_plain() for each in self.effects]
            known = self.features
            plain["features"] = None if known is None else [each.as_plain() for each in known]
        return plain


def judge_plan(
    built: Built, document: Mapping[str, Any], wearing: Wearing, *, changes: bool = False
) -> Judged:
    """ValueError for what is neither an output of `terraform show -json` nor Terraform JSON;
    BadMappingError where `wearing` does not fit."""
    with shown.as_terraform_writes():
        return _judged(built, document, wearing, changes=changes)


def _judged(
    built: Built, document: Mapping[str, Any], wearing: Wearing, *, changes: bool
) -> Judged:
    policy, provider, site = built.policy, built.provider, built.resolution.site
    planned, prior = _documents(document, wearing)
    estate = provider.foreign(planned, prior, policy, site, wearing)
    found = _audit(policy, estate, provider)
    untold = dict.fromkeys((*estate.untold, *unknown_of(estate.enforcement)))
    untold |= dict.fromkeys(Unknown("this plan", gap, Why.MEANING) for gap in planned.gaps)
    effects = features = None
    if changes:
        was = provider.foreign(prior, prior, policy, site, replace(wearing, strict=False))
        effects = tuple(_effects(built, was.enforcement, estate.enforcement))
        if all(each.key in estate.worn for each in policy.interfaces):
            features = tuple(_features(built, was.enforcement, estate.enforcement))
        untold |= dict.fromkeys(
            replace(each, rule=f"before: {each.rule}")
            for each in (*was.untold, *unknown_of(was.enforcement))
            if each.rule not in estate.worn and each not in untold
        )
    return Judged(
        built=built,
        estate=estate,
        audit=found,
        open=tuple(_open(policy, estate.enforcement)),
        untold=tuple(untold),
        uncertain=frozenset(_uncertain(estate)),
        effects=effects,
        features=features,
    )


def _documents(document: Mapping[str, Any], wearing: Wearing) -> tuple[FlatDocument, FlatDocument]:
    """What the plan leads to, and the state that it starts from."""
    if not shown.is_shown(document):
        if "resource" not in document and "module" not in document:
            raise ValueError(
                "this is neither what `terraform show -json` writes of a plan or state nor "
                "Terraform JSON"
            )
        written = as_written(document)
        return written, written
    names = Flattened()
    planned = flatten(shown.after(document), names, wearing.locals_)
    if not shown.is_plan(document):
        return planned, planned
    return planned, flatten(shown.before(document), names, wearing.locals_)


def _audit(policy: Policy, estate: Foreign, provider: Provider) -> Audit:
    rules = {
        rule.name: LiveRule(
            id=rule.name,
            holder="",
            ours=False,
            planned=None,
            text=rule.name,
            description=rule.description,
        )
        for filters in estate.enforcement.values()
        for stage in filters
        for rule in stage.rules
    }
    # Who is there is the work of `Foreign`, which names what it did not find.
    members = {each.key: frozenset(m.name for m in each.members) for each in policy.interfaces}
    read = Estate(
        scope="the plan",
        enforcement=estate.enforcement,
        rules=rules,
        deviations=(),
        unread=(),
        managed=False,
        found=members,
    )
    says = provider.expressible
    return audit(policy, {}, read, says, partial(says, policy=policy))


def _open(policy: Policy, enforcement: Enforcement) -> Iterator[Documented]:
    for point, filters in sorted(enforcement.items()):
        here = policy.intended(point) & passes(filters)
        before = Side({point: here}, of_policy(policy).claims)
        for flow in difference(before, Side({}, lambda _: ())):
            yield Documented(point, flow.peer, flow.rows, flow.packets)


def _uncertain(estate: Foreign) -> Iterator[Point]:
    """Rules that could not be read may be anywhere; what a filter leaves open is there."""
    everywhere = any(each.rule not in estate.worn for each in estate.untold)
    for point, filters in estate.enforcement.items():
        if everywhere or any(stage.unknown for stage in filters):
            yield point


def _effects(built: Built, before: Enforcement, after: Enforcement) -> Iterator[Effect]:
    directory = Directory.of(built.policy, built.resolution.site)
    old = of_enforcement(before, built.policy, directory)
    new = of_enforcement(after, built.policy, directory)
    for flow in difference(old, new):
        opens = flow.change is Change.ALLOWED
        here, there = (after, before) if opens else (before, after)
        by = [
            *_deciding(here, flow, allow=True, unlike=there),
            # What refused it before, or refuses it now, where the filters have an order.
            *_deciding(there, flow, allow=False, unlike=here),
        ]
        yield Effect(flow, tuple(dict.fromkeys(by)))


def _features(built: Built, before: Enforcement, after: Enforcement) -> Iterator[FeatureChange]:
    """The features that work on one side only. What is not there yet lets nothing through."""
    absent = Filter(name="not there yet", kind="absent", order=Order.UNION, stateful=True, rules=())
    was = {point: before.get(point, (absent,)) for point in after}
    old = {each.id: each for each in features_of(Seen(built.resolution, built.policy, was))}
    for feature in features_of(Seen(built.resolution, built.policy, after)):
        works = feature.answer is not Answer.FAILS
        if works is not (old[feature.id].answer is not Answer.FAILS):
            yield FeatureChange(feature, starts=works)


def _deciding(
    enforcement: Enforcement, flow: ChangedFlow, *, allow: bool, unlike: Enforcement
) -> Iterator[str]:
    """The rules that decide over packets of `flow`, those first that the other side does not
    have like that."""
    others = {
        (rule.name, rule.packets) for stage in unlike.get(flow.point, ()) for rule in stage.rules
    }
    found = [
        rule
        for stage in enforcement.get(flow.point, ())
        for rule, share in zip(stage.rules, stage.shares(), strict=True)
        if rule.allow is allow and not rule.built_in and share & flow.packets
    ]
    changed = [rule.name for rule in found if (rule.name, rule.packets) not in others]
    yield from changed or [rule.name for rule in found]
