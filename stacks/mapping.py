"""The mapping file of `flowbridge judge`: what in a plan of others is which interface of ours."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from flowbridge.catalog.reading.located_yaml import BadFileError, LocatedYaml, Problem, read_yaml
from flowbridge.deployment.file.site import Site
from flowbridge.policy.compiled import Policy
from flowbridge.providers.meaning.foreign import Wearing

_SECTIONS: Final = ("interfaces", "subnets", "locals")


def read_mapping(path: Path, policy: Policy, site: Site) -> Wearing:
    """BadFileError, with the line, for a key or a name that the deployment does not have."""
    read = read_yaml(path)
    data = read.data
    if data is None:
        return Wearing()
    if not isinstance(data, dict):
        raise BadFileError(
            [
                read.problem(
                    (), "write sections: interfaces, subnets, locals; each maps a name to a list"
                )
            ]
        )
    problems: list[Problem] = []
    _known(read, (), data, _SECTIONS, problems)
    keys = [interface.key for interface in policy.interfaces]
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for section, names in (
        ("interfaces", keys),
        ("subnets", [*site.network.tiers]),
        ("locals", None),
    ):
        content = data.get(section)
        if content is None:
            continue
        if not isinstance(content, dict):
            problems.append(read.problem((section,), "write NAME: [...] lines below it"))
            continue
        if names is not None:
            _known(read, (section,), content, names, problems)
        for name, listed in content.items():
            several = [listed] if isinstance(listed, str) else listed
            if not isinstance(several, list) or not all(isinstance(each, str) for each in several):
                problems.append(read.problem((section, name), "write a list of names"))
                continue
            found.setdefault(section, {})[name] = tuple(map(str, several))
    if problems:
        raise BadFileError(problems)
    return Wearing(found.get("interfaces", {}), found.get("subnets", {}), found.get("locals", {}))


def bad_mapping(path: Path | None, key: str, message: str, plan: Path) -> BadFileError:
    """A mapping that does not fit the plan, at its line."""
    section, _, name = key.partition(".")
    if path is None:
        return BadFileError([Problem(str(plan), None, key, message)])
    return BadFileError([read_yaml(path).problem((section, name), message)])


def _known(
    read: LocatedYaml,
    where: tuple[str, ...],
    content: Mapping[str, object],
    names: list[str] | tuple[str, ...],
    problems: list[Problem],
) -> None:
    for name in content:
        if name not in names:
            near = get_close_matches(str(name), names, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"
            problems.append(read.problem((*where, name), f"there is no such name{hint}"))
