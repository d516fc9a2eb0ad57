"""A deployment file read as a site, or refused with everything that is wrong in it.

All problems of a file are reported at once: those of single values (the model) and those that
need several keys (`deployment.checks.validation`), each with its line and what to write instead.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from flowbridge.catalog.load import Catalog, load
from flowbridge.catalog.overlay import with_overlays
from flowbridge.catalog.reading.expressions import expressions
from flowbridge.catalog.reading.located_model import as_model, problems
from flowbridge.catalog.reading.located_yaml import (
    BadFileError,
    Data,
    LocatedYaml,
    Location,
    Problem,
    dotted,
    parse_yaml,
)
from flowbridge.deployment.checks.places import twin_mistakes
from flowbridge.deployment.checks.validation import mistakes, place_mistakes, whole_mistakes
from flowbridge.deployment.file.extended import OUTSIDE, extended, is_near, read_deployment
from flowbridge.deployment.file.other_clouds import advice_on_keys
from flowbridge.deployment.file.site import Site, model_of
from flowbridge.deployment.finding import Finding
from flowbridge.deployment.mistake import Mistake
from flowbridge.deployment.places.estate import Estate, PlaceSite, Whole, resolve_places
from flowbridge.deployment.places.expansion import expanded, has_places
from flowbridge.deployment.resolve import resolve
from flowbridge.deployment.selection.facts import option_paths
from flowbridge.deployment.selection.resolution import Resolution

# Sections whose faults say nothing about the others: left out, the rest can still be judged.
APART: Final = ("options", "tests", "quotas", "backend", "provider")
# What problems name in the place of the file, for keys that the command line sets.
OPTION: Final = "--set"
# `expressway_e.peers.0.public`, also as messages write it: `expressway_e.peers[0].public`.
_PART: Final = r"[^.\[\]]+"
_SETTABLE: Final = re.compile(rf"{_PART}(?:\.{_PART}|\[\d+\])*")


def resolve_file(
    path: Path,
    changes: Mapping[str, str] | None = None,
    *,
    network_id_elsewhere: bool = False,
) -> Resolution:
    """Read and resolve one deployment file, with the user's own rows that it names.

    `changes` are dotted keys to set before reading, with values as YAML (`{"size": "medium"}`).
    With `network_id_elsewhere` an app of the user's own gives the network's id. Findings carry
    the line of the key they are about. Raises BadFileError with all problems of the file, in its
    order.
    """
    estate = resolve_estate(path, changes, network_id_elsewhere=network_id_elsewhere)
    if estate.several:
        names = ", ".join(part.site.name for part in estate.parts)
        message = f"this file has several places, each a stack of its own ({names}); one is needed"
        raise BadFileError([Problem(str(path), None, "places", message)])
    return estate.whole


def resolve_estate(
    path: Path,
    changes: Mapping[str, str] | None = None,
    *,
    network_id_elsewhere: bool = False,
) -> Estate:
    """The same of a file that may span places."""
    located = changed(read_deployment(path), changes or {})
    known, overlaid = _catalog_for(located, path)
    if has_places(located.data):
        found = _estate(located, known, path, overlaid, network_id_elsewhere)
        stacks = tuple(_lined(part, path) for part in found.parts)
        return Estate(stacks[0] if not found.several else _lined(found.whole, path), stacks)
    site = site_of(located, known, network_id_elsewhere=network_id_elsewhere)
    if overlaid:
        site = _with_switches(site, known)
    whole = _lined(resolve(site, str(path), known.at(site.release.by_product())), path)
    return Estate(whole, (whole,))


def _lined(resolution: Resolution, path: Path) -> Resolution:
    findings = with_lines(resolution.findings, path, resolution.moved)
    return replace(resolution, findings=findings)


def resolve_data(
    data: Mapping[str, Data], name: str, *, network_id_elsewhere: bool = False
) -> Resolution:
    """`resolve_file` for keys that stand in no file; `name` is what messages call them. Files that
    they name are looked for in the current folder."""
    path = Path(name)
    located = extended(LocatedYaml(file=name, data=dict(data), lines={}), path)
    if has_places(located.data):
        message = "a deployment in code has one network; write one with places as a file"
        raise BadFileError([located.problem(("places",), message)])
    known, overlaid = _catalog_for(located, path)
    site = site_of(located, known, network_id_elsewhere=network_id_elsewhere)
    if overlaid:
        site = _with_switches(site, known)
    return resolve(site, name, known.at(site.release.by_product()))


def with_lines(
    findings: tuple[Finding, ...], path: Path, moved: Mapping[Location, Location] | None = None
) -> tuple[Finding, ...]:
    """`findings` with the line in the file at `path` of the key that each is about.

    `moved`: where keys of the deployment stand in the file, where that is elsewhere.
    """
    described = not path.exists()  # in code: there are no lines
    if described or not any(found.key and found.line is None for found in findings):
        return findings
    located = replace(read_deployment(path), moved=moved or {})

    def placed(found: Finding) -> Finding:
        if not found.key or found.line is not None:
            return found
        key = found.key
        for before, after in (moved or {}).items():
            key = re.sub(rf"(?<![\w.-]){re.escape(dotted(before))}(?![\w-])", dotted(after), key)
        file, line = located.place_of(_keys(found.key))
        return replace(found, key=key, line=line, file="" if file == located.file else file)

    return tuple(map(placed, findings))


def _keys(key: str) -> Location:
    """The parts of a dotted key; of a finding about two keys (`a or b`) those of the first."""
    return tuple(re.findall(_PART, key.split(" ")[0]))


def _catalog_for(located: LocatedYaml, path: Path) -> tuple[Catalog, bool]:
    """The catalog with the rows of the overlays that the file names, and whether it names any."""
    known = load()
    match located.data:
        case {"overlays": [str(), *_] as overlays}:
            files = [path.parent / str(overlay) for overlay in overlays]
            absent = [
                located.problem(("overlays", index), f"there is no file {file}; check the path")
                for index, file in enumerate(files)
                if not file.exists()
            ]
            if absent:
                raise BadFileError(absent)
            try:
                return with_overlays(known, files, option_paths()), True
            except BadFileError as error:
                raise BadFileError([_unquoted(each, path) for each in error.problems]) from None
    return known, False


def _estate(
    located: LocatedYaml, known: Catalog, path: Path, overlaid: bool, elsewhere: bool
) -> Estate:
    """The estate of a file with places. BadFileError with all that is wrong in it."""
    parts, found = expanded(located)
    every: dict[tuple[str, str], Problem] = {(each.key, each.message): each for each in found}

    def read(one: LocatedYaml, way: Callable[[Site], Iterable[Mistake]]) -> Site | None:
        try:
            return site_of(one, known, judged=way)
        except BadFileError as error:
            for problem in error.problems:
                every.setdefault((problem.key, problem.message), problem)
            return None

    wholes = {
        cloud: read(one, lambda site: whole_mistakes(site, known))
        for cloud, one in parts.whole.items()
    }
    places = {
        name: read(one, lambda site: place_mistakes(site, network_id_elsewhere=elsewhere))
        for name, (_, one) in parts.places.items()
    }
    sites = {name: site for name, site in places.items() if site is not None}
    for name, mistake in twin_mistakes(sites):
        problem = parts.places[name][1].problem(mistake.location, mistake.sentence)
        every.setdefault((problem.key, problem.message), problem)
    for problem in expressions(located):
        if not any(key == problem.key for key, _ in every):
            every[problem.key, problem.message] = problem
    if every:
        raise BadFileError(sorted(every.values(), key=lambda each: (each.line or 0, each.key)))
    full = {cloud: site for cloud, site in wholes.items() if site is not None}
    if overlaid:
        full = {cloud: _with_switches(site, known) for cloud, site in full.items()}
    first = next((cloud for cloud, _ in parts.places.values()))
    ordered = sorted(full, key=lambda cloud: cloud != first)
    own = ("name", "region", "network", "quotas", "provider", "backend")
    return resolve_places(
        [Whole(full[cloud], known.at(full[cloud].release.by_product())) for cloud in ordered],
        [
            PlaceSite(
                name,
                full[cloud].model_copy(
                    update={key: getattr(sites[name], key) for key in own} | {"tests": ()}
                ),
                one.moved,
            )
            for name, (cloud, one) in parts.places.items()
        ],
        str(path),
        parts.whole[first].moved,
    )


def _with_switches(site: Site, known: Catalog) -> Site:
    """The site with the switches of overlays that it does not set at their defaults."""
    defaults = {name: switch.default for name, switch in known.switches.items()}
    switches = {**defaults, **site.options.switches}
    options = site.options.model_copy(update={"switches": switches})
    return site.model_copy(update={"options": options})


def _unquoted(problem: Problem, deployment: Path) -> Problem:
    """A problem of an overlay without its words where it lies outside the deployment's folder: a
    deployment file of others must not make us show what else is on this machine."""
    if is_near(Path(problem.file), deployment):
        return problem
    return replace(problem, key="", message=OUTSIDE.format(what="overlay"))


def site_of(
    located: LocatedYaml,
    catalog: Catalog,
    *,
    network_id_elsewhere: bool = False,
    judged: Callable[[Site], Iterable[Mistake]] | None = None,
) -> Site:
    """The site that a file's data describes. Raises BadFileError with all its problems.

    `judged` finds them in the place of `mistakes`, where the data is a part of a file.
    """
    if not isinstance(located.data, dict):
        return as_model(_with_advice(located), Site)
    model = model_of(located.data)
    found: list[Problem] = []
    left_out: list[Location] = []
    site: Site | None
    try:
        site = model.model_validate(located.data)
    except ValidationError as error:
        found += advice_on_keys(model, problems(located, model, error))
        left_out = [_location(located.data, part["loc"]) for part in error.errors()]
        site = _without(model, located.data, left_out, error)
    if site is not None:
        wrong = (
            mistakes(site, catalog, network_id_elsewhere=network_id_elsewhere)
            if judged is None
            else judged(site)
        )
        found += [
            located.problem(mistake.location, mistake.sentence)
            for mistake in wrong
            if not _about(mistake, left_out)
        ]
    told = {problem.key for problem in found}
    if judged is None:
        found += [problem for problem in expressions(located) if problem.key not in told]
    if found or site is None:
        raise BadFileError(sorted(found, key=lambda problem: (problem.line or 0, problem.key)))
    return site


def changed(located: LocatedYaml, changes: Mapping[str, str]) -> LocatedYaml:
    """The file with some keys set: `options.turn.port` or `expressway_e.peers.0.public`.

    Problems of these keys name the option, and not a line of the file. Raises BadFileError for a
    key that cannot be set, or a value that is no YAML.
    """
    if located.data is None:
        return located  # an empty file, which is refused as such
    data = copy.deepcopy(located.data)
    elsewhere: dict[Location, str] = {}
    for key, text in changes.items():
        value = text if key == "release" or key.startswith("release.") else _value(key, text)
        if key.startswith("release.") and isinstance(data, dict):
            _release_by_product(data)
        location = _set(data, key, value)
        elsewhere[location] = OPTION
    return replace(located, data=data, elsewhere=elsewhere)


def _release_by_product(data: dict[str, Data]) -> None:
    """`release: X15.0` as `{expressway: X15.0}`, so that another product's can stand beside it."""
    plain = data.get("release")
    if plain is not None and not isinstance(plain, dict):
        data["release"] = {"expressway": plain}


