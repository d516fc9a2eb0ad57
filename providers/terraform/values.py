"""The values of a block of Terraform: where they stand, what is in them, when two are one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value and where it stands: `security_rule.name`."""

    path: str
    value: object


def leaves(value: object, without: Iterable[str] = (), path: str = "") -> Iterator[Leaf]:
    """Every value below `value`, but for the keys `without` at its top."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if path or key not in without:
                # A key may be the name of a tag (`resource_manager_tags`).
                if path and not isinstance(item, Mapping | list):
                    yield Leaf(path, key)
                yield from leaves(item, (), f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, (), path)
    elif value is not None:
        yield Leaf(path, value)


def at_path(value: object, path: list[str]) -> Iterator[Any]:
    """The values at `path`, each item of a list by itself; the list as well."""
    if not path:
        yield value
        if isinstance(value, list):
            yield from value
    elif isinstance(value, list):
        for item in value:
            yield from at_path(item, path)
    elif isinstance(value, Mapping) and path[0] in value:
        yield from at_path(value[path[0]], path[1:])


def objects(value: object) -> list[Mapping[str, Any]]:
    """The blocks, where one may stand alone."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def texts(value: object) -> tuple[str, ...]:
    """The texts, where one may stand alone."""
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


def tokens(text: str) -> tuple[str, ...]:
    """The names in a value: itself, an address without its length, the parts of a path."""
    whole = text.lower()
    parts = whole.split("/") if "/" in whole else ()
    return (whole, *parts)


def given(value: object) -> bool:
    """Null and the empty list, text or block are the same as left out; so is `false`."""
    return value not in (None, "", [], {}, False)


def same(value: object, plan: object) -> bool:
    """Whether both are one value to Terraform: a block alone or in a list, a number or a text."""
    if not given(value) and not given(plan):
        return True
    if isinstance(plan, list) != isinstance(value, list):
        value = value if isinstance(value, list) else [value]
        plan = plan if isinstance(plan, list) else [plan]
    if isinstance(plan, list) and isinstance(value, list):
        return len(plan) == len(value) and all(map(same, value, plan))
    if isinstance(plan, Mapping) and isinstance(value, Mapping):
        return all(same(value.get(key), plan.get(key)) for key in plan.keys() | value.keys())
    if isinstance(plan, bool) or isinstance(value, bool):
        return str(value).lower() == str(plan).lower()
    return str(value) == str(plan)


def short(value: object) -> str:
    """For a message."""
    text = str(value)
    return text if len(text) < 80 else f"{text[:77]}..."
