"""The backends that Terraform has, with their arguments by name (`backends.yaml`).

A misspelt argument is found when Terraform starts, which is after the review; here it is found with
the file. `tests/terraform/test_backends.py` holds the table to Terraform itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from flowbridge.catalog.reading.kept_yaml import read_kept
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity

FILE: Final = Path(__file__).with_name("backends.yaml")


@dataclass(frozen=True, slots=True)
class Block:
    """A nested setting: an object with these arguments."""

    required: tuple[str, ...]
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendKind:
    """See the head of `backends.yaml`. `secrets`: the environment variable by argument."""

    name: str
    own: Mapping[str, Any]
    required: tuple[str, ...]
    arguments: tuple[str, ...]
    blocks: Mapping[str, Block] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    switches: tuple[str, ...] = ()

    def settings(self, site: Site) -> dict[str, Any]:
        """The arguments; each deployment keeps a state of its own unless told otherwise."""
        words = {"name": site.name, "under": site.name.replace("-", "_")}
        return {**_filled(self.own, words), **site.backend.settings}

    def block(self, site: Site) -> dict[str, Any]:
        """What stands in `terraform`: a `backend`, or `cloud`, which is a block of its own."""
        settings = self.settings(site)
        return {"cloud": settings} if self.name == "cloud" else {"backend": {self.name: settings}}


@cache
def backend_kinds() -> dict[str, BackendKind]:
    """By Terraform's name."""
    data = cast("dict[str, dict[str, Any]]", read_kept(FILE))
    return {
        name: BackendKind(
            name=name,
            own=entry["own"],
            required=tuple(entry["required"]),
            arguments=tuple(entry["arguments"]),
            blocks={
                key: Block(tuple(block["required"]), tuple(block["arguments"]))
                for key, block in entry.get("blocks", {}).items()
            },
            secrets=entry.get("secrets", {}),
            switches=tuple(entry.get("switches", ())),
        )
        for name, entry in data.items()
    }


def backend_gaps(site: Site) -> Iterator[Finding]:
    """A refusal for each argument that the backend lacks or does not have."""
    kind, settings = backend_kinds()[site.backend.type], site.backend.settings
    for name in kind.required:
        if name not in settings:
            yield _refusal(
                kind,
                name,
                f"the {kind.name} backend needs {name}: "
                f"write `backend: {{type: {kind.name}, settings: {{{name}: ...}}}}`",
            )
    for name, value in settings.items():
        if name in kind.blocks:
            yield from _inside(kind, name, value)
        elif name not in kind.arguments:
            yield _refusal(kind, name, _unknown(kind, name), found="unknown")
        elif name in kind.switches:
            if str(value).lower() not in ("true", "false"):
                yield _refusal(kind, name, f"{name} is true or false, not {value!r}", found="value")
        elif isinstance(value, bool):
            message = f"{name} is a text, not {str(value).lower()}; write it in quotes"
            yield _refusal(kind, name, message, found="value")


def _inside(kind: BackendKind, name: str, value: object) -> Iterator[Finding]:
    block = kind.blocks[name]
    if not isinstance(value, Mapping):
        first = (block.required or block.arguments)[0]
        message = f"{name} has settings of its own: write `{name}: {{{first}: ...}}`"
        yield _refusal(kind, name, message)
        return
    for key in block.required:
        if key not in value:
            message = f"{name} needs {key}: write `{name}: {{{key}: ...}}`"
            yield _refusal(kind, f"{name}.{key}", message)
    for key in value:
        if key not in block.arguments:
            message = f"{name} of the {kind.name} backend has no {key}: "
            message += _nearest(key, block.arguments)
            yield _refusal(kind, f"{name}.{key}", message, found="unknown")


def _unknown(kind: BackendKind, name: str) -> str:
    bare = name.removeprefix("assume_role_")
    for key, block in kind.blocks.items():
        if bare in block.arguments:
            return f"{name} belongs in {key}: write `{key}: {{{bare}: ...}}`"
    known = (*kind.arguments, *kind.blocks)
    return f"the {kind.name} backend has no argument {name}: {_nearest(name, known)}"


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"write {near[0]}" if near else f"write one of {', '.join(sorted(known))}"


def _refusal(kind: BackendKind, key: str, message: str, *, found: str = "incomplete") -> Finding:
    return Finding(
        id=f"stacks/backend-{found}",
        severity=Severity.REFUSAL,
        message=message,
        source=f"Terraform, backend type {kind.name}",
        key=f"backend.settings.{key}",
    )


def secrets_of(site: Site) -> Iterator[tuple[str, str]]:
    """Key and environment variable of each secret that stands in the backend's settings."""
    kind, settings = backend_kinds()[site.backend.type], site.backend.settings
    for name, value in settings.items():
        inside = value if name in kind.blocks and isinstance(value, Mapping) else {}
        for key in (name, *(f"{name}.{part}" for part in inside)):
            secret = key.rpartition(".")[2]
            if secret in kind.secrets:
                yield key, kind.secrets[secret]


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    match value:
        case str():
            return value.format_map(words)
        case Mapping():
            return {key: _filled(each, words) for key, each in value.items()}
    return value
