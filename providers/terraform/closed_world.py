"""What in a Terraform document the proof of packets does not see, and may not take for fine.

The filters of a document are judged as packets (`policy.proof`). That says nothing of an attribute
that no filter reads: the network a group is made in, the account, a rule whose owner is an
expression, a machine that wears one of our groups. Each cloud's table (`attribute_table`) says of
every attribute what becomes of it; here a document is held against that table and against the
document that Flowbridge itself would write (the plan). What neither of them vouches for is not
judged, and a document with such a thing in it is not proved.

A resource is ours where the plan has one of its address, or where its `flowbridge:` tags say so.
Any other is a stranger. Strangers are welcome as long as they have nothing to do with what is ours:
they name none of it, and hold no expression that may come to it where groups and filters are named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flowbridge.providers.terraform.attribute_table import (
    Attributes,
    AttributeTable,
    Judgement,
    ResourceType,
)
from flowbridge.providers.terraform.blocks import Reference, is_expression

_REFERENCES: Final = re.compile(
    r"\b(data\.)?([a-z][a-z0-9]*_[a-z0-9_]+)\.([A-Za-z_][A-Za-z0-9_-]*)"
)
_COMMENT: Final = "//"
# What may stand at the top and says nothing of packets by itself: a value that comes from one of
# them is an expression where it is used, and judged there.
_SILENT: Final = ("variable", "locals", "data", "output", "moved", "check", _COMMENT)
_JUDGED: Final = ("terraform", "provider", "resource")
_TERRAFORM: Final = ("required_version", "required_providers", "backend", "cloud", _COMMENT)
_WHY_NOT: Final = {
    "module": "resources of a module are not in this file",
    "removed": "what Terraform lets go of here stays in the cloud, or goes, and no filter shows it",
    "import": "what is taken over may have rules that are not in this file; `flowbridge audit` "
    "reads them",
}
# Of what comes first or is there once, nothing is worn.
_NOT_WORN: Final = ("depends_on", "lifecycle", _COMMENT)


@dataclass(frozen=True, slots=True)
class NotJudged:
    """`where` is a resource (and attribute) of the document; `why` what cannot be told of it."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"not judged: {self.where}: {self.why}"


