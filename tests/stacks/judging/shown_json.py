"""Plans and states in the shape of `terraform show -json`, written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def resource(
    kind: str,
    name: str,
    values: Mapping[str, Any],
    *,
    module: str = "",
    index: str | int | None = None,
    unknown: Mapping[str, Any] | None = None,
    data: bool = False,
) -> Json:
    """One instance; `unknown` is its `after_unknown`, `module` as in `module.edge["a"]`."""
    at = "" if index is None else f"[{index}]" if isinstance(index, int) else f'["{index}"]'
    own = f"{'data.' if data else ''}{kind}.{name}{at}"
    body: Json = {
        "address": f"{module}.{own}" if module else own,
        "mode": "data" if data else "managed",
        "type": kind,
        "name": name,
        "values": dict(values),
        "module": module,
        "unknown": dict(unknown or {}),
    }
    return body if index is None else {**body, "index": index}


def configured(kind: str, name: str, /, for_each: Any = None, **expressions: Any) -> Json:
    """A resource of the configuration. A list of texts is what an expression refers to."""
    body: Json = {
        "address": f"{kind}.{name}",
        "mode": "managed",
        "type": kind,
        "name": name,
        "expressions": {key: refers(value) for key, value in expressions.items()},
    }
    if for_each is not None:
        body["for_each_expression"] = refers(for_each)
    return body


def refers(value: Any) -> Json:
    """As Terraform lists references: `a.b.id` stands for itself and for what it is part of."""
    if not isinstance(value, list):
        return {"constant_value": value}
    listed: list[str] = []
    for text in value:
        listed.append(text)
        while "." in text.removeprefix("data.") and not text.startswith(
            ("var.", "local.", "each.")
        ):
            text = text[:-3] if text.endswith("[0]") else text.rpartition(".")[0]
            if text.count(".") < 1:
                break
            listed.append(text)
    return {"references": listed}


def module_of(
    *resources: Json,
    outputs: Mapping[str, Any] | None = None,
    calls: Mapping[str, Json] | None = None,
) -> Json:
    return {
        "resources": list(resources),
        "outputs": {name: {"expression": refers(v)} for name, v in (outputs or {}).items()},
        "module_calls": dict(calls or {}),
    }


def call(source: str, module: Json, /, **expressions: Any) -> Json:
    return {
        "source": source,
        "module": module,
        "expressions": {key: refers(value) for key, value in expressions.items()},
    }


def plan(
    planned: Sequence[Json],
    configuration: Json | None = None,
    *,
    prior: Sequence[Json] = (),
    actions: Mapping[str, list[str]] | None = None,
) -> Json:
    """`actions`: by address, where they are not those of a first apply."""
    before = {each["address"]: each for each in prior}
    after = {each["address"]: each for each in planned}
    changes = []
    for address in dict.fromkeys((*before, *after)):
        here = after.get(address) or before[address]
        done = ["create"] if address not in before else ["delete"]
        if address in before and address in after:
            same = before[address]["values"] == after[address]["values"]
            done = ["no-op"] if same else ["update"]
        changes.append(
            {
                "address": address,
                "mode": here["mode"],
                "type": here["type"],
                "name": here["name"],
                "change": {
                    "actions": (actions or {}).get(address, done),
                    "before": before.get(address, {}).get("values"),
                    "after": after.get(address, {}).get("values"),
                    "after_unknown": here["unknown"],
                },
            }
        )
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.8",
        "planned_values": {"root_module": _tree(planned)},
        "resource_changes": changes,
        "prior_state": {
            "format_version": "1.0",
            "terraform_version": "1.9.8",
            "values": {"root_module": _tree(prior)},
        },
        "configuration": {"root_module": configuration or module_of()},
    }


def state(resources: Sequence[Json]) -> Json:
    return {
        "format_version": "1.0",
        "terraform_version": "1.9.8",
        "values": {"root_module": _tree(resources)},
    }


def _tree(resources: Iterable[Json]) -> Json:
    root: Json = {"resources": [], "child_modules": []}
    known = {"": root}

    def of(address: str) -> Json:
        if address not in known:
            parent = address.rpartition(".module.")[0]
            known[address] = {"address": address, "resources": [], "child_modules": []}
            of(parent)["child_modules"].append(known[address])
        return known[address]

    for each in resources:
        shown = {key: value for key, value in each.items() if key not in ("module", "unknown")}
        of(each["module"])["resources"].append(shown)
    return root