def _value(key: str, text: str) -> Data:
    try:
        return parse_yaml(text, OPTION).data
    except BadFileError as error:
        # The line of a value on the command line says nothing.
        found = [replace(each, line=None, key=key) for each in error.problems]
        raise BadFileError(found) from None


def _set(data: Data, key: str, value: Data) -> Location:
    """Set one key in `data`; where it is, or the key above it that was not there before."""
    if not _SETTABLE.fullmatch(key):
        message = "this is no key; write one such as size or expressway_e.peers.0.public"
        raise BadFileError([Problem(OPTION, None, key, message)])
    keys = re.findall(_PART, key)
    here = data
    location: list[str | int] = []
    new: Location | None = None
    for part in keys:
        last = len(location) == len(keys) - 1
        if isinstance(here, dict):
            if part not in here:
                new = new or (*location, part)
                here[part] = {}
            if last:
                here[part] = value
            here = here[part]
            location.append(part)
        elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
            index = int(part)
            if last:
                here[index] = value
            here = here[index]
            location.append(index)
        else:
            message = f"there is no {part!r} to set in {dotted(tuple(location)) or 'this file'}"
            raise BadFileError([Problem(OPTION, None, key, message)])
    return new or tuple(location)


def _with_advice(located: LocatedYaml) -> LocatedYaml:
    if located.data is None:
        message = "the file is empty; start from an example, or with `flowbridge init`"
        raise BadFileError([Problem(located.file, None, "", message)])
    return located


