"""Built deployments against the live cloud: one fetch a place, many places at a time.

What talks to the cloud is `providers.live.contract`; what judges is `policy.audit.audit`. Here the
two meet, as `stacks.pipeline` is where building and proving meet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any

from flowbridge.policy.audit.audit import Audit, Verdict, audit
from flowbridge.policy.audit.bounds import bounds
from flowbridge.policy.audit.bystanders import Affected, Bystander, affected, findings_of
from flowbridge.policy.audit.estate import Estate
from flowbridge.policy.audit.members import absent_members
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.filter import Enforcement, unknown_of
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.live.contract import Access, Adoption, LiveReader, Preflight, reader_for
from flowbridge.providers.live.reading import ODD_SHAPE
from flowbridge.stacks.pipeline import Built
from flowbridge.stacks.rehearsal import Scene, played_flows


@dataclass(frozen=True, slots=True)
class Live:
    """A deployment with the answers of its cloud."""

    built: Built
    reader: LiveReader[Any]
    answers: Any
    access: Access

    @property
    def scope(self) -> str:
        scope: str = self.answers.scope
        return scope

    def audit(self, plan: Enforcement | None = None) -> Audit:
        """Live against intent. `plan`: what `plan_of` gives, where it is at hand already."""
        built = self.built
        live = self._estate()
        known = plan_of(built) if plan is None else plan
        says = built.provider.expressible
        found = audit(
            built.policy,
            known,
            live,
            says,
            partial(says, policy=built.policy),
            before_machines=self.access.before_machines,
        )
        return replace(found, beside=affected(self._bystanders(), live.around, None))

    def in_force(self) -> tuple[Enforcement, tuple[str, ...]]:
        """The filters of every interface as they are, those of the plan for members that no machine
        is; and what may let through more than they say: what was not read, found or understood."""
        live = self._estate()
        gaps = [str(each) for each in live.unread]
        gaps += [str(each) for each in absent_members(self.built.policy, live)]
        gaps += [str(each) for each in unknown_of(live.enforcement)]
        points = (
            Point(interface.key, way)
            for interface in self.built.policy.interfaces
            for way in Direction
        )
        gaps += [
            f"{point}: its filters were not read"
            for point in points
            if point not in live.enforcement
        ]
        return live.enforcement, tuple(dict.fromkeys(gaps))

    def scene(self, services: Iterable[str]) -> Scene:
        """What there is to play features of `services` through. Every packet that they need is
        asked of the estate, so that no member hides behind another; of one place of several those
        that rows ask for."""
        built = self.built
        site, provider = built.resolution.site, built.provider
        flows = built.resolution.flows
        if built.estate is None:
            flows = (*flows, *played_flows(built, services))
        policy = compile_policy(built.resolution.interfaces, flows)
        document = _document(built)
        live = self.reader.estate(self.answers, policy, site, document, self.access)
        around = provider.around(document, policy, site)
        found = bounds(
            policy, plan_of(built), live, around, before_machines=self.access.before_machines
        )
        return Scene(built, found.most, around, found, live.unread)

    def adoption(self) -> Adoption:
        built = self.built
        return self.reader.adoption(
            self.answers, built.policy, built.resolution.site, _document(built)
        )

    def preflight(self) -> Preflight:
        """What an apply would meet, and what it would take from others."""
        built = self.built
        found = self.reader.preflight(
            self.answers, built.policy, built.resolution.site, _document(built)
        )
        beside = self.beside()
        findings = (*found.findings, *findings_of(beside))
        return replace(found, findings=findings, beside=beside)

    def beside(self) -> tuple[Affected, ...]:
        """Who else stands in the subnets whose filters are ours, and what an apply takes from
        them. Empty as well where the cards were not read, which `unread` then says."""
        around = self.built.provider.around(
            _document(self.built), self.built.policy, self.built.resolution.site
        )
        return affected(self._bystanders(), around, self._estate().around)

    def _bystanders(self) -> tuple[Bystander, ...]:
        site, document = self.built.resolution.site, _document(self.built)
        try:
            return self.reader.bystanders(
                self.answers, self.built.policy, site, document, self.access
            )
        except ODD_SHAPE:  # the other steps tell an answer that is not understood
            return ()

    def _estate(self) -> Estate:
        site, document = self.built.resolution.site, _document(self.built)
        return self.reader.estate(self.answers, self.built.policy, site, document, self.access)


def plan_of(built: Built) -> Enforcement:
    """What the deployment's own Terraform JSON enforces."""
    return built.provider.enforcement(_document(built), built.policy, built.resolution.site)


def fetched(
    every: Sequence[Built], access: Access, *, asides: bool = False, at_once: int = 8
) -> Iterator[tuple[Live, ...]]:
    """The deployments of one place after the other, as their answers come in.

    The answers of a place are given up once its deployments were yielded, so that a thousand
    places need the memory of a few.
    """
    places: dict[Hashable, list[Built]] = {}
    for built in every:
        site = built.resolution.site
        reader = reader_for(site.cloud)
        places.setdefault((site.cloud, reader.place(site, access)), []).append(built)
    waiting = list(places.values())
    running: dict[Future[Any], list[Built]] = {}
    ended: SimpleQueue[Future[Any]] = SimpleQueue()
    while waiting or running:
        # Only so many at a time: finished answers would pile up otherwise.
        while waiting and len(running) < at_once:
            group = waiting.pop(0)
            site = group[0].resolution.site
            fetch = partial(reader_for(site.cloud).fetch, site, access, asides=asides)
            running[_started(fetch, ended)] = group
        done = ended.get()
        group = running.pop(done)
        reader = reader_for(group[0].resolution.site.cloud)
        yield tuple(Live(built, reader, done.result(), access) for built in group)


def _started(fetch: Callable[[], Any], ended: SimpleQueue[Future[Any]]) -> Future[Any]:
    """`fetch` in a thread that an interrupt does not wait for: those of a pool are waited for
    when Python ends, and a server that is silent would hold a command for minutes."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(fetch())
        except BaseException as error:
            # Raised again where the result is asked for.
            future.set_exception(error)
        ended.put(future)

    Thread(target=run, daemon=True).start()
    return future


def _document(built: Built) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(built.document))
    return document


def worst(audits: Iterable[Audit]) -> int:
    """The exit code: 1 where any drifts, else 2 where any could not be read whole, else 0."""
    verdicts = {each.verdict for each in audits}
    if Verdict.DRIFT in verdicts:
        return 1
    return 2 if Verdict.INCOMPLETE in verdicts else 0
