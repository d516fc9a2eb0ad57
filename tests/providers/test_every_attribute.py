"""Every attribute of every resource that is emitted: changed, removed, moved to an expression.

The proof of the document has to notice each of them that does harm, and none that does not. What
does none is written down here, apart from the tables that the proof goes by: names for people,
descriptions, and tags that are not `flowbridge:`. An attribute that only packets show is harmless
where the packets stay the same (`same`), and so is one that only closes what no flow asks for
(`closed`); both are counted.

An attribute stands in hundreds of resources. By default one of each type, attribute and kind of
mutation is judged on each cloud; `FLOWBRIDGE_ALL_MUTATIONS=1` judges every one of every example.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Point
from flowbridge.providers.terraform.attribute_table import Judgement, attribute_table
from flowbridge.stacks.pipeline import Built, NotJudgedError, build, judge, load
from tests.providers.mutations import GONE, changed_at

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
# For people: nothing goes by it.
FREE: Final = re.compile(
    r"^aws_security_group\.(name|description|tags\.Name)$"
    r"|^aws_vpc_security_group_\w+_rule\.(description|tags(\..*)?)$"
    r"|^aws_network_acl\.tags\.Name$"
    r"|^azurerm_(network|application)_security_group\.name$"
    r"|^azurerm_network_security_group\.security_rule\.(name|description)$"
    r"|^google_compute_firewall\.(name|description)$"
    r"|^google_compute_network_firewall_policy_with_rules\.(description|rule\.(rule_name|description))$"
    r"|^google_compute_network_firewall_policy_association\.name$"
    r"|^google_tags_tag_key\.(short_name|description)$"
    r"|^google_tags_tag_value\.description$"
)
Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Change:
    """`kind` is what was done, `attribute` to which (type and path)."""

    kind: str
    attribute: str
    where: str
    document: Mapping[str, Any]


def _places(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every attribute below `value`: those that hold others, and those that hold a value."""
    if path:
        yield path, value
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for place, item in enumerate(value):
            yield from _places(item, (*path, place))


def _others(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value.startswith("${"):
            return "something-else"
        case str() if value.isdecimal():
            return str(int(value) + 1)
        case str():
            return f"{value}-other"
        case [str() as first, *rest]:
            return [_others(first), *rest]
        case [first, *rest]:
            return rest
        case Mapping():
            return {}
    return value


def _changes(document: Mapping[str, Any]) -> Iterator[Change]:
    for kind, named in document["resource"].items():
        for name, body in named.items():
            yield Change("gone", kind, f"{kind}.{name}", _at(document, (kind, name), GONE))
            for path, value in _places(body):
                if value in (None, [], {}, "") or isinstance(path[-1], int):
                    continue
                attribute = ".".join([kind, *(str(key) for key in path if isinstance(key, str))])
                where = (kind, name, *path)
                for what, other in (
                    ("changed", _others(value)),
                    ("removed", GONE),
                    ("moved", "${var.moved}"),
                ):
                    shown = f"{kind}.{name} {'.'.join(map(str, path))}"
                    yield Change(what, attribute, shown, _at(document, where, other))


def _at(document: Mapping[str, Any], where: Path_, value: Any) -> Mapping[str, Any]:
    changed: Mapping[str, Any] = changed_at(document, ("resource", *where), value)
    return changed


def _allowed(enforcement: Enforcement) -> dict[Point, list[PacketSet]]:
    return {point: [stage.allowed() for stage in stages] for point, stages in enforcement.items()}


def _only_packets_show(built: Built, attribute: str) -> bool:
    kind, *path = attribute.split(".")
    table = attribute_table(
        Path(__file__).parents[2] / f"providers/{built.provider.name}/meaning/attributes.yaml"
    )
    word: Any = table.resources[kind].attributes
    for key in path:
        if isinstance(word, Judgement):
            break
        word = word.of(key)
    return (
        not path
        or word in (Judgement.READ, Judgement.PEERS, Judgement.ATTACHED, Judgement.OWNER)
        or not (isinstance(word, Judgement))
    )


def _outcome(built: Built, before: Mapping[Point, list[PacketSet]], change: Change) -> str:
    try:
        checked = judge(built, change.document)
    except NotJudgedError:
        return "caught" if not FREE.match(change.attribute) else "harmless and reported"
    if checked.exit_code:
        return "caught" if not FREE.match(change.attribute) else "harmless and reported"
    if FREE.match(change.attribute):
        return "harmless"
    if not _only_packets_show(built, change.attribute):
        return "not caught"
    now = _allowed(checked.enforcement)
    if now == before:
        return "same"
    within = all(
        len(now[point]) == len(was) and all(a <= b for a, b in zip(now[point], was, strict=True))
        for point, was in before.items()
    )
    return "closed" if within else "not caught"


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_every_attribute_that_does_harm_is_noticed_and_no_other(
    cloud: str, capsys: pytest.CaptureFixture[str]
) -> None:
    every = os.environ.get("FLOWBRIDGE_ALL_MUTATIONS") == "1"
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    seen: set[tuple[str, str]] = set()
    of_cloud = [one for one in (build(load(f)) for f in EXAMPLES) if one.provider.name == cloud]
    # The smallest first: what a mutation costs is what its document costs.
    for built in sorted(of_cloud, key=lambda one: len(one.lowered.rules)):
        document = json.loads(json.dumps(built.document))
        before = _allowed(judge(built).enforcement)
        site = built.resolution.site.name
        for change in _changes(document):
            if (change.attribute, change.kind) in seen and not every:
                continue
            seen.add((change.attribute, change.kind))
            outcome = _outcome(built, before, change)
            counts[outcome] += 1
            if outcome in ("not caught", "harmless and reported"):
                wrong.append(f"{site}: {change.where} {change.kind}: {outcome}")
    with capsys.disabled():
        sys.stdout.write(f"\n{cloud}: {counts.total()} mutations of attributes: {dict(counts)}\n")
    assert not wrong, "\n".join(wrong)
    assert counts["caught"] > 100
    assert counts["harmless"] > 10
