"""What a resource of a document has to do with what is ours: groups, cards, networks.

Also whether it is one of our machines and wears exactly what the deployment gives it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flowbridge.providers.terraform.address import TerraformAddress
from flowbridge.providers.terraform.blocks import Reference, is_expression
from flowbridge.providers.terraform.document_parts import COMMENT
from flowbridge.providers.terraform.values import Leaf, leaves, tokens
from flowbridge.providers.terraform.world import World

REFERENCES: Final = re.compile(r"\b(data\.)?([a-z][a-z0-9]*_[a-z0-9_]+)\.([A-Za-z_][A-Za-z0-9_-]*)")
# Of what comes first or is there once, nothing is worn.
_NOT_WORN: Final = ("depends_on", "lifecycle", COMMENT)


@dataclass(frozen=True, slots=True)
class Touched:
    """The first thing of ours of each kind that a resource names; None: none.

    `opaque`: an expression that may come to what is ours, where groups and filters are named.
    `carries`: whether the resource names groups or filters at all.
    """

    mark: str | None = None
    card: Leaf | None = None
    place: str | None = None
    opaque: Leaf | None = None
    carries: bool = False

    @property
    def own(self) -> str | None:
        """What is ours alone."""
        return self.mark or (None if self.card is None else str(self.card.value))


@dataclass(frozen=True, slots=True)
class Touching:
    """`here`: the addresses of the document; `ours`: those that are of the deployment."""

    world: World
    here: Collection[str]
    ours: Collection[str]

    def touched(self, body: Mapping[str, Any]) -> Touched:
        """What of ours `body` names. Tags and descriptions are words, and name nothing."""
        mark: str | None = None
        card: Leaf | None = None
        place: str | None = None
        opaque: Leaf | None = None
        carries = False
        for leaf in leaves(body, _NOT_WORN):
            if _is_words(leaf.path, body):
                continue
            text = str(leaf.value)
            carrier = self.world.table.carriers.search(leaf.path) is not None
            carries = carries or carrier
            if is_expression(leaf.value):
                for _, kind, name in REFERENCES.findall(text):
                    if TerraformAddress.of(kind, name) in self.ours:
                        mark = mark or TerraformAddress.of(kind, name)
                if opaque is None and carrier and not self.is_plain(text):
                    opaque = leaf
            for token in tokens(text):
                if token in self.world.marks:
                    mark = mark or token
                elif token in self.world.cards:
                    card = card or leaf
                elif token in self.world.places:
                    place = place or token
        return Touched(mark, card, place, opaque, carries)

    def plain_throughout(self, body: Mapping[str, Any]) -> bool:
        return all(
            self.is_plain(str(leaf.value))
            for leaf in leaves(body, _NOT_WORN)
            if is_expression(leaf.value) and not _is_words(leaf.path, body)
        )

    def is_plain(self, text: str) -> bool:
        """Whether an expression is one reference to a resource of this file."""
        reference = Reference.parse(text)
        return reference is not None and not reference.data and reference.address in self.here

    def wears_its_own(self, kind: str, body: Mapping[str, Any]) -> bool:
        """Whether a machine or card wears exactly what the deployment gives its address."""
        wearer = self.world.table.wearers.get(kind)
        if wearer is None:
            return False
        worn: set[str] = set()
        addresses: set[str] = set()
        for leaf in leaves(body, _NOT_WORN):
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


def _is_words(path: str, body: Mapping[str, Any]) -> bool:
    """Whether what stands at `path` is for people. A list of tags (Google Cloud) is not."""
    first = path.split(".", 1)[0]
    return first in ("description", "labels") or (
        first in ("tags", "tags_all") and isinstance(body.get(first), Mapping)
    )
