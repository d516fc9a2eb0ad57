"""Where a value comes from that a plan does not know yet: the configuration's references, followed.

A group's id is unknown before an apply, and the rule that belongs to it says only `var.sg_id`. The
configuration tells which resource stands behind that: through variables, outputs, `for_each` and
the locals of well-known modules. Where it does not tell for certain, nothing is guessed: `Origin`
then lists what could not be followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path as File
from typing import Any, Final

from flowbridge.catalog.reading.kept_yaml import read_plain
from flowbridge.providers.terraform.shown.resources import Path, Shown

_LOCALS: Final = File(__file__).with_name("locals.yaml")
_NAMES: Final = File(__file__).with_name("names.yaml")
_DEPTH: Final = 40
_INDEX: Final = r'(\[(?:\d+|"(?:[^"\\]|\\.)*")\])?'
_RESOURCE: Final = re.compile(
    rf"^(?P<data>data\.)?(?P<type>[a-z][a-z0-9]*_[a-z0-9_]+)\.(?P<name>[A-Za-z_][\w-]*){_INDEX}"
    r"(?:\.(?P<attribute>\w+))?"
)
_MODULE: Final = re.compile(rf"^module\.(?P<name>[A-Za-z_][\w-]*){_INDEX}(?:\.(?P<output>[\w-]+))?")
_SILENT: Final = ("path.", "terraform.", "self.")
_INDICES: Final = ("each.key", "count.index")


@dataclass(frozen=True, slots=True)
class Origin:
    """`found`: the resources that the value can come from, and the attribute of each. `unfollowed`:
    references that may lead to any other."""

    found: tuple[tuple[Shown, str], ...] = ()
    unfollowed: tuple[str, ...] = ()

    def among(self, kinds: Iterable[str]) -> tuple[tuple[Shown, str], ...]:
        wanted = frozenset(kinds)
        return tuple(each for each in self.found if each[0].kind in wanted)

    @staticmethod
    def joined(parts: Iterable[Origin]) -> Origin:
        found: dict[tuple[str, str], tuple[Shown, str]] = {}
        unfollowed: dict[str, None] = {}
        for part in parts:
            found |= {
                (shown.address, attribute): (shown, attribute) for shown, attribute in part.found
            }
            unfollowed |= dict.fromkeys(part.unfollowed)
        return Origin(tuple(found.values()), tuple(unfollowed))


@dataclass(frozen=True, slots=True)
class _At:
    """Where an expression stands: a module instance, and the resource in it."""

    module: Path
    index: str = ""
    for_each: Mapping[str, Any] | None = None
    kinds: tuple[str, ...] = ()  # what is looked for

    def inside(self, module: Path, index: str = "", for_each: Any = None) -> _At:
        return _At(module, index, for_each, self.kinds)


class Configuration:
    """The configuration of a plan, with the instances that it has made."""

    def __init__(
        self,
        root: Mapping[str, Any],
        resources: Iterable[Shown],
        locals_: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """`locals_`: what further locals refer to, by name, as the user tells."""
        self._root = root
        self._told = {name: tuple(refers) for name, refers in (locals_ or {}).items()}
        self._of: dict[tuple[Path, str], list[Shown]] = {}
        self._modules: dict[Path, dict[str, None]] = {}
        for each in resources:
            self._of.setdefault((each.module, each.configured), []).append(each)
            for depth in range(len(each.module)):
                name, index = each.module[depth]
                inside = self._modules.setdefault((*each.module[:depth], (name, "")), {})
                inside[index] = None

    def body(self, shown: Shown) -> Mapping[str, Any]:
        """What the configuration says of a resource; nothing where it has none (a state)."""
        module, _ = self._module(shown.module)
        for body in module.get("resources") or ():
            if body.get("address") == shown.configured:
                return body  # type: ignore[no-any-return]
        return {}

    def origin(self, shown: Shown, expression: object, kinds: Iterable[str]) -> Origin | None:
        """Where the value of `expression`, of `shown`, comes from; None where nothing is told.

        `kinds`: the types that it can name.
        """
        references = _references(expression)
        if references is None:
            return None
        body = self.body(shown)
        at = _At(shown.module, shown.index, body.get("for_each_expression"), tuple(kinds))
        return self._follow(at, references, 0)

    # --- following ---------------------------------------------------------------------------

    def _follow(self, at: _At, references: Iterable[str], depth: int) -> Origin:
        if depth > _DEPTH:
            return Origin(unfollowed=("references that go round in a circle",))
        listed = tuple(dict.fromkeys(references))
        moving = any(ref.startswith("each.value") for ref in listed)
        indexed = any(ref in _INDICES for ref in listed)
        return Origin.joined(
            self._one(at, ref, depth, moving=moving, indexed=indexed) for ref in _longest(listed)
        )

    def _one(self, at: _At, ref: str, depth: int, *, moving: bool, indexed: bool) -> Origin:
        if ref in _INDICES or ref.startswith(_SILENT):
            return Origin()
        first, _, rest = ref.partition(".")
        if first == "each":
            each = _references(at.for_each)
            return (
                self._follow(at.inside(at.module), each, depth + 1)
                if each is not None
                else Origin(unfollowed=(ref,))
            )
        if first == "var":
            return self._variable(at, rest, depth)
        if first == "local":
            return self._local(at, rest, depth)
        if first == "module":
            return self._output(at, ref, depth, moving=moving, indexed=indexed)
        return self._resource(at, ref, moving=moving, indexed=indexed)

    def _variable(self, at: _At, rest: str, depth: int) -> Origin:
        """What the call gives for a variable. What it does not give is a default, and known."""
        if not at.module:
            return Origin()
        name = re.split(r"[.\[]", rest, maxsplit=1)[0]
        parent, _ = self._module(at.module[:-1])
        called, index = at.module[-1]
        call = (parent.get("module_calls") or {}).get(called, {})
        given = (call.get("expressions") or {}).get(name)
        references = _references(given)
        if references is None:
            return Origin()
        return self._follow(
            at.inside(at.module[:-1], index, call.get("for_each_expression")), references, depth + 1
        )

    def _local(self, at: _At, rest: str, depth: int) -> Origin:
        name = re.split(r"[.\[]", rest, maxsplit=1)[0]
        _, source = self._module(at.module)
        refers = self._told.get(name) or _well_known(source).get(name)
        if refers is not None:
            return self._follow(at.inside(at.module), refers, depth + 1)
        return self._scope(at, name, depth)

    def _scope(self, at: _At, name: str, depth: int) -> Origin:
        """A local that nobody tells can come of all that its module can see: of one thing only,
        and it is that."""
        module, _ = self._module(at.module)
        parts: list[Origin] = []
        for body in module.get("resources") or ():
            instances = self._of.get((at.module, str(body.get("address"))), [])
            if body.get("mode") == "data":
                if not instances or any(True in each.unknown.values() for each in instances):
                    parts.append(Origin(unfollowed=(f"local.{name}",)))
            elif not _inert(str(body.get("type"))):
                parts.append(Origin(tuple((each, "id") for each in instances)))
        if at.module:
            parent, _ = self._module(at.module[:-1])
            call = (parent.get("module_calls") or {}).get(at.module[-1][0], {})
            outside = at.inside(at.module[:-1], at.module[-1][1], call.get("for_each_expression"))
            parts.extend(
                self._follow(outside, _references(given) or (), depth + 1)
                for given in (call.get("expressions") or {}).values()
            )
        parts.extend(
            self._follow(at, (f"module.{child}.{output}",), depth + 1)
            for child, call in (module.get("module_calls") or {}).items()
            for output in (call.get("module") or {}).get("outputs") or {}
        )
        joined = Origin.joined(parts)
        if len(joined.found) == 1 and not joined.unfollowed and joined.among(at.kinds):
            return joined
        return Origin(joined.found, (*joined.unfollowed, f"local.{name}"))

    def _output(self, at: _At, ref: str, depth: int, *, moving: bool, indexed: bool) -> Origin:
        match = _MODULE.match(ref)
        if match is None or match["output"] is None:
            return Origin(unfollowed=(ref,))
        name, index = match["name"], match[2]
        known = tuple(self._modules.get((*at.module, (name, "")), {"": None}))
        instances = _chosen(known, index, at, moving=moving, indexed=indexed)
        parts = []
        for instance in instances:
            path = (*at.module, (name, instance))
            module, _ = self._module(path)
            output = (module.get("outputs") or {}).get(match["output"], {})
            references = _references(output.get("expression"))
            if references is None:
                parts.append(Origin() if output else Origin(unfollowed=(ref,)))
            else:
                parts.append(self._follow(at.inside(path), references, depth + 1))
        return Origin.joined(parts)

    def _resource(self, at: _At, ref: str, *, moving: bool, indexed: bool) -> Origin:
        match = _RESOURCE.match(ref)
        if match is None:
            return Origin(unfollowed=(ref,))
        configured = f"{match['data'] or ''}{match['type']}.{match['name']}"
        instances = self._of.get((at.module, configured), [])
        if match["data"] and not instances:
            return Origin(unfollowed=(ref,))
        chosen = _chosen(
            [each.index for each in instances], match[4], at, moving=moving, indexed=indexed
        )
        attribute = match["attribute"] or "id"
        return Origin(tuple((each, attribute) for each in instances if each.index in chosen))

    # --- modules -----------------------------------------------------------------------------

    def _module(self, path: Path) -> tuple[Mapping[str, Any], str]:
        """The configuration of a module, and the source that its call names."""
        module, source = self._root, ""
        for name, _ in path:
            call = (module.get("module_calls") or {}).get(name, {})
            module, source = call.get("module") or {}, str(call.get("source") or "")
        return module, source


def _chosen(
    known: Iterable[str], index: str | None, at: _At, *, moving: bool, indexed: bool
) -> tuple[str, ...]:
    """Of the instances `known` those that a reference can mean. With an index of its own that one,
    unless an index that moves stands beside it; with `each.key` that of the same key."""
    listed = tuple(known)
    if moving or len(listed) < 2:
        return listed
    if indexed:
        return (at.index,) if index is None and at.index in listed else listed
    return listed if index is None else tuple(each for each in listed if each == index)


def _longest(references: tuple[str, ...]) -> Iterator[str]:
    """Terraform lists `a.b.c`, `a.b` and `a`: the first says it all."""
    for ref in references:
        if not any(
            other.startswith((f"{ref}.", f"{ref}[")) for other in references if other != ref
        ):
            yield ref


def _references(expression: object) -> tuple[str, ...] | None:
    """All references in an expression, however deep; None where it is none."""
    if not isinstance(expression, Mapping | list):
        return None
    found: list[str] = []

    def walk(part: object) -> None:
        if isinstance(part, list):
            for item in part:
                walk(item)
        elif isinstance(part, Mapping):
            for key, value in part.items():
                if key == "references" and isinstance(value, list):
                    found.extend(map(str, value))
                elif key != "constant_value":
                    walk(value)

    walk(expression)
    return tuple(found)


def _inert(kind: str) -> bool:
    return any(fnmatchcase(kind, pattern) for pattern in _patterns())


@cache
def _patterns() -> tuple[str, ...]:
    return tuple(read_plain(_NAMES)["inert"])


@cache
def _well_known(source: str) -> Mapping[str, tuple[str, ...]]:
    for entry in read_plain(_LOCALS):
        if re.search(rf"(^|[/:@]){entry['module']}(/aws)?(//|\.git|\?|$)", source):
            return {name: tuple(refers) for name, refers in entry["locals"].items()}
    return {}
