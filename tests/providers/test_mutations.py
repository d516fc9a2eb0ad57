"""Every mutation of what we emit that changes its meaning is caught, and no other is reported.

"Caught" is a failed proof, or a refusal to judge a file whose meaning cannot be told. A mutation
that only closes what no flow asks for is not a fault: what is asked for still passes, and
nothing more does than before. It is counted apart, and so is one that shows only in a note (it
reaches machines that are not in the deployment).

An example has up to some thousand mutations. By default `TRIED` of them are judged, the same ones
every time and spread over all kinds; `FLOWBRIDGE_ALL_MUTATIONS=1` judges every one.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from flowbridge.policy.filter import Enforcement, Filter, unknown_of
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Point
from flowbridge.policy.proof.proof import prove
from flowbridge.policy.unknown import Unknown
from flowbridge.stacks.pipeline import Built, build, load
from tests.providers.mutations import Mutation, mutations

TRIED = 50
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
# What the same cloud can also be told to emit for the same deployment.
AS_POLICY = {"options.gcp.rules": "network-policy"}


@dataclass(frozen=True)
class Case:
    """A deployment as it was emitted, and what that enforces."""

    built: Built
    document: Mapping[str, Any]
    enforcement: Enforcement
    allowed: Mapping[Point, tuple[PacketSet, ...]]


def _allowed(enforcement: Enforcement) -> dict[Point, tuple[PacketSet, ...]]:
    once: dict[int, PacketSet] = {}

    def by(stage: Filter) -> PacketSet:
        return once.setdefault(id(stage), stage.allowed())

    return {point: tuple(map(by, stages)) for point, stages in enforcement.items()}


def _case(file: Path, changes: Mapping[str, str]) -> Case:
    built = build(load(file, changes))
    document = json.loads(json.dumps(built.document))
    enforcement = built.provider.enforcement(document, built.policy, built.resolution.site)
    return Case(built, document, enforcement, _allowed(enforcement))


def _outcome(case: Case, mutation: Mutation) -> str:
    """`refused`, `caught`, `same`, `noted`, `closed` (excess only), or a fault of the judge."""
    built = case.built
    try:
        mutated = built.provider.enforcement(mutation.document, built.policy, built.resolution.site)
    except ValueError:
        return "refused"
    now = _allowed(mutated)
    if all(now[point] == before for point, before in case.allowed.items()):
        if _unknown(mutated) - _unknown(case.enforcement):
            return "noted"
        return "same" if _holds(case, mutated) else "reported although nothing changed"
    if not _holds(case, mutated):
        return "caught"
    within = all(
        len(now[point]) == len(before)
        and all(one <= other for one, other in zip(now[point], before, strict=True))
        for point, before in case.allowed.items()
    )
    return "closed" if within else "not caught"


def _unknown(enforcement: Enforcement) -> set[Unknown]:
    return set(unknown_of(enforcement))


def _spread(found: list[Mutation]) -> list[Mutation]:
    """`TRIED` of them: the first of every kind in turn, by the digest of what it is done to."""
    if os.environ.get("FLOWBRIDGE_ALL_MUTATIONS"):
        return found
    places: Counter[str] = Counter()
    ranked = []
    for mutation in sorted(found, key=lambda m: sha256(f"{m.kind} {m.where}".encode()).digest()):
        places[mutation.kind] += 1
        ranked.append((places[mutation.kind], mutation))
    ranked.sort(key=lambda pair: pair[0])
    return [mutation for _, mutation in ranked[:TRIED]]


def _holds(case: Case, enforcement: Enforcement) -> bool:
    policy = case.built.policy
    expressible = partial(case.built.provider.expressible, policy=policy)
    return prove(policy, enforcement, expressible, plan=case.enforcement).holds


def _cases() -> Iterator[Any]:
    for file in EXAMPLES:
        yield pytest.param(file, {}, id=file.stem)
        if file.stem == "gcp-edge":
            yield pytest.param(file, AS_POLICY, id=f"{file.stem} network-policy")


@pytest.mark.slow
@pytest.mark.parametrize(("file", "changes"), list(_cases()))
def test_every_mutation_that_changes_meaning_is_caught_and_no_other_is_reported(
    file: Path, changes: Mapping[str, str], record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    case = _case(file, changes)
    assert _holds(case, case.enforcement)
    cloud = case.built.resolution.site.cloud.value
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    faults: list[str] = []
    found = list(mutations(case.document, cloud))
    for mutation in _spread(found):
        outcome = _outcome(case, mutation)
        counts[outcome] += 1
        kinds[mutation.kind] += 1
        if outcome not in ("refused", "caught", "same", "closed", "noted"):
            faults.append(f"{outcome}: {mutation.kind} at {mutation.where}")
    with capsys.disabled():
        told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
        said = f"{counts.total()} of {len(found)} mutations, {len(kinds)} kinds: {told}"
        print(f"\n{file.stem} ({cloud}): {said}")  # noqa: T201
    record_property("mutations", dict(counts))
    assert not faults, "\n".join(faults[:20])
    assert counts["caught"] > counts["same"] + counts["closed"]
    assert counts["same"], "no harmless mutation was tried"
