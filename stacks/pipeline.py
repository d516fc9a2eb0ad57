"""From a deployment file to proved Terraform JSON, in four steps, without the engine.

`load` reads and resolves, `build` compiles and lowers, `judge` reads a Terraform JSON document
back and proves it, `check` is the three together. The command and the CDKTF app stand on these
same steps, so that `flowbridge check` and `cdktf synth` cannot disagree. Nothing here starts
node: the engine only writes the document that `build` already knows (`stacks.document`).
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.load import Catalog
from flowbridge.catalog.overlay import load_with
from flowbridge.catalog.reading.located_yaml import MAX_BYTES, BadFileError, Problem
from flowbridge.deployment.checks.accepted import (
    acceptance_findings,
    today,
    with_acceptances,
)
from flowbridge.deployment.file.extended import read_deployment
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.interface import HOME
from flowbridge.deployment.places.estate import Estate
from flowbridge.deployment.read import resolve_estate, resolve_file, with_lines
from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.policy.compiled import Policy, compile_policy
from flowbridge.policy.filter import Enforcement, unknown_of
from flowbridge.policy.proof.proof import Proof, prove
from flowbridge.policy.questions.assertions import AssertionResult, run_assertions
from flowbridge.policy.questions.rehearsal import FeatureAnswer
from flowbridge.policy.surrounding import Surrounding
from flowbridge.policy.unknown import Unknown
from flowbridge.providers.provider import Lowered, Provider, TerraformJson
from flowbridge.providers.registry import provider_for
from flowbridge.providers.terraform.closed_world import NotJudged, not_judged, strangers
from flowbridge.stacks.backends import backend_gaps, backend_kinds
from flowbridge.stacks.credentials import given_away
from flowbridge.stacks.document import render
from flowbridge.stacks.failure import Failure
from flowbridge.stacks.on_the_way import FAILING, firewall_findings
from flowbridge.stacks.rehearsal import features_of
from flowbridge.stacks.seen import Seen, seen
from flowbridge.stacks.shared_places import shared_places
from flowbridge.stacks.taken_names import taken_names

_GRAVITY: Final = {severity: rank for rank, severity in enumerate(Severity)}


class RefusedError(ValueError):
    """A deployment that must not be synthesized; str() says why, a line for each reason."""


class NotJudgedError(ValueError):
    """A document whose packets cannot be told; str() says why, a line for each reason."""

    def __init__(self, reasons: Iterable[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join(self.reasons))


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A resolved deployment in its cloud's terms.

    `document` is the content of `cdk.tf.json` but for the engine's own metadata: `terraform`
    (backend, required providers), `provider`, `resource`, `output`. `findings` are those of the
    deployment, its cloud and its backend, the gravest first. `estate`: of a file with several
    places, all of it.
    """

    resolution: Resolution
    policy: Policy
    provider: Provider
    lowered: Lowered
    document: TerraformJson
    findings: tuple[Finding, ...]
    estate: BuiltEstate | None = None

    @property
    def leads(self) -> bool:
        """Whether what is judged once for all places of a file is judged here: it is the first."""
        return self.estate is None or self.resolution.place == self.estate.first

    @property
    def refusals(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity is Severity.REFUSAL)

    def refused(self) -> tuple[Problem, ...]:
        """The refusals as problems of the deployment file."""
        file = self.resolution.file
        return tuple(
            Problem(
                finding.file or file,
                finding.line,
                finding.key,
                f"{finding.message} ({finding.source})",
            )
            for finding in self.refusals
        )