def _location(data: Data, parts: Iterable[str | int]) -> Location:
    """The keys of `parts` that are in the file (pydantic adds the names of union members)."""
    location: list[str | int] = []
    here = data
    for part in parts:
        if (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        ):
            here = here[part]  # type: ignore[index]
            location.append(part)
    return tuple(location)


def _without(
    model: type[Site], data: Data, left_out: list[Location], error: ValidationError
) -> Site | None:
    """The site without the faulty keys, where the rest can be judged on its own."""
    kinds = {part["type"] for part in error.errors() if part["loc"][0] not in APART}
    if not kinds <= {"extra_forbidden"}:
        return None
    rest = copy.deepcopy(data)
    for location in sorted(set(left_out), key=repr, reverse=True):
        _drop(rest, location)
    try:
        return model.model_validate(rest)
    except ValidationError:
        return None


def _drop(data: Data, location: Location) -> None:
    *path, last = location or ("",)
    for part in path:
        data = data[part]  # type: ignore[index]
    if isinstance(data, dict):
        data.pop(str(last), None)
    elif isinstance(data, list) and isinstance(last, int):
        data[last] = None


def _about(mistake: Mistake, left_out: Iterable[Location]) -> bool:
    """Whether a mistake may only be there because a faulty key below it was left out."""
    here = mistake.location
    return any(location[: len(here)] == here for location in left_out)
