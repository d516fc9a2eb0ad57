"""What a reading leaves open: a value of its own, never nothing and never a sentence.

The meaning of rules and the live readers make these; proof and audit decide on `why`. The words
are made here alone, for people: no code reads them back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Why(StrEnum):
    """The kind of thing that cannot be told."""

    ADDRESS = "address"  # an address that exists only after an apply
    PEERS = "peers"  # who is behind a group, tag, account, host or prefix list
    TARGETS = "targets"  # which machines a rule is for
    EVERY_MACHINE = "every-machine"  # a rule without targets is for machines no file speaks of
    RULES = "rules"  # a group or NSG whose rules are not in what was read
    DEFAULT_RULES = "default-rules"  # an ACL that is not in what was read, taken as the cloud's own
    UNREAD = "unread"  # what a rule names could not be read
    MEANING = "meaning"  # a rule that says what no rule of this cloud is known to mean


# `{what}` is a noun with its article: "the members of group sg-1".
_SENTENCES: Final = {
    Why.ADDRESS: "{what} is known only after apply",
    Why.PEERS: "{what} are not known from this file",
    Why.TARGETS: "{what} are not known from this file",
    Why.EVERY_MACHINE: "without a target it is for every machine of {what}",
    Why.RULES: "{what} is not in this file: rules that it has elsewhere are not judged",
    Why.DEFAULT_RULES: "{what} is not in this file: it is taken to allow everything",
    Why.UNREAD: "{what} stayed unread",
    Why.MEANING: "{what}",
}


@dataclass(frozen=True, slots=True, order=True)
class Unknown:
    """`rule` is the Terraform address or live id of what leaves it open; `what` is a noun."""

    rule: str
    what: str
    why: Why

    def of(self, rule: str) -> Unknown:
        """The same, left open by `rule`."""
        return replace(self, rule=rule)

    def __str__(self) -> str:
        return f"{self.rule}: {_SENTENCES[self.why].format(what=self.what)}"


def peers(what: str) -> Unknown:
    """Peers that cannot be told, of a rule that is not named yet."""
    return Unknown("", what, Why.PEERS)


def address(text: str) -> Unknown:
    """An address known only after apply, of a rule that is not named yet."""
    return Unknown("", f"the address {text}", Why.ADDRESS)
