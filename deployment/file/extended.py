"""A deployment file with what it extends: one file's data, each key with the place it stands at.

`extends: ../common.yaml` gives the keys that a file does not have itself: sections are merged key
by key, all the way down; lists and single values are the file's own. `accept: accepted.yaml` is
the list in a file beside.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from flowbridge.catalog.reading.located_yaml import (
    BadFileError,
    Data,
    LocatedYaml,
    Location,
    Problem,
    read_yaml,
)

EXTENDS: Final = "extends"
ACCEPT: Final = "accept"
# A deployment file of others must not make us show what else is on this machine.
OUTSIDE: Final = (
    "this is no {what} that can be read. It lies outside the deployment's folder, so nothing of it "
    "is shown: move it there to see what is wrong"
)


def read_deployment(path: Path) -> LocatedYaml:
    """The file at `path` over what it extends. BadFileError with the lines of either file."""
    return _read(path, path, ())


def extended(located: LocatedYaml, path: Path) -> LocatedYaml:
    """What stands at `path`, or would, over what it extends."""
    return _extended(_with_acceptances(located, path, path), path, path, ())


def is_near(path: Path, deployment: Path, *, shared: bool = False) -> bool:
    """Whether `path` is in the deployment's folder tree, in this one, or in its repository.

    `shared`: or in the folder above the deployment's, where what several of them share lies.
    """
    try:
        where = path.resolve()
        folder = deployment.parent.resolve()
        above = (folder.parent,) if shared and folder.parent != folder.parent.parent else ()
        near = (folder, Path.cwd(), *_repository(folder), *above)
        return any(where.is_relative_to(each) for each in near)
    except (OSError, RuntimeError, ValueError):
        return False


def _repository(folder: Path) -> Iterator[Path]:
    found = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    if found is not None:
        yield found


def _read(path: Path, deployment: Path, within: tuple[str, ...]) -> LocatedYaml:
    """`within` are the files, by their real paths, that extend this one."""
    return _extended(_with_acceptances(read_yaml(path), path, deployment), path, deployment, within)


def _extended(
    located: LocatedYaml, path: Path, deployment: Path, within: tuple[str, ...]
) -> LocatedYaml:
    if not isinstance(located.data, dict) or EXTENDS not in located.data:
        return located
    named = located.data[EXTENDS]
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadFileError(
            [located.problem((EXTENDS,), "write the name of a file, or a list of names")]
        )
    below: LocatedYaml | None = None
    chain = (*within, os.path.realpath(path))
    for index, name in enumerate(names):
        location: Location = (EXTENDS,) if isinstance(named, str) else (EXTENDS, index)
        here = _below(located, location, path, str(name), deployment, chain)
        below = here if below is None else _merged(below, here)
    return located if below is None else _merged(below, located)


def _below(
    located: LocatedYaml,
    location: Location,
    path: Path,
    name: str,
    deployment: Path,
    chain: tuple[str, ...],
) -> LocatedYaml:
    """The file of one name in `extends`, with its own."""
    file = _beside(path, name)
    if os.path.realpath(file) in chain:
        raise BadFileError(
            [located.problem(location, f"{name} extends this file in turn; break the circle")]
        )
    if not file.exists():
        message = f"there is no file {file}; check the path"
        raise BadFileError([located.problem(location, message)])
    outside = OUTSIDE.format(what="part of a deployment file")
    near = is_near(file, deployment, shared=True)
    try:
        found = _read(file, deployment, chain)
        if found.data is not None and not isinstance(found.data, dict):
            raise BadFileError([Problem(found.file, 1, "", "write keys and values here")])
    except BadFileError as error:
        if near:
            raise
        raise BadFileError(
            [replace(each, key="", message=outside) for each in error.problems]
        ) from None
    data = dict(found.data) if isinstance(found.data, dict) else {}
    data.pop(EXTENDS, None)
    _rebase(data, file, path)
    hidden = found.hidden if near else {**found.hidden, found.file: outside}
    return replace(found, data=data, hidden=hidden)


def _beside(path: Path, name: str) -> Path:
    return Path(os.path.normpath(path.parent / name))


def _rebase(data: dict[str, Data], file: Path, user: Path) -> None:
    """Overlays are named from the folder of the file that names them."""
    overlays = data.get("overlays")
    if isinstance(overlays, list) and file.parent != user.parent:
        data["overlays"] = [
            os.path.relpath(file.parent / each, user.parent) if isinstance(each, str) else each
            for each in overlays
        ]


def _with_acceptances(located: LocatedYaml, path: Path, deployment: Path) -> LocatedYaml:
    """The acceptances of a file beside in the place of its name."""
    if not isinstance(located.data, dict) or not isinstance(located.data.get(ACCEPT), str):
        return located
    name = str(located.data[ACCEPT])
    file = _beside(path, name)
    if not file.exists():
        message = f"there is no file {file}; write a list, or the name of a file that holds one"
        raise BadFileError([located.problem((ACCEPT,), message)])
    near = is_near(file, deployment, shared=True)
    outside = OUTSIDE.format(what="list of acceptances")
    try:
        beside = read_yaml(file)
    except BadFileError as error:
        if near:
            raise
        raise BadFileError(
            [replace(each, key="", message=outside) for each in error.problems]
        ) from None
    lines = {(ACCEPT, *place): line for place, line in beside.lines.items()}
    return replace(
        located,
        data={**located.data, ACCEPT: beside.data if beside.data is not None else []},
        lines={**located.lines, **lines},
        files={**located.files, **dict.fromkeys(lines, beside.file)},
        hidden=located.hidden if near else {**located.hidden, beside.file: outside},
    )


def _merged(below: LocatedYaml, above: LocatedYaml) -> LocatedYaml:
    """`above` over `below`; a key of `below` keeps its file and line."""
    lines, files = dict(above.lines), dict(above.files)
    covers = {**below.covers, **above.covers}

    def inherit(location: Location) -> None:
        for place, line in below.lines.items():
            if place[: len(location)] == location:
                lines[place] = line
                files[place] = below.files.get(place, below.file)

    def merge(low: Mapping[str, Data], high: Mapping[str, Data], at: Location) -> dict[str, Data]:
        found: dict[str, Data] = {}
        for key in (*low, *(key for key in high if key not in low)):
            here = (*at, key)
            if key not in high:
                found[key] = low[key]
                inherit(here)
                continue
            mine, theirs = high[key], low.get(key)
            if isinstance(mine, dict) and isinstance(theirs, dict):
                found[key] = merge(theirs, mine, here)
            else:
                found[key] = mine
                if key in low:
                    file, line = below.place_of(here)
                    covers[here] = f"{file}:{line}"
        return found

    low = below.data if isinstance(below.data, dict) else {}
    high = above.data if isinstance(above.data, dict) else {}
    data = merge(low, high, ())
    hidden = {**below.hidden, **above.hidden}
    return replace(above, data=data, lines=lines, files=files, covers=covers, hidden=hidden)
