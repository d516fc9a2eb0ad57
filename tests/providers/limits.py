"""The rules of `limits.yaml`, and what is wrong with a document by them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import yaml

Body = Mapping[str, Any]
Rule = Mapping[str, Any]

RULES: Final[list[Rule]] = yaml.safe_load(
    Path(__file__).with_name("limits.yaml").read_text("utf-8")
)


def title(rule: Rule) -> str:
    """The rule in one line."""
    about = {k: v for k, v in rule.items() if k not in ("types", "in", "where", "source")}
    place = ".".join([rule["types"][0], *filter(None, [rule.get("in")])])
    return f"{place} {about}"


def broken(document: Body, rules: Sequence[Rule] = tuple(RULES)) -> Iterator[str]:
    """A sentence for each place in `document` that breaks one of `rules`."""
    for rule in rules:
        together: list[Body] = []
        for kind in rule["types"]:
            for name, body in document.get("resource", {}).get(kind, {}).items():
                blocks = [b for b in _blocks(body, rule.get("in")) if _concerned(b, rule)]
                said = [text for block in blocks for text in _of_block(block, rule)]
                if "in" in rule:
                    said += list(_of_list(blocks, rule))
                together += blocks
                yield from (f"{kind}.{name}: {text} ({rule['source']})" for text in said)
        if "in" not in rule:
            for text in _of_list(together, rule):
                yield f"{rule['types'][0]}: {text} ({rule['source']})"


def concerned(document: Body, rule: Rule) -> list[Body]:
    """The blocks of `document` that `rule` is about; of a rule about a key, those that have it."""
    return [
        block
        for kind in rule["types"]
        for body in document.get("resource", {}).get(kind, {}).values()
        for block in _blocks(body, rule.get("in"))
        if _concerned(block, rule) and ("key" not in rule or _given(block, rule["key"]))
    ]


def _blocks(body: Body, path: str | None) -> list[Body]:
    blocks = [body]
    for part in path.split(".") if path else ():
        blocks = [inner for block in blocks for inner in block.get(part) or ()]
    return blocks


def _concerned(block: Body, rule: Rule) -> bool:
    return all(block.get(key) in values for key, values in rule.get("where", {}).items())


def _given(block: Body, key: str) -> bool:
    return block.get(key) not in (None, [], {}, "")


def _of_block(block: Body, rule: Rule) -> Iterator[str]:
    for form, least in (("exactly_one_of", 1), ("at_most_one_of", 0)):
        if form in rule:
            given = [key for key in rule[form] if _given(block, key)]
            if not least <= len(given) <= 1:
                yield f"{form} {rule[form]}, and there is {given}"
    if "ordered" in rule:
        first, last = (block.get(key) for key in rule["ordered"])
        if first is not None and last is not None and first > last:
            yield f"{rule['ordered']} is {first}, {last}"
    for key in rule.get("needs", ()):
        if not _given(block, key):
            yield f"{key} is missing"
    for key in rule.get("forbids", ()):
        if _given(block, key):
            yield f"{key} is given"
    if "one_family" in rule:
        yield from _families(block, rule["one_family"])
    if "key" in rule and _given(block, rule["key"]):
        yield from _value(block[rule["key"]], rule)


def _families(block: Body, keys: Sequence[str]) -> Iterator[str]:
    texts = [text for key in keys for text in _items(block.get(key))]
    texts = [text["cidr"] if isinstance(text, Mapping) else text for text in texts]
    versions = {ip_network(text).version for text in texts if text and re.search(r"[.:]", text)}
    if len(versions) > 1:
        yield f"{keys} has both address families: {texts}"


def _value(value: Any, rule: Rule) -> Iterator[str]:
    key, items = rule["key"], _items(value, keys=rule.get("map_keys", False))
    if len(items) > rule.get("at_most", len(items)):
        yield f"{key} has {len(items)} items, and {rule['at_most']} is the most"
    for item in items:
        if isinstance(item, str) and "${" in item:
            continue
        if "matches" in rule and not re.fullmatch(rule["matches"], str(item), re.ASCII):
            yield f"{key} is {item!r}, which does not match {rule['matches']}"
        if len(str(item)) > rule.get("longest", len(str(item))):
            yield f"{key} has {len(str(item))} characters, and {rule['longest']} is the most"
        if "between" in rule and not rule["between"][0] <= item <= rule["between"][1]:
            yield f"{key} is {item}, not in {rule['between']}"
        if "canonical" in rule and not _canonical(item, rule["canonical"]):
            yield f"{key} is {item!r}, which is no network of this family"


def _canonical(text: str, family: int | str) -> bool:
    try:
        network = ip_network(text)
    except ValueError:
        return False
    return str(network) == text and family in ("any", network.version)


def _items(value: Any, *, keys: bool = False) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value) if keys else list(value.values())
    return value if isinstance(value, list) else [value]


def _of_list(blocks: Sequence[Body], rule: Rule) -> Iterator[str]:
    if len(blocks) > rule.get("at_most_blocks", len(blocks)):
        yield f"{len(blocks)} blocks, and {rule['at_most_blocks']} is the most"
    if "unique" in rule:
        seen: set[str] = set()
        for block in blocks:
            content = repr([block.get(key) for key in rule["unique"]]).lower()
            if content in seen:
                yield f"two have the same {rule['unique']}: {content}"
            seen.add(content)
