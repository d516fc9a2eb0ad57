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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowbridge.providers.terraform.address import TerraformAddress
from flowbridge.providers.terraform.attribute_table import (
    Attributes,
    Judgement,
    ResourceType,
)
from flowbridge.providers.terraform.blocks import Reference, is_expression
from flowbridge.providers.terraform.document_parts import (
    COMMENT,
    blocks_of,
    parts,
    provider_source,
    resources,
)
from flowbridge.providers.terraform.touching import REFERENCES, Touched, Touching
from flowbridge.providers.terraform.values import (
    Leaf,
    at_path,
    given,
    leaves,
    objects,
    same,
    short,
    texts,
)
from flowbridge.providers.terraform.world import World

# What may stand at the top and says nothing of packets by itself: a value that comes from one of
# them is an expression where it is used, and judged there.
_SILENT: Final = ("variable", "locals", "data", "output", "moved", "check", COMMENT)
_JUDGED: Final = ("terraform", "provider", "resource")
_TERRAFORM: Final = ("required_version", "required_providers", "backend", "cloud", COMMENT)
_WHY_NOT: Final = {
    "module": "resources of a module are not in this file",
    "removed": "what Terraform lets go of here stays in the cloud, or goes, and no filter shows it",
}


@dataclass(frozen=True, slots=True)
class NotJudged:
    """`where` is a resource (and attribute) of the document; `why` what cannot be told of it."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"not judged: {self.where}: {self.why}"


def not_judged(
    document: Mapping[str, Any], plan: Mapping[str, Any], world: World
) -> tuple[NotJudged, ...]:
    """What of `document` neither the filters nor `plan` vouch for; empty where all is known.

    ValueError where `document` is no Terraform JSON.
    """
    return tuple(dict.fromkeys(_Reading(document, plan, world).found()))


def shape(document: Mapping[str, Any]) -> None:
    """ValueError where `document` is no Terraform JSON."""
    list(resources(document))


def strangers(document: Mapping[str, Any], plan: Mapping[str, Any], world: World) -> int:
    """How many resources of `document` are not ours and were not taken for filters."""
    planned = {address for address, _, _ in resources(plan)}
    return sum(
        address not in planned and kind not in world.table.resources
        for address, kind, _ in resources(document)
    )


class _Reading:
    """One document beside its plan."""

    def __init__(self, document: Mapping[str, Any], plan: Mapping[str, Any], world: World) -> None:
        self.document, self.world, self.table = document, world, world.table
        self.plan_document = plan
        self.plan = {address: body for address, _, body in resources(plan)}
        self.here = {address: (kind, body) for address, kind, body in resources(document)}
        self.data = {f"data.{address}" for address, _, _ in resources(document, "data")}
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
        self.touching = Touching(world, self.here.keys(), self.ours)

    def found(self) -> Iterator[NotJudged]:
        yield from self._top()
        yield from self._provider()
        for address in self.plan:
            kind = TerraformAddress(address).kind
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
            if key == "import":
                yield from self._imports(value)
                continue
            yield NotJudged(key, _WHY_NOT.get(key, "what it does to packets is not known"))
        for part in parts(self.document.get("terraform")):
            for key in part:
                if key not in _TERRAFORM:
                    yield NotJudged(f"terraform.{key}", "what it does to packets is not known")

    def _imports(self, value: object) -> Iterator[NotJudged]:
        """What is taken over becomes the resource that stands here: it opens nothing of its own.

        That holds for what `flowbridge adopt` writes: one resource of this file, and an id that is
        written out.
        """
        for number, block in enumerate(parts(value)):
            where = f"import[{number}]"
            target, live = block.get("to"), block.get("id")
            if isinstance(target, str) and is_expression(target):
                target = target.removeprefix("${").removesuffix("}")
            for key in block:
                if key not in ("to", "id", COMMENT):
                    yield NotJudged(f"{where}.{key}", "what it takes over is not known")
            if target not in self.here:
                yield NotJudged(f"{where}.to", f"is {block.get('to')}, which is not in this file")
            if not isinstance(live, str) or is_expression(
                live.replace("$${", "").replace("%%{", "")
            ):
                yield NotJudged(
                    f"{where}.id", f"is {live}, and only an id that is written out is judged"
                )

    def _provider(self) -> Iterator[NotJudged]:
        name = self.table.provider
        here, planned = (
            provider_source(self.document, name),
            provider_source(self.plan_document, name),
        )
        if here != planned:
            yield NotJudged(
                f"terraform.required_providers.{name}.source",
                f"{here or 'nothing'} stands where {planned} is planned",
            )
        (plan,) = blocks_of(self.plan_document.get("provider"), name)
        blocks = list(blocks_of(self.document.get("provider"), name))
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
            if key == COMMENT or (word is None and not given(block.get(key))):
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
        touched = self.touching.touched(body)
        if known.whole:
            if touched.own is not None:
                yield NotJudged(address, f"it is not planned, and has to do with {touched.own}")
            return
        if touched.own is None and touched.place is None and self.touching.plain_throughout(body):
            for leaf in leaves(body):
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
            if key == COMMENT:
                continue
            if word is None:
                if given(value):
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
                yield from self._owned(address, Leaf(path, value), plan)
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
        here, there = objects(value), objects(plan)
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
        if not given(value):
            return
        if not any(same(value, planned) for planned in self._values(kind, path)):
            yield NotJudged(where, f"is {short(value)}, which the plan has nowhere")

    def _as_planned(self, where: str, value: object, plan: object) -> Iterator[NotJudged]:
        if not same(value, plan):
            said = short(value) if given(value) else "not there"
            wanted = short(plan) if given(plan) else "nothing"
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
                said = short(tags.get(name)) if name in tags else "not there"
                yield NotJudged(f"{where} {name}", f"is {said}, and the plan has {wanted}")

    def _owned(
        self, address: str, leaf: Leaf, plan: Mapping[str, Any] | None = None
    ) -> Iterator[NotJudged]:
        """What a rule is part of, or what is attached: a resource of this file."""
        value = leaf.value
        if plan is not None and given(value) and value == plan.get(leaf.path):
            return
        reference = Reference.parse(value)
        where = f"{address}: `{leaf.path}`"
        if reference is None:
            if is_expression(value):
                yield NotJudged(where, f"is the expression {value}, which may come to anything")
            elif given(value) and str(value).rsplit("/", 1)[-1].lower() not in self.names:
                yield NotJudged(where, f"is {value}, which is not in this file")
        elif reference.data or reference.address not in self.here:
            yield NotJudged(where, f"is {value}, which is not in this file")
        elif reference.type not in self.table.resources:
            yield NotJudged(where, f"is {value}, of a type that is not read")

    def _read(self, where: str, kind: str, path: str, value: object) -> Iterator[NotJudged]:
        """What becomes packets is written out, or as planned, or refers to what is read too."""
        for item in texts(value):
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
        for leaf in leaves(body):
            if not is_expression(leaf.value):
                continue
            for data, kind, name in REFERENCES.findall(str(leaf.value)):
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
            for value in at_path(body, path.split("."))
        ]

    # --- strangers --------------------------------------------------------------------------

    def _unknown_type(
        self, address: str, kind: str, body: Mapping[str, Any]
    ) -> Iterator[NotJudged]:
        if self.table.is_filter(kind):
            yield NotJudged(address, f"{_words(kind)} decides over packets, and is not read")
            return
        touched = self.touching.touched(body)
        reason = f"and {kind} is not read"
        if self.table.is_bystander(kind):
            if touched.own is not None and not self._is_welcome(kind, body, touched):
                yield NotJudged(address, f"it has to do with {touched.own}, {reason}")
        elif (what := touched.own or touched.place) is not None:
            yield NotJudged(address, f"it has to do with {what}, {reason}")
        if touched.opaque is not None:
            why = f"is the expression {touched.opaque.value}, which may come to what is ours"
            yield NotJudged(f"{address}: `{touched.opaque.path}`", why)

    def _is_welcome(self, kind: str, body: Mapping[str, Any], touched: Touched) -> bool:
        """Whether a bystander that names what is ours leaves it as it is: it only names a card, or
        it is a machine of ours that wears what the deployment gives it."""
        if touched.mark is not None or (kind in self.table.wearers and touched.card is not None):
            takes_the_card = (
                touched.mark is None
                and touched.card is not None
                and "network_interface_id" in touched.card.path
                and not touched.carries
            )
            return takes_the_card or self.touching.wears_its_own(kind, body)
        return not touched.carries


def _unescaped(text: str) -> str:
    """`text` without what Terraform takes for itself (`$${`)."""
    return text.replace("$${", "").replace("%%{", "")


def _without_judgement(
    address: str, body: Mapping[str, Any], table: Attributes, prefix: str = ""
) -> Iterator[NotJudged]:
    """Attributes of ours that the table does not have: a fault of ours."""
    for key, value in body.items():
        word = table.of(key)
        if word is None and given(value) and key != COMMENT:
            where = f"{address}: `{prefix}{key}`"
            yield NotJudged(where, "what it does to packets is not known")
        elif isinstance(word, Attributes):
            for item in objects(value):
                yield from _without_judgement(address, item, word, f"{prefix}{key}.")


def _ordered(
    where: str, value: object, plan: Mapping[str, Any] | None, key: str
) -> Iterator[NotJudged]:
    wanted = texts(plan.get(key)) if plan is not None else ()
    missing = [item for item in wanted if item not in texts(value)]
    if missing:
        yield NotJudged(where, f"does not wait for {missing[0]}, as planned")


def _words(kind: str) -> str:
    return kind.split("_", 1)[-1].replace("_", " ")
