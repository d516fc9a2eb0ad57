"""A live estate: what a cloud was read to enforce at a deployment's interfaces, and who made it.

The readers of the clouds (`providers.live.contract`) fill these types, the audit
(`policy.audit.audit`) judges them, and neither knows the other. Two rules make a verdict on them
trustworthy:

* what could not be read is an `Unread`, never an empty list; points that hang on it are left out
  of `enforcement` (or carry only the filters that were read) and named by the `Unread`;
* what a rule leaves open (a peer in another account, a protocol that is none) stands in the
  `Filter.unknown` of its filter, because a set of packets that is too small would look clean;
  the audit gives each its standing (`policy.audit.untold`);
* members that were found are named by `found`; all others were not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from flowbridge.policy.filter import Enforcement
from flowbridge.policy.surrounding import Surrounding


class Cause(StrEnum):
    """Why something could not be read. The words are part of the JSON answer."""

    THROTTLED = "throttled"  # the cloud still refused for its rate limits after all retries
    DENIED = "permission-missing"  # this call is not allowed to us, here
    EXPIRED = "credentials-expired"
    NO_CREDENTIALS = "no-credentials"  # none found, unknown profile, role cannot be assumed
    TIMED_OUT = "timed-out"
    UNREACHABLE = "unreachable"  # no connection, or it was cut
    FAILED = "server-error"  # the cloud's own fault (5xx) after all retries
    GARBLED = "answer-not-understood"  # cut short, not the documented shape, pages that repeat
    ABSENT = "not-found"  # a thing that must be there to look into (project, resource group)
    NO_SDK = "sdk-not-installed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """One call that gave no answer to rely on.

    `scope` in words (`account 123456789012 eu-west-1`); `call` as permissions spell it
    (`ec2:DescribeNetworkAcls`). `interfaces` are the keys of those whose verdict hangs on it;
    empty: all of them. `remedy` says what to do, as a sentence.
    """

    scope: str
    call: str
    cause: Cause
    message: str
    remedy: str = ""
    interfaces: tuple[str, ...] = ()

    def __str__(self) -> str:
        fix = f" {self.remedy}" if self.remedy else ""
        return f"{self.scope}: {self.call}: {self.cause}: {self.message}.{fix}"

    def as_plain(self) -> dict[str, Any]:
        return {
            "scope": self.scope,
            "call": self.call,
            "cause": str(self.cause),
            "message": self.message,
            "remedy": self.remedy,
            "interfaces": list(self.interfaces),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRule:
    """Who made one live rule. `id` is the `name` of its `FilterRule`s in the enforcement.

    `ours`: its own tags, name or description say that Flowbridge made it for this site. `planned`
    is the `FilterRule.name` in the plan (a Terraform address) of the rule with the very same
    content in the same holder, whoever made it; None where the plan has no such rule. `holder` is
    the id of the group, ACL, NSG or policy that it is in. `text` is the rule as the cloud's
    console shows it, in one line. `was` is the planned rule that a changed rule of ours must have
    been (the same number, the same name), where the cloud can tell; without it the audit goes by
    equal descriptions. `made_for` is the other deployment that the rule, or what holds it, says it
    belongs to.
    """

    id: str
    holder: str
    ours: bool
    planned: str | None
    text: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    was: str | None = None
    made_for: str | None = None

    @property
    def whose(self) -> str:
        """In words: `ours`, `of deployment lab`, `not ours`."""
        if self.ours:
            return "ours"
        return f"of deployment {self.made_for}" if self.made_for else "not ours"


class Departure(StrEnum):
    """How the live estate departs from the plan otherwise than in the packets of its rules."""

    HOLDER_MISSING = "missing-holder"  # a group, ACL, NSG or policy of ours is not there
    DETACHED = "detached"  # it is there, and not on the interface, subnet or network it is for
    FALLBACK = "default-fallback"  # a subnet is back on the default ACL, or has no NSG
    FOREIGN_HOLDER = "foreign-holder"  # a group or NSG that is not ours is on our interface
    FOREIGN_MEMBER = "foreign-member"  # our group is on an interface that is not ours
    TAGS_LOST = "tags-lost"  # ours, and the tags that say so are gone or changed
    INTERFACE_MISSING = "missing-interface"  # the deployment names a card that is not there
    ADDRESS_CHANGED = "address-changed"  # a card has other addresses than the deployment says
    UNRESOLVED = "unresolved-peer"  # a rule whose peers cannot be told
    OVERRIDDEN = "overridden"  # a control above the rules decides (admin rules, block access)


@dataclass(frozen=True, slots=True)
class Deviation:
    """One departure. `subject` is a live id or a Terraform address.

    `drift` False: worth saying, and changes no verdict (another group that opens nothing more).
    """

    departure: Departure
    subject: str
    message: str
    drift: bool = True
    interfaces: tuple[str, ...] = ()

    def as_plain(self) -> dict[str, Any]:
        return {
            "kind": str(self.departure),
            "subject": self.subject,
            "message": self.message,
            "drift": self.drift,
            "interfaces": list(self.interfaces),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Everything that a cloud was read to have for one deployment.

    `enforcement` has the live filters of every point that was read, in the order a packet meets
    them, with the same kinds in the same order as the plan's (`providers.provider`), and every
    `FilterRule.name` a key of `rules`. `managed` is False where nothing of ours exists: the
    estate is then judged against the documents alone. `read` counts what was read, by its name
    (`security groups`), for the summary. `uncertain` are interfaces whose live filters may let
    through more than was read (members of a group, entries of a list): nothing is said to be
    missing there.
    """

    scope: str
    enforcement: Enforcement
    rules: Mapping[str, LiveRule]
    deviations: tuple[Deviation, ...]
    unread: tuple[Unread, ...]
    managed: bool
    # By interface, the names of its declared members that some machine is; None: no machines were
    # read. What is not in here was not found.
    found: Mapping[str, frozenset[str]] | None
    notes: tuple[str, ...] = ()
    read: Mapping[str, int] = field(default_factory=dict)
    uncertain: frozenset[str] = frozenset()
    # The live filters of our subnets, as every other host there meets them; those that are not in
    # here were not judged.
    around: tuple[Surrounding, ...] = ()
