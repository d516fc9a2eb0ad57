"""What `terraform show -json` writes of a plan or a state: resources with values, before and after.

A plan has the state that it starts from (`prior_state`), what will be there (`planned_values`, with
what is only known after the apply marked in `resource_changes`) and the configuration. A state has
`values`. Source: Terraform documentation, JSON output format, versions 1.x.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

# `module.edge["a"].module.rules[0]`: a key may hold any character, in quotes.
_STEP: Final = re.compile(r'module\.([^.\[]+)(\[(?:\d+|"(?:[^"\\]|\\.)*")\])?(?:\.|$)')
_MAJOR: Final = "1."

Path = tuple[tuple[str, str], ...]  # module calls from the root: name and index (`["a"]`, ``)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One resource instance. `unknown` has True where `values` tells nothing before an apply."""

    address: str
    module: Path
    kind: str
    name: str
    index: str  # `["web"]`, `[0]`, or nothing
    values: Mapping[str, Any]
    unknown: Mapping[str, Any] = field(default_factory=dict)
    data: bool = False

    @property
    def configured(self) -> str:
        """The address in the configuration of its module."""
        return f"{'data.' if self.data else ''}{self.kind}.{self.name}"


@dataclass(frozen=True, slots=True)
class ShownEstate:
    """Everything at one time: before or after a plan, or in a state."""

    resources: tuple[Shown, ...]
    configuration: Mapping[str, Any]
    # Why not all of the estate is told, a sentence each.
    gaps: tuple[str, ...] = ()


def is_shown(document: Mapping[str, Any]) -> bool:
    """Whether `document` is an output of `terraform show -json`."""
    return "format_version" in document and (
        "terraform_version" in document or "values" in document or "planned_values" in document
    )


@contextmanager
def as_terraform_writes() -> Iterator[None]:
    """Turns the stumble over a value of another type than Terraform has there (a text for a list)
    into a ValueError: a file that was edited or cut is the user's to mend."""
    try:
        yield
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(
            f"it holds a value of a shape that Terraform does not write ({error}); write it again "
            "with `terraform show -json`"
        ) from error


def is_plan(document: Mapping[str, Any]) -> bool:
    return "planned_values" in document or "resource_changes" in document


def after(document: Mapping[str, Any]) -> ShownEstate:
    """What a plan leads to, or what a state holds. ValueError for a shape that is not documented.

    What a plan does not speak of (because it has targets) stays as it was.
    """
    _checked(document)
    configuration = _mapping(_mapping(document, "configuration"), "root_module")
    if not is_plan(document):
        return ShownEstate(tuple(_everything(_mapping(document, "values"), {})), configuration)
    changes = {change["address"]: change for change in _changes(document)}
    unknown = {
        address: found
        for address, change in changes.items()
        if isinstance(found := _mapping(change, "change").get("after_unknown"), Mapping)
    }
    planned = list(_everything(_mapping(document, "planned_values"), unknown))
    here = {each.address for each in planned}
    kept = [
        each
        for each in before(document).resources
        if each.address not in here and (each.data or not _goes(changes.get(each.address)))
    ]
    return ShownEstate((*planned, *kept), configuration, tuple(_gaps(document)))


def before(document: Mapping[str, Any]) -> ShownEstate:
    """The state that a plan starts from; nothing where there was none."""
    _checked(document)
    prior = _mapping(_mapping(document, "prior_state"), "values")
    configuration = _mapping(_mapping(document, "configuration"), "root_module")
    return ShownEstate(tuple(_everything(prior, {})), configuration)


def _goes(change: Mapping[str, Any] | None) -> bool:
    # What Terraform forgets stays in the cloud.
    return change is not None and "delete" in _mapping(change, "change").get("actions", ())


def _gaps(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("errored"):
        yield "the plan ended in an error, and so is not whole"
    for deferred in document.get("deferred_changes") or ():
        change = _mapping(deferred, "resource_change")
        yield f"{change.get('address')}: its change is deferred to a later plan"
    for change in _changes(document):
        if "forget" in _mapping(change, "change").get("actions", ()):
            yield f"{change['address']}: Terraform forgets it, and it stays in the cloud as it is"


def _checked(document: Mapping[str, Any]) -> None:
    version = str(document.get("format_version"))
    if not version.startswith((_MAJOR, "0.")):
        raise ValueError(f"format_version is {version}: only 0.x and 1.x are read")


def _changes(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for change in document.get("resource_changes") or ():
        if not isinstance(change, Mapping) or not isinstance(change.get("address"), str):
            raise ValueError("`resource_changes` holds something without an address")
        if not change.get("deposed"):
            yield change


def _mapping(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise ValueError(f"`{key}` is {str(found)[:40]!r}, not an object")
    return found


def _everything(
    values: Mapping[str, Any], unknown: Mapping[str, Mapping[str, Any]]
) -> Iterator[Shown]:
    yield from _of_module(_mapping(values, "root_module"), unknown)


def _of_module(
    module: Mapping[str, Any], unknown: Mapping[str, Mapping[str, Any]]
) -> Iterator[Shown]:
    for body in module.get("resources") or ():
        try:
            address, kind, name = body["address"], body["type"], body["name"]
        except (TypeError, KeyError):
            raise ValueError("`resources` holds something without address, type and name") from None
        if body.get("deposed_key"):
            continue  # the old one of a replacement, which goes with the next apply
        given = body.get("index")
        index = "" if given is None else f"[{given}]" if isinstance(given, int) else f'["{given}"]'
        yield Shown(
            address=address,
            module=module_path(module.get("address") or ""),
            kind=kind,
            name=name,
            index=index,
            values=_mapping(body, "values"),
            unknown=unknown.get(address, {}),
            data=body.get("mode") == "data",
        )
    for child in module.get("child_modules") or ():
        yield from _of_module(child, unknown)


def module_path(address: str) -> Path:
    """The steps of `module.edge["a"].module.rules`."""
    return tuple((name, index or "") for name, index in _STEP.findall(address))
