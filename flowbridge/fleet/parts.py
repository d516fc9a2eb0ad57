"""One part of many deployments: files that are judged together, most often one, as plain data.

`judged` is a function of what the files say, of the program, the day and the options; so its
answer is kept by these and found again by them (`kept_part`). Every file that was read on the way
is written down with the digest of its content, overlays and what is extended included, and an
answer is taken only where all of them are as they were. Refused files are not kept.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowbridge.catalog.reading import cache_folder
from flowbridge.catalog.reading.located_yaml import BadFileError, Problem
from flowbridge.catalog.reading.recorded import reads_recorded
from flowbridge.fleet.footprint import NOTHING, Footprint, footprint
from flowbridge.fleet.site_answer import (
    DisagreementAnswer,
    RehearsalAnswer,
    SiteAnswer,
    disagreement_answers,
    rehearsal_answer,
    site_answer,
)

if TYPE_CHECKING:
    from flowbridge.stacks.pipeline import Built

_PACKAGE: Final = Path(__file__).parents[1]
_FOLDERS: Final = ("answers", "results", "ingest")  # of these an answer knows nothing
PREFIX: Final = "check-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`problems` are why the files cannot be judged; then there is nothing else."""

    files: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    sites: tuple[SiteAnswer, ...] = ()
    rehearsals: tuple[RehearsalAnswer, ...] = ()
    disagreements: tuple[DisagreementAnswer, ...] = ()
    footprint: Footprint = NOTHING

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Part:
        """What `as_plain` gave, after JSON."""
        return cls(
            files=tuple(data["files"]),
            problems=tuple(Problem(**each) for each in data["problems"]),
            sites=tuple(map(SiteAnswer.from_plain, data["sites"])),
            rehearsals=tuple(map(RehearsalAnswer.from_plain, data["rehearsals"])),
            disagreements=tuple(DisagreementAnswer(**each) for each in data["disagreements"]),
            footprint=Footprint.from_plain(data["footprint"]),
        )

    def as_plain(self) -> dict[str, Any]:
        return {
            "files": list(self.files),
            "problems": [asdict(each) for each in self.problems],
            "sites": [each.as_plain() for each in self.sites],
            "rehearsals": [each.as_plain() for each in self.rehearsals],
            "disagreements": [asdict(each) for each in self.disagreements],
            "footprint": self.footprint.as_plain(),
        }


def judged(files: Sequence[Path], *, plain: bool) -> Part:
    """The files judged together, as `flowbridge check` of them alone would; `plain`: with what
    the JSON answer says of each."""
    from flowbridge.stacks.pipeline import build_all

    names = tuple(map(str, files))
    try:
        built = build_all(files)
    except BadFileError as error:
        return Part(files=names, problems=error.problems)
    refused = tuple(problem for each in built for problem in each.refused())
    return (
        Part(files=names, problems=refused) if refused else judged_built(names, built, plain=plain)
    )


def judged_built(names: tuple[str, ...], built: Sequence[Built], *, plain: bool) -> Part:
    """The same of what was built already and is not refused."""
    from flowbridge.fleet.plain_deployment import plain_deployment
    from flowbridge.stacks.agreement import disagreements_of
    from flowbridge.stacks.pipeline import judge
    from flowbridge.stacks.rehearsal import rehearsals

    try:
        checked = [judge(each) for each in built]
    except ValueError as error:  # what is written cannot be read back
        return Part(files=names, problems=(Problem(names[0], None, "", str(error)),))
    return Part(
        files=names,
        problems=(),
        sites=tuple(
            site_answer(each, plain_deployment(each) if plain else None) for each in checked
        ),
        rehearsals=tuple(rehearsal_answer(each, plain=plain) for each in rehearsals(checked)),
        disagreements=disagreement_answers(disagreements_of(built)),
        footprint=footprint(built),
    )


def judged_or_kept(files: Sequence[Path], *, plain: bool) -> dict[str, Any]:
    """`judged` as plain data, from what is kept where nothing has changed."""
    found = kept_part(files, plain=plain)
    if found is not None:
        return found
    with reads_recorded() as reads:
        part = judged(files, plain=plain)
    told = part.as_plain()
    if not part.problems:
        body = {"reads": dict(reads), "part": told}
        cache_folder.keep(_name(files, plain=plain), json.dumps(body).encode())
    return told


def kept_part(files: Sequence[Path], *, plain: bool) -> dict[str, Any] | None:
    """What is kept of these files, where every file that it was made from is as it was."""
    body = cache_folder.kept(_name(files, plain=plain))
    if body is None:
        return None
    found = json.loads(body)
    for path, content in found["reads"].items():
        try:
            if cache_folder.digest(Path(path).read_bytes()) != content:
                return None
        except (OSError, ValueError):
            return None
    part: dict[str, Any] = found["part"]
    return part


def _name(files: Sequence[Path], *, plain: bool) -> str:
    """Of everything that an answer depends on but the content of the files."""
    from flowbridge.deployment.checks.accepted import today

    own = {name: value for name, value in os.environ.items() if name.startswith("FLOWBRIDGE_")}
    own.pop(cache_folder.VARIABLE, None)
    about = [
        list(map(str, files)),
        [str(file.resolve()) for file in files],
        str(Path.cwd()),
        plain,
        str(today()),
        own,
        program_digest(),
    ]
    return PREFIX + cache_folder.digest(json.dumps(about, sort_keys=True).encode())


@cache
def program_digest() -> str:
    """Of every file of the program, and of the versions of what it stands on."""
    import pydantic
    import yaml

    listed = [platform.python_version(), pydantic.VERSION, str(yaml.__version__)]
    listed.extend(
        f"{path.relative_to(_PACKAGE)} {cache_folder.digest(path.read_bytes())}"
        for path in _program_files()
    )
    return cache_folder.digest("\n".join(listed).encode())


def _program_files() -> Iterator[Path]:
    for folder, below, names in os.walk(_PACKAGE, followlinks=True):
        below[:] = sorted(name for name in below if name not in (*_FOLDERS, "__pycache__"))
        for name in sorted(names):
            if name.endswith((".py", ".yaml", ".json")) or name == "VERSION":
                yield Path(folder) / name
