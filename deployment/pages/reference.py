"""The reference of the deployment file (`docs/deployment.md`), made from the model and the catalog.

    python -m flowbridge.deployment.pages.reference > docs/deployment.md

The prose and the examples stand in `reference.md.j2`; every table of keys, services, systems and
ports is made here from the JSON Schema and the catalog, so that none can be out of date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.load import Catalog, load
from flowbridge.catalog.party import Party
from flowbridge.catalog.ports import HIGHEST_PORT
from flowbridge.catalog.row import Table
from flowbridge.deployment.checks.names import parameter_names, system_names
from flowbridge.deployment.interfaces import CORE, EDGE
from flowbridge.deployment.pages.schema import NEEDED_WITHOUT_PLACES, deployment_schema
from flowbridge.deployment.selection.parties import CLUSTER_PARTIES

Schema = Mapping[str, Any]

_TEMPLATE: Final = Path(__file__).with_name("reference.md.j2")


def reference_text(catalog: Catalog) -> str:
    """The whole page as Markdown. KeyError where the template names a section that is gone."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    schema = deployment_schema(catalog)
    templates = Environment(
        loader=FileSystemLoader(_TEMPLATE.parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown; the cells are made harmless below
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return templates.get_template(_TEMPLATE.name).render(
        keys=lambda path: _keys(schema, path),
        options=_option_sections(schema),
        services=_services(catalog),
        systems=_systems(catalog),
        parameters=_parameters(catalog),
    )


def sections(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every section of the file as (path, schema): `""`, `network`, `network.tiers.NAME`, ..."""
    yield from _below(schema, "", schema)


def _below(root: Schema, path: str, section: Schema) -> Iterator[tuple[str, Schema]]:
    yield path, section
    for name, part in section.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        for step, inner in _nested(root, part):
            # What a named cluster or a place has below it is what one cluster, or the file, has.
            if not re.match(r"(expressway_[ec]|places)\.NAME\.", here + step):
                yield from _below(root, here + step, inner)


def _nested(root: Schema, part: Schema) -> Iterator[tuple[str, Schema]]:
    """The section in a key: itself, one by name, or one an entry of a list."""
    named = [part.get("additionalProperties"), *part.get("patternProperties", {}).values()]
    for step, inner in (
        ("", part),
        ("", part.get("then")),
        *((".NAME", each) for each in part.get("else", {}).get("patternProperties", {}).values()),
        *(("", kind) for kind in part.get("anyOf", ())),
        *(step for kind in part.get("oneOf", ()) for step in [("[]", kind.get("items"))]),
        ("[]", part.get("items")),
        *((".NAME", each) for each in named),
    ):
        if isinstance(inner, dict) and "properties" in (found := _resolved(root, inner)):
            yield step, found


def _resolved(root: Schema, part: Schema) -> Schema:
    reference = part.get("$ref")
    if reference is None:
        return part
    found: Schema = root["$defs"][reference.rpartition("/")[2]]
    return {**found, **{key: value for key, value in part.items() if key != "$ref"}}


def _keys(root: Schema, path: str) -> str:
    """The table of the keys of one section."""
    section = dict(sections(root))[path]
    required = {*section.get("required", ()), *(() if path else NEEDED_WITHOUT_PLACES)}
    lines = [
        (
            f"`{name}`",
            _what(root, part),
            "required" if name in required else _default(part),
            _resolved(root, part).get("description", ""),
        )
        for name, part in section["properties"].items()
    ]
    return _table(("Key", "What to write", "Default", "What it is"), lines)


def _option_sections(root: Schema) -> list[tuple[str, str]]:
    """(path, description) of the sections inside `options`."""
    return [
        (path, section.get("description", ""))
        for path, section in sections(root)
        if path.startswith("options.")
    ]


def _default(part: Schema) -> str:
    match part.get("default"):
        case None | "":
            return "optional"
        case bool(value):
            return f"`{str(value).lower()}`"
        case []:
            return "none"
        case list(values):
            return f"`[{', '.join(map(str, values))}]`"
        case value:
            return f"`{value}`"


def _what(root: Schema, part: Schema) -> str:
    """What to write at a key, in words."""
    found = _resolved(root, part)
    match found:
        case {"enum": [*values]}:
            return _or(f"`{value}`" for value in values)
        case {"anyOf": [*_]}:
            return _one_of(root, found)
        case {"type": ["array", "object"], "items": items}:
            return f"a list of {_plural(root, items)}, or a map of them"
        case {"oneOf": [*kinds]}:
            return _or(_what(root, kind) for kind in kinds)
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"type": "integer"}:
            return _number(found)
        case {"type": "array", "items": items}:
            return f"a list of {_plural(root, items)}"
        case {"type": "object"}:
            return _mapping(root, found)
        case {"type": "string", "examples": [*examples]}:
            return f"a text such as {_or(f'`{text}`' for text in examples)}"
    return "a text"


def _one_of(root: Schema, part: Schema) -> str:
    if _ports(part):
        return "a port or range"
    match part["anyOf"]:
        case [one, {"type": "array"}] if "10.0.1.11" in one.get("examples", ()):
            return "an address or CIDR, or a list of them"
        case [{"type": "string"}, {"type": "array"}] if "examples" in part:
            return f"a text such as `{part['examples'][0]}`, or a list of them"
        case [*_, {"type": "array"}]:
            return "a port or range, or a list of them"
    return _or(_what(root, kind) for kind in part["anyOf"])


def _mapping(root: Schema, part: Schema) -> str:
    if "properties" in part:
        return "a section, below"
    steps = {step for step, _ in _nested(root, part)}
    if {"", ".NAME"} <= steps:
        return "a section, or sections by name, below"
    if ".NAME" in steps:
        return "sections by name, below"
    values = [part.get("additionalProperties"), *part.get("patternProperties", {}).values()]
    texts = [_what(root, value) for value in values if isinstance(value, dict)]
    return f"names, each with {_or(texts) or 'a value'}"


def _ports(part: Schema) -> bool:
    match part:
        case {"anyOf": [{"type": "integer", "maximum": 65535}, {"type": "string"}]}:
            return True
    return False


def _number(part: Schema) -> str:
    low, high = part.get("minimum"), part.get("maximum")
    if (low, high) == (1, HIGHEST_PORT):
        return "a port"
    if low is None and high is None:
        return "a number"
    return f"a number, {low} to {high}" if high is not None else f"a number from {low}"


def _plural(root: Schema, items: Schema) -> str:
    found = _resolved(root, items)
    if "properties" in found:
        return "sections, below"
    if "enum" in found and len(found["enum"]) <= 5:
        return _or(f"`{value}`" for value in found["enum"])
    named = any("enum" in kind for kind in (found, *found.get("anyOf", ())))
    return "names, below" if named else "texts"


def _or(words: Iterable[str]) -> str:
    listed = list(words)
    return " or ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 2 else listed)


def _services(catalog: Catalog) -> str:
    """Each service with its tables, what they are about and the systems that they name."""
    lines: list[tuple[str, ...]] = []
    for service in catalog.services:
        tables = catalog.tables_of(service)
        lines.append(
            (
                f"`{service}`",
                "; ".join(dict.fromkeys(table.title.en for table in tables)),
                ", ".join(f"{table.document}/{table.table}" for table in tables),
                str(sum(len(table.rows) for table in tables)),
                _named(_parties(tables), catalog.parties),
            )
        )
    return _table(("Service", "What it opens", "Tables", "Rows", "Systems it names"), lines)


def _named(names: set[str], parties: Mapping[str, Party]) -> str:
    """The systems to list, and those that stand for the internet unless they are."""
    others = sorted(names - {*CLUSTER_PARTIES, EDGE, CORE})
    listed = [f"`{name}`" for name in others if parties[name].default is None]
    internet = [f"`{name}`" for name in others if parties[name].default is not None]
    text = ", ".join(listed)
    if internet:
        text += f"{'; ' if text else ''}as the internet: {', '.join(internet)}"
    return text


def _systems(catalog: Catalog) -> str:
    """Every name that may stand under `systems`."""
    used: dict[str, list[str]] = {}
    for service in catalog.services:
        for name in _parties(catalog.tables_of(service)):
            used.setdefault(name, []).append(f"`{service}`")
    lines = [
        (f"`{name}`", party.en, _standing(name, party), ", ".join(used.get(name, ())))
        for name in sorted(system_names(catalog))
        for party in [catalog.parties[name]]
    ]
    return _table(("System", "Who it is", "Where it is not listed", "Services"), lines)


def _parties(tables: Iterable[Table]) -> set[str]:
    """The parties of the rows, errata applied."""
    return {
        reference.party
        for table in tables
        for row in (*table.rows, *(extra.row for extra in table.added))
        for cell in (row.corrected().source, row.corrected().destination)
        for reference in cell.parties
    }


def _standing(name: str, party: Party) -> str:
    if name in (EDGE, CORE):
        return f"described under `{name.replace('-', '_')}`"
    if party.default == "internet":
        return "every address"
    if party.addresses:
        return ", ".join(map(str, party.addresses))
    return "its rows open nothing"


def _parameters(catalog: Catalog) -> str:
    """The names that may stand under `options.ports`."""
    lines = [
        (
            f"`{name}`",
            ", ".join(map(str, known.default)) if known.default else "as each row prints",
            known.description,
            known.row or known.source or "",
        )
        for name in sorted(parameter_names(catalog))
        for known in [catalog.parameters[name]]
    ]
    return _table(("Name", "Ports", "What they are", "Printed in"), lines)


def _table(heading: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heading, ["---"] * len(heading), *lines]
    return "".join("| " + " | ".join(map(_cell, row)) + " |\n" for row in rows)


def _cell(text: str) -> str:
    """One line; bars and angle brackets are not Markdown's."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<")


if __name__ == "__main__":
    sys.stdout.write(reference_text(load()))