@dataclass(frozen=True, slots=True)
class World:
    """What is ours in one deployment.

    All in small letters. `cards` are ids and addresses of our machines' cards, `marks` what they
    are known by (a group's name, a network tag, an account), `places` the networks and subnets that
    others may share. `worn_at`: for each mark that a machine of ours wears (a group's Terraform
    address, a tag, an account), the addresses that may wear it.
    """

    table: AttributeTable
    site: str
    cards: frozenset[str]
    marks: frozenset[str]
    places: frozenset[str]
    worn_at: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value and where it stands: `security_rule.name`."""

    path: str
    value: object


@dataclass(frozen=True, slots=True)
class _Touched:
    """The first thing of ours of each kind that a resource names; None: none.

    `opaque`: an expression that may come to what is ours, where groups and filters are named.
    `carries`: whether the resource names groups or filters at all.
    """

    mark: str | None = None
    card: _Leaf | None = None
    place: str | None = None
    opaque: _Leaf | None = None
    carries: bool = False

    @property
    def own(self) -> str | None:
        """What is ours alone."""
        return self.mark or (None if self.card is None else str(self.card.value))


def not_judged(
    document: Mapping[str, Any], plan: Mapping[str, Any], world: World
) -> tuple[NotJudged, ...]:
    """What of `document` neither the filters nor `plan` vouch for; empty where all is known.

    ValueError where `document` is no Terraform JSON.
    """
    return tuple(dict.fromkeys(_Reading(document, plan, world).found()))


def shape(document: Mapping[str, Any]) -> None:
    """ValueError where `document` is no Terraform JSON."""
    list(_resources(document))


def strangers(document: Mapping[str, Any], plan: Mapping[str, Any], world: World) -> int:
    """How many resources of `document` are not ours and were not taken for filters."""
    planned = {address for address, _, _ in _resources(plan)}
    return sum(
        address not in planned and kind not in world.table.resources
        for address, kind, _ in _resources(document)
    )


class _Reading:
    """One document beside its plan."""

    def __init__(self, document: Mapping[str, Any], plan: Mapping[str, Any], world: World) -> None:
        self.document, self.world, self.table = document, world, world.table
        self.plan_document = plan
        self.plan = {address: body for address, _, body in _resources(plan)}
        self.here = {address: (kind, body) for address, kind, body in _resources(document)}
        self.data = {f"data.{address}" for address, _, _ in _resources(document, "data")}
        # What has an id of its own in AWS goes by its name in the other clouds.
        self.names = {
            str(body["name"]).lower()
            for kind, body in self.here.values()
            if kind in self.table.resources and body.get("name")
        }
        self.ours = {
            address
            for address, (kind, body) in self.here.items()
            if address in self.plan or (kind in self.table.resources and self._claims(body))
        }

    def found(self) -> Iterator[NotJudged]:
        yield from self._top()
        yield from self._provider()
        for address in self.plan:
            kind = address.split(".")[0]
            if address not in self.here and self.table.resources[kind].whole:
                yield NotJudged(address, "it is planned, and not in this file")
        for address, (kind, body) in self.here.items():
            known = self.table.resources.get(kind)
            if known is None:
                yield from self._unknown_type(address, kind, body)
            elif address in self.ours:
                yield from self._ours(address, kind, body, known)
            else:
                yield from self._stranger(address, kind, body, known)

    # --- around the resources ---------------------------------------------------------------

    def _top(self) -> Iterator[NotJudged]:
        for key, value in self.document.items():
            if key in _SILENT or key in _JUDGED or not value:
                continue
            yield NotJudged(key, _WHY_NOT.get(key, "what it does to packets is not known"))
        for part in _parts(self.document.get("terraform")):
            for key in part:
                if key not in _TERRAFORM:
                    yield NotJudged(f"terraform.{key}", "what it does to packets is not known")

    def _provider(self) -> Iterator[NotJudged]:
        name = self.table.provider
        here, planned = _source(self.document, name), _source(self.plan_document, name)
        if here != planned:
            yield NotJudged(
                f"terraform.required_providers.{name}.source",
                f"{here or 'nothing'} stands where {planned} is planned",
            )
        (plan,) = _blocks(self.plan_document.get("provider"), name)
        blocks = list(_blocks(self.document.get("provider"), name))
        own = [block for block in blocks if not block.get("alias")]
        if len(own) != 1:
            yield NotJudged(f"provider.{name}", "exactly one without an alias is judged")
            return
        [block] = own
        yield from self._compared(f"provider.{name}", block, plan, self.table.provider_attributes)

    def _compared(
        self, where: str, block: Mapping[str, Any], plan: Mapping[str, Any], table: Attributes
    ) -> Iterator[NotJudged]:
        for key in dict.fromkeys((*plan, *block)):
            word = table.of(key)
            if key == _COMMENT or (word is None and not _given(block.get(key))):
                continue
            if word is None:
                yield NotJudged(f"{where}.{key}", "what it does to packets is not known")
            elif word is not Judgement.HARMLESS:
                yield from self._as_planned(f"{where}.{key}", block.get(key), plan.get(key))

    # --- what is ours -----------------------------------------------------------------------

    def _ours(
        self, address: str, kind: str, body: Mapping[str, Any], known: ResourceType
    ) -> Iterator[NotJudged]:
        plan = self.plan.get(address)
        if plan is not None and plan == body:
            yield from _without_judgement(address, body, known.attributes)
            yield from self._dangling(address, body)
            return
        yield from self._attributes(address, kind, "", body, plan, known.attributes)
        yield from self._dangling(address, body)

    def _stranger(
        self, address: str, kind: str, body: Mapping[str, Any], known: ResourceType
    ) -> Iterator[NotJudged]:
        if known.alone:
            yield NotJudged(address, f"it is not planned, and may concern any {_words(kind)}")
            return
        touched = self._touched(body)
        if known.whole:
            if touched.own is not None:
                yield NotJudged(address, f"it is not planned, and has to do with {touched.own}")
            return
        if touched.own is None and touched.place is None and self._plain_throughout(body):
            for leaf in _leaves(body):
                if known.attributes.of(leaf.path) is Judgement.OWNER:
                    yield from self._owned(address, leaf)
            return
        if known.card is not None and touched.mark is not None and touched.card is None:
            why = f"puts into {touched.mark} a card that is not in the deployment"
            yield NotJudged(f"{address}: `{known.card}`", why)
        yield from self._attributes(address, kind, "", body, None, known.attributes)
        yield from self._dangling(address, body)

    def _claims(self, body: Mapping[str, Any]) -> bool:
        tags = body.get("tags")
        return isinstance(tags, Mapping) and tags.get("flowbridge:site") == self.world.site

    def _attributes(
        self,
        address: str,
        kind: str,
        prefix: str,
        body: Mapping[str, Any],
        plan: Mapping[str, Any] | None,
        table: Attributes,
    ) -> Iterator[NotJudged]:
        """Of one block. `plan` is the same block as planned; None where there is none."""
        for key in dict.fromkeys((*(plan or {}), *body)):
            value, path = body.get(key), f"{prefix}{key}"
            word, where = table.of(key), f"{address}: `{prefix}{key}`"
            if key == _COMMENT:
                continue
            if word is None:
                if _given(value):
                    yield NotJudged(where, "what it does to packets is not known")
            elif isinstance(word, Attributes):
                planned = None if plan is None else plan.get(key)
                yield from self._nested(address, kind, f"{path}.", value, planned, word)
            elif word is Judgement.PLAN:
                yield from self._planned(where, kind, path, value, plan, key)
            elif word is Judgement.MARKS:
                yield from self._marked(where, value, plan, key)
            elif word is Judgement.ORDER:
                yield from _ordered(where, value, plan, key)
            elif word in (Judgement.OWNER, Judgement.ATTACHED):
                yield from self._owned(address, _Leaf(path, value), plan)
            elif word is Judgement.READ:
                yield from self._read(where, kind, path, value)

    def _nested(
        self,
        address: str,
        kind: str,
        prefix: str,
        value: object,
        plan: object,
        table: Attributes,
    ) -> Iterator[NotJudged]:
        if is_expression(value):
            why = f"is the expression {value}: its content is not in this file"
            yield NotJudged(f"{address}: `{prefix[:-1]}`", why)
            return
        # One block is the same block of the plan; of many, which is which cannot be told, and
        # what has to be as planned in them is held against all of them.
        here, there = _listed(value), _listed(plan)
        alone = there[0] if len(there) == 1 and len(here) <= 1 else None
        if not here and alone is not None:
            here = [{}]
        for item in here:
            yield from self._attributes(address, kind, prefix, item, alone, table)

    def _planned(
        self,
        where: str,
        kind: str,
        path: str,
        value: object,
        plan: Mapping[str, Any] | None,
        key: str,
    ) -> Iterator[NotJudged]:
        if plan is not None:
            yield from self._as_planned(where, value, plan.get(key))
            return
        if not _given(value):
            return
        if not any(_same(value, planned) for planned in self._values(kind, path)):
            yield NotJudged(where, f"is {_short(value)}, which the plan has nowhere")

    def _as_planned(self, where: str, value: object, plan: object) -> Iterator[NotJudged]:
        if not _same(value, plan):
            said = _short(value) if _given(value) else "not there"
            wanted = _short(plan) if _given(plan) else "nothing"
            yield NotJudged(where, f"is {said}, and the plan has {wanted}")

    def _marked(
        self, where: str, value: object, plan: Mapping[str, Any] | None, key: str
    ) -> Iterator[NotJudged]:
        if plan is None:
            if is_expression(value):
                yield NotJudged(where, f"is the expression {value}, and may mark what is ours")
            return
        tags = value if isinstance(value, Mapping) else {}
        for name, wanted in (plan.get(key) or {}).items():
            if name.startswith("flowbridge:") and tags.get(name) != wanted:
                said = _short(tags.get(name)) if name in tags else "not there"
                yield NotJudged(f"{where} {name}", f"is {said}, and the plan has {wanted}")

    def _owned(
        self, address: str, leaf: _Leaf, plan: Mapping[str, Any] | None = None
    ) -> Iterator[NotJudged]:
        """What a rule is part of, or what is attached: a resource of this file."""
        value = leaf.value
        if plan is not None and _given(value) and value == plan.get(leaf.path):
            return
        reference = Reference.parse(value)
        where = f"{address}: `{leaf.path}`"
        if reference is None:
            if is_expression(value):
                yield NotJudged(where, f"is the expression {value}, which may come to anything")
            elif _given(value) and str(value).rsplit("/", 1)[-1].lower() not in self.names:
                yield NotJudged(where, f"is {value}, which is not in this file")
        elif reference.data or reference.address not in self.here:
            yield NotJudged(where, f"is {value}, which is not in this file")
        elif reference.type not in self.table.resources:
            yield NotJudged(where, f"is {value}, of a type that is not read")

    def _read(self, where: str, kind: str, path: str, value: object) -> Iterator[NotJudged]:
        """What becomes packets is written out, or as planned, or refers to what is read too."""
        for item in _texts(value):
            if not is_expression(item):
                continue
            reference = Reference.parse(item)
            resolved = (
                reference is not None
                and not reference.data
                and reference.address in self.here
                and reference.type in self.table.resources
                and reference.attribute in ("id", "self_link", "name")
            )
            if not resolved and item not in self._values(kind, path):
                yield NotJudged(where, f"is the expression {item}; only plain values are judged")

    def _dangling(self, address: str, body: Mapping[str, Any]) -> Iterator[NotJudged]:
        """References of ours to what is not there."""
        for leaf in _leaves(body):
            if not is_expression(leaf.value):
                continue
            for data, kind, name in _REFERENCES.findall(str(leaf.value)):
                named = f"{data}{kind}.{name}"
                if named not in (self.data if data else self.here):
                    why = f"refers to {named}, which is not in this file"
                    yield NotJudged(f"{address}: `{leaf.path}`", why)

    def _values(self, kind: str, path: str) -> list[object]:
        """Every value that the plan has at `path` of any resource of `kind`."""
        return [
            value
            for address, body in self.plan.items()
            if address.startswith(f"{kind}.")
            for value in _at(body, path.split("."))
        ]

    # --- strangers --------------------------------------------------------------------------

    def _unknown_type(
        self, address: str, kind: str, body: Mapping[str, Any]
    ) -> Iterator[NotJudged]:
        if self.table.is_filter(kind):
            yield NotJudged(address, f"{_words(kind)} decides over packets, and is not read")
            return
        touched = self._touched(body)
        reason = f"and {kind} is not read"
        if self.table.is_bystander(kind):
            if touched.own is not None and not self._is_welcome(kind, body, touched):
                yield NotJudged(address, f"it has to do with {touched.own}, {reason}")
        elif (what := touched.own or touched.place) is not None:
            yield NotJudged(address, f"it has to do with {what}, {reason}")
        if touched.opaque is not None:
            why = f"is the expression {touched.opaque.value}, which may come to what is ours"
            yield NotJudged(f"{address}: `{touched.opaque.path}`", why)

    def _is_welcome(self, kind: str, body: Mapping[str, Any], touched: _Touched) -> bool:
        """Whether a bystander that names what is ours leaves it as it is: it only names a card, or
        it is a machine of ours that wears what the deployment gives it."""
        if touched.mark is not None or (kind in self.table.wearers and touched.card is not None):
            takes_the_card = (
                touched.mark is None
                and touched.card is not None
                and "network_interface_id" in touched.card.path
                and not touched.carries
            )
            return takes_the_card or self._wears_its_own(kind, body)
        return not touched.carries

    def _touched(self, body: Mapping[str, Any]) -> _Touched:
        """What of ours `body` names. Tags and descriptions are words, and name nothing."""
        mark: str | None = None
        card: _Leaf | None = None
        place: str | None = None
        opaque: _Leaf | None = None
        carries = False
        for leaf in _leaves(body, _NOT_WORN):
            if _is_words(leaf.path, body):
                continue
            text = str(leaf.value)
            carrier = self.table.carriers.search(leaf.path) is not None
            carries = carries or carrier
            if is_expression(leaf.value):
                for _, kind, name in _REFERENCES.findall(text):
                    if f"{kind}.{name}" in self.ours:
                        mark = mark or f"{kind}.{name}"
                if opaque is None and carrier and not self._plain(text):
                    opaque = leaf
            for token in _tokens(text):
                if token in self.world.marks:
                    mark = mark or token
                elif token in self.world.cards:
                    card = card or leaf
                elif token in self.world.places:
                    place = place or token
        return _Touched(mark, card, place, opaque, carries)

    def _plain_throughout(self, body: Mapping[str, Any]) -> bool:
        return all(
            self._plain(str(leaf.value))
            for leaf in _leaves(body, _NOT_WORN)
            if is_expression(leaf.value) and not _is_words(leaf.path, body)
        )

    def _plain(self, text: str) -> bool:
        """Whether an expression is one reference to a resource of this file."""
        reference = Reference.parse(text)
        return reference is not None and not reference.data and reference.address in self.here

    def _wears_its_own(self, kind: str, body: Mapping[str, Any]) -> bool:
        """Whether a machine or card wears exactly what the deployment gives its address."""
        wearer = self.table.wearers.get(kind)
        if wearer is None:
            return False
        worn: set[str] = set()
        addresses: set[str] = set()
        for leaf in _leaves(body, _NOT_WORN):
            if leaf.path in wearer.groups:
                reference = Reference.parse(leaf.value)
                worn.add(reference.address if reference else str(leaf.value))
            elif leaf.path in wearer.addresses:
                addresses.add(str(leaf.value).lower())
        due = {mark for mark, at in self.world.worn_at.items() if addresses & at}
        return (
            bool(addresses)
            and bool(worn)
            and worn == due
            and all(addresses <= self.world.worn_at[mark] for mark in worn)
        )


def _without_judgement(
    address: str, body: Mapping[str, Any], table: Attributes, prefix: str = ""
) -> Iterator[NotJudged]:
    """Attributes of ours that the table does not have: a fault of ours."""
    for key, value in body.items():
        word = table.of(key)
        if word is None and _given(value) and key != _COMMENT:
            where = f"{address}: `{prefix}{key}`"
            yield NotJudged(where, "what it does to packets is not known")
        elif isinstance(word, Attributes):
            for item in _listed(value):
                yield from _without_judgement(address, item, word, f"{prefix}{key}.")


def _ordered(
    where: str, value: object, plan: Mapping[str, Any] | None, key: str
) -> Iterator[NotJudged]:
    wanted = _texts(plan.get(key)) if plan is not None else ()
    missing = [item for item in wanted if item not in _texts(value)]
    if missing:
        yield NotJudged(where, f"does not wait for {missing[0]}, as planned")


def _resources(
    document: Mapping[str, Any], block: str = "resource"
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Address, type and body of each. ValueError for what is no Terraform JSON."""
    for part in _parts(document.get(block)):
        for kind, kinds in part.items():
            if kind == _COMMENT:
                continue
            for named in _parts(kinds):
                for name, bodies in named.items():
                    if name != _COMMENT:
                        for body in _parts(bodies):
                            yield f"{kind}.{name}", kind, body


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Terraform JSON lets every object be a list of objects."""
    if value is None:
        return
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, Mapping) for item in items):
        raise ValueError(f"this is not Terraform JSON: {str(value)[:60]!r} where a block is due")
    yield from items


def _blocks(value: Any, name: str) -> Iterator[Mapping[str, Any]]:
    for part in _parts(value):
        yield from _parts(part.get(name))


def _is_words(path: str, body: Mapping[str, Any]) -> bool:
    """Whether what stands at `path` is for people. A list of tags (Google Cloud) is not."""
    first = path.split(".", 1)[0]
    return first in ("description", "labels") or (
        first in ("tags", "tags_all") and isinstance(body.get(first), Mapping)
    )


def _source(document: Mapping[str, Any], name: str) -> object:
    for part in _parts(document.get("terraform")):
        for required in _parts(part.get("required_providers")):
            stated = required.get(name)
            if isinstance(stated, Mapping):
                return stated.get("source")
    return None


def _leaves(value: object, without: Iterable[str] = (), path: str = "") -> Iterator[_Leaf]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if path or key not in without:
                # A key may be the name of a tag (`resource_manager_tags`).
                if path and not isinstance(item, Mapping | list):
                    yield _Leaf(path, key)
                yield from _leaves(item, (), f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, (), path)
    elif value is not None:
        yield _Leaf(path, value)


def _at(value: object, path: list[str]) -> Iterator[Any]:
    """The values at `path`, each item of a list by itself; the list as well."""
    if not path:
        yield value
        if isinstance(value, list):
            yield from value
    elif isinstance(value, list):
        for item in value:
            yield from _at(item, path)
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _listed(value: object) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


def _tokens(text: str) -> tuple[str, ...]:
    """The names in a value: itself, an address without its length, the parts of a path."""
    whole = text.lower()
    parts = whole.split("/") if "/" in whole else ()
    return (whole, *parts)


def _given(value: object) -> bool:
    """Null and the empty list, text or block are the same as left out; so is `false`."""
    return value not in (None, "", [], {}, False)


def _same(value: object, plan: object) -> bool:
    """Whether both are one value to Terraform: a block alone or in a list, a number or a text."""
    if not _given(value) and not _given(plan):
        return True
    if isinstance(plan, list) != isinstance(value, list):
        value = value if isinstance(value, list) else [value]
        plan = plan if isinstance(plan, list) else [plan]
    if isinstance(plan, list) and isinstance(value, list):
        return len(plan) == len(value) and all(map(_same, value, plan))
    if isinstance(plan, Mapping) and isinstance(value, Mapping):
        return all(_same(value.get(key), plan.get(key)) for key in plan.keys() | value.keys())
    if isinstance(plan, bool) or isinstance(value, bool):
        return str(value).lower() == str(plan).lower()
    return str(value) == str(plan)


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) < 80 else f"{text[:77]}..."


def _words(kind: str) -> str:
    return kind.split("_", 1)[-1].replace("_", " ")