@dataclass(frozen=True, slots=True)
class BuiltEstate:
    """All places of one file: what `whole` asks for, and the stacks that serve it."""

    whole: Resolution
    policy: Policy
    stacks: tuple[Built, ...]

    @property
    def first(self) -> str:
        return self.stacks[0].resolution.place


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A built deployment and the judgement on its document.

    `enforcement` is the document's meaning, read back; `proof` and `assertions` (one a line of
    `tests:`) are judged on it. `plan` is the meaning of our own document, where another is judged;
    `around` is what the document's filters of subnets decide for every other host there.
    `not_judged` is what of the document neither packets nor the plan vouch for; `beside` counts
    the resources that are not ours and touch nothing of ours, which nobody judges.
    """

    built: Built
    enforcement: Enforcement
    proof: Proof
    assertions: tuple[AssertionResult, ...]
    plan: Enforcement | None = None
    around: tuple[Surrounding, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    beside: int = 0

    @cached_property
    def features(self) -> tuple[FeatureAnswer, ...]:
        """Every feature of the requested services, and whether it works through this document; of
        a file with places at its first one, through the documents of all."""
        return features_of(self.seen) if self.built.leads else ()

    @cached_property
    def seen(self) -> Seen:
        """What questions are asked of: this document, with those of the file's other places."""
        return seen([self])

    @property
    def failed(self) -> tuple[Failure, ...]:
        """Each failed test, each gap of the proof, each feature that is cut."""
        lost = _lost_filters(self.plan, self.enforcement)
        return (
            *(
                Failure("check/test-failed", f"test {place + 1}: {outcome}", place)
                for place, outcome in enumerate(self.assertions)
                if not outcome.holds
            ),
            *(Failure("check/not-proved", each) for each in self.proof.failures()),
            *(
                Failure("check/cannot-be-proved", f"cannot be proved: {each}")
                for each in self._unproved
            ),
            *(Failure("check/filter-gone", each) for each in lost),
            *(Failure("check/not-judged", str(each)) for each in self.not_judged),
            *(Failure(each.id, f"feature {each}") for each in self.features if each.is_finding),
            *(
                Failure(finding.id, finding.message)
                for finding in self.built.findings
                if finding.id in FAILING and finding.accepted is None
            ),
        )

    @property
    def failures(self) -> tuple[str, ...]:
        """One sentence for each of what failed."""
        return tuple(map(str, self.failed))

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """What the document leaves open (a group that is not in it, an address of later)."""
        return unknown_of(self.enforcement)

    @property
    def _unproved(self) -> tuple[Unknown, ...]:
        """What a document of others leaves open and ours does not: whoever its unknown peers are,
        no flow asks for them."""
        if self.plan is None:
            return ()
        ours = set(unknown_of(self.plan))
        return tuple(each for each in self.unknown if each not in ours)

    @property
    def exit_code(self) -> int:
        """0 holds, 1 a failed test or proof, 2 refused."""
        if self.built.refusals:
            return 2
        return 1 if self.failures else 0

    def require(self) -> None:
        """RefusedError unless everything holds."""
        reasons = [*map(str, self.built.refused()), *self.failures]
        if reasons:
            raise RefusedError("\n".join(reasons))


def load(
    file: Path, changes: Mapping[str, str] | None = None, *, network_id_elsewhere: bool = False
) -> Resolution:
    """Read and resolve one deployment file; `changes` are dotted keys to set (`size: medium`).

    `network_id_elsewhere`: an app gives the network's id to `build`. BadFileError for everything
    that is wrong in the file.
    """
    return resolve_file(file, changes, network_id_elsewhere=network_id_elsewhere)


def load_all(
    file: Path, changes: Mapping[str, str] | None = None, *, network_id_elsewhere: bool = False
) -> Estate:
    """`load` of a file that may have several places."""
    return resolve_estate(file, changes, network_id_elsewhere=network_id_elsewhere)


def catalog_of(resolution: Resolution) -> Catalog:
    """Our catalog with the rows and parties of the overlays that the deployment names."""
    known = load_with(resolution.site.overlays, Path(resolution.file))
    return known.at(resolution.site.release.by_product())


def build(resolution: Resolution, network_id: str | None = None, *, alone: bool = True) -> Built:
    """Compile and lower. Never fails on a finding: see `Built.refusals`.

    `network_id` (also a token of another construct) takes the place of the file's own. `alone`: it
    is all of its file, so that what nothing finds here nothing finds.
    """
    site = resolution.site
    provider = provider_for(site.cloud)
    policy = compile_policy(resolution.interfaces, resolution.flows)
    lowered = provider.lower(policy, site, network_id)
    document = render(site, provider, lowered)
    own = (*backend_gaps(site), *given_away(site))
    if alone:
        own = (*own, *firewall_findings(resolution, catalog_of(resolution)))
    day = today()
    later = (*with_acceptances((*lowered.findings, *own), site.acceptances, day),)
    every = (*resolution.findings, *later)
    told = acceptance_findings(site, every, day) if alone else ()
    later = with_lines((*later, *told), Path(resolution.file), resolution.moved)
    findings = _gravest_first(resolution.findings, later)
    return Built(
        resolution=resolution,
        policy=policy,
        provider=provider,
        lowered=lowered,
        document=document,
        findings=findings,
    )


def build_estate(
    estate: Estate, network_id: Callable[[Resolution], str | None] = lambda _: None
) -> tuple[Built, ...]:
    """`build` for the stack of each managed place."""
    alone = not estate.several
    stacks = tuple(build(part, network_id(part), alone=alone) for part in estate.parts)
    if alone:
        return stacks
    first, *others = stacks
    found = [finding for each in stacks for finding in each.findings]
    acceptances = estate.whole.site.acceptances
    way = tuple(firewall_findings(estate.whole, catalog_of(estate.whole)))
    on_the_way = tuple(with_acceptances(way, acceptances, today()))
    every_one = (*found, *on_the_way)
    told = with_lines(
        (*on_the_way, *acceptance_findings(estate.whole.site, every_one, today())),
        Path(estate.whole.file),
    )
    stacks = (replace(first, findings=_gravest_first(first.findings, told)), *others)
    policy = compile_policy(estate.whole.interfaces, estate.whole.flows)
    every = BuiltEstate(estate.whole, policy, stacks)
    return tuple(replace(each, estate=every) for each in stacks)


def judge(built: Built, document: Mapping[str, Any] | None = None) -> Checked:
    """Prove `document` (any cdk.tf.json, also a hand-edited one) against what `built` intends.

    Without `document` its own is judged, through JSON text and back. ValueError for what is no
    Terraform JSON; NotJudgedError where a resource cannot be understood, with all that is wrong.
    """
    given: dict[str, Any]
    if document is None:
        given = json.loads(json.dumps(built.document))
    else:
        given = {block: content for block, content in document.items() if block != "//"}
    site, provider, policy = built.resolution.site, built.provider, built.policy
    world = provider.world(built.document, policy, site)
    unjudged = not_judged(given, built.document, world)
    try:
        enforcement = provider.enforcement(given, policy, site)
        around = provider.around(given, policy, site)
    except ValueError as error:
        raise NotJudgedError((*map(str, unjudged), f"not judged: {error}")) from None
    foreign = document is not None and given != built.document
    plan = provider.enforcement(built.document, policy, site) if foreign else None
    proof = prove(policy, enforcement, partial(provider.expressible, policy=policy), plan)
    beside = strangers(given, built.document, world) if foreign else 0
    checked = Checked(
        built=built,
        enforcement=enforcement,
        proof=proof,
        assertions=(),
        plan=plan,
        around=around,
        not_judged=unjudged,
        beside=beside,
    )
    if not (built.leads and checked.seen.resolution.site.tests):
        return checked
    whole, parties = checked.seen, catalog_of(built.resolution).parties
    outcomes = run_assertions(
        whole.resolution, whole.policy, whole.enforcement, parties, whole.around
    )
    return replace(checked, assertions=outcomes)


def _lost_filters(plan: Enforcement | None, enforcement: Enforcement) -> Iterable[str]:
    """Filters of the plan that the document does not have: no packet is refused by what is gone."""
    for point, planned in sorted((plan or {}).items()):
        for kind in dict.fromkeys(stage.kind for stage in planned):
            due, here = (
                [stage for stage in stages if stage.kind == kind]
                for stages in (planned, enforcement.get(point, ()))
            )
            if len(here) < len(due):
                yield f"{point}: the {kind} of the plan ({due[-1].name}) is not in this file"


def check(file: Path) -> Checked:
    """`judge(build(load(file)))`."""
    return judge(build(load(file)))


def build_file(file: Path) -> tuple[Built, ...]:
    """Every stack of one file."""
    return build_estate(load_all(file))


def build_all(
    files: Iterable[Path], one: Callable[[Path], tuple[Built, ...]] = build_file
) -> tuple[Built, ...]:
    """The stacks of each file, as `one` makes them.

    BadFileError with the problems and refusals of all of them, and where two of them have one
    name or share one Terraform state.
    """
    built, problems = _tried(files, one)
    if problems:
        raise BadFileError(problems)
    return _with_shared_places(built)


def build_kept(files: Iterable[Path]) -> tuple[tuple[Built, ...], tuple[Problem, ...]]:
    """`build_all` that goes on: what can be judged, and what is wrong with the others."""
    built, problems = _tried(files, build_file)
    bad = {problem.file for problem in problems}
    good = [each for each in built if each.resolution.file not in bad and not each.refusals]
    return _with_shared_places(good), tuple(problems)


def problems_of(files: Iterable[Path]) -> list[Problem]:
    """What is wrong with files that are read together, as `build_all` tells it; none where
    nothing is."""
    return _tried(files, build_file)[1]


def _tried(
    files: Iterable[Path], one: Callable[[Path], tuple[Built, ...]]
) -> tuple[list[Built], list[Problem]]:
    built: list[Built] = []
    problems: list[Problem] = []
    for file in files:
        try:
            stacks = one(file)
        except BadFileError as error:
            problems.extend(error.problems)
        else:
            built.extend(stacks)
            problems.extend(problem for each in stacks for problem in each.refused())
    problems.extend(_clashes(built))
    # Two deployments of one name are told as such; their names are the same all through.
    one_each = {each.resolution.site.name: each for each in reversed(built)}.values()
    problems.extend(
        taken_names((each.resolution.label, each.document) for each in reversed(one_each))
    )
    return built, problems


def _with_shared_places(built: Iterable[Built]) -> tuple[Built, ...]:
    """`built`, each with the warnings of what an earlier one has already."""
    found: dict[str, list[Finding]] = {}
    for file, finding in shared_places((each.resolution, each.lowered) for each in built):
        found.setdefault(file, []).append(finding)
    return tuple(
        each
        if (more := found.get(each.resolution.label)) is None
        else replace(
            each,
            findings=_gravest_first(each.findings, _told_later(each.resolution, more)),
        )
        for each in built
    )


def _told_later(resolution: Resolution, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    acceptances = resolution.site.acceptances
    accepted = tuple(with_acceptances(findings, acceptances, today()))
    return with_lines(accepted, Path(resolution.file), resolution.moved)


def _gravest_first(*findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(chain(*findings), key=lambda found: _GRAVITY[found.severity]))


def deployment_files(spec: str | Iterable[str], root: Path, place: str) -> tuple[Path, ...]:
    """The files that `spec` names: paths, folders or globs relative to `root`, separated by `:`.

    In the order given, a glob's own in the order of their names; a file named twice counts once. A
    folder stands for the deployments in it and below: the YAML files that give a `name`. A glob may
    match folders. BadFileError (naming `place`, where `spec` stands) for a part that names no file.
    """
    parts = spec.split(":") if isinstance(spec, str) else list(spec)
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for part in (part.strip() for part in parts):
        if not part:
            continue
        if "\0" in part:
            problems.append(Problem(place, None, "", f"{part!r} is no path: it holds a NUL"))
            continue
        if (root / part).exists() or not glob.has_magic(part):
            names = [part]  # where there is no such file, reading it says so
        else:
            # Path.glob refuses absolute patterns.
            names = sorted(glob.glob(part, root_dir=root, recursive=True))  # noqa: PTH207
        if not names:
            problems.append(Problem(place, None, "", f"{part!r} names no file; check the path"))
        for name in names:
            path = root / name
            inside = [path]
            if path.is_dir():
                inside = list(_deployments_in(path))
                if not inside:
                    message = f"{name} is a folder without a deployment file; check the path"
                    problems.append(Problem(place, None, "", message))
            for file in inside:
                # Path.resolve raises where links go round in a circle; reading says so better.
                found.setdefault(os.path.realpath(file), file)
    if not found and not problems:
        problems.append(
            Problem(place, None, "", "no deployment file is named; write a path or a glob")
        )
    if problems:
        raise BadFileError(problems)
    return tuple(found.values())


_NAMED: Final = re.compile(rb"^name\s*:|^\s*[{,]?\s*\"name\"\s*:", re.MULTILINE)


def _deployments_in(folder: Path) -> Iterator[Path]:
    """The YAML files below `folder` that name a deployment, in the order of their paths; parts of
    deployments, overlays and lists of acceptances lie beside them. Hidden folders are left out."""
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder).parts
        if path.suffix in (".yaml", ".yml") and path.is_file():
            if any(part.startswith(".") for part in below):
                continue
            with path.open("rb") as stream:
                if _NAMED.search(stream.read(MAX_BYTES)):
                    yield path


def _clashes(built: Iterable[Built]) -> Iterable[Problem]:
    names: dict[str, str] = {}
    states: dict[str, str] = {}
    for each in built:
        file, site, label = each.resolution.file, each.resolution.site, each.resolution.label
        first = names.setdefault(site.name, label)
        if first != label:
            message = f"{first} has the name {site.name!r} too; give each deployment its own"
            yield read_deployment(Path(file)).problem(("name",), message)
        state = json.dumps(backend_kinds()[site.backend.type].block(site), sort_keys=True)
        first = states.setdefault(state, label)
        if first != label and names[site.name] == label:
            message = f"{first} keeps its state in the same place; each would destroy the other"
            key = "backend.settings"
            if (place := each.resolution.place) not in ("", HOME):
                key = f"places.{place}.backend.settings"
                message += f": write in {key} what this one has of its own"
            yield Problem(file, None, key, message)
