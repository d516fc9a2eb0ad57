"""`flowbridge audit`."""

from __future__ import annotations

from flowbridge.answers.bystander import Bystander
from flowbridge.answers.finding import Unread
from flowbridge.answers.packets import At, Packets
from flowbridge.answers.part import Part, Provenance
from flowbridge.deployment.file.site import Cloud
from flowbridge.policy.audit.audit import Verdict
from flowbridge.policy.audit.estate import Departure
from flowbridge.policy.audit.untold import Standing
from flowbridge.policy.unknown import Why


class Summary(Part):
    """The audit in numbers."""

    planned: int
    """Allow rules of the plan."""
    carried: int
    """Those of them that are in full effect."""
    missing: int
    changed: int
    unmanaged: int
    coverage: float | None
    """`carried` by `planned`, 0 to 1; null where no rule was judged."""
    packets_opened: int
    packets_refused: int


class Opened(At):
    """Packets that a live rule allows and nobody asks for."""

    filter: str
    kind: str
    rule: str | None
    """The live rule; null where the filter's default allows them."""
    text: str
    holder: str | None
    """The group, ACL, NSG or policy that has the rule."""
    ours: bool | None
    """Whether Flowbridge made what holds it."""
    made_for: str | None
    """The deployment that it was made for."""
    packets: Packets
    reaching: Packets
    """The part that every other filter lets through, too: it is open."""


class Refused(At):
    """Packets that rows ask for and that do not pass."""

    peer: str
    rows: list[str]
    replies: bool
    """Whether it is their replies that do not."""
    why: str
    packets: Packets


class LiveRule(Part):
    """A live rule that the plan does not have."""

    rule: str
    holder: str
    ours: bool
    made_for: str | None
    text: str
    description: str
    was: str | None
    """The planned rule that it was; null where nobody planned it."""
    drift: bool
    effect: str
    """What it does to packets, in words."""
    opens: Packets


class Deviation(Part):
    """Drift otherwise than in the packets of rules."""

    kind: Departure
    subject: str
    """A live id or a Terraform address."""
    message: str
    drift: bool
    """Whether it changes the verdict."""
    interfaces: list[str]


class Untold(Part):
    """What cannot be told from what was read."""

    rule: str | None
    holder: str
    what: str
    why: Why
    standing: Standing
    """What it means for the verdict."""
    text: str
    interfaces: list[str]


class Absent(Part):
    """A member that the deployment lists and the account does not have."""

    interface: str
    member: str
    addresses: list[str]


class AuditedDeployment(Part):
    """The live state of one deployment against its intent."""

    file: str
    name: str
    cloud: Cloud
    scope: str
    """The account, subscription or project, and the region."""
    verdict: Verdict
    holds: bool
    """Whether everything was read and is as planned."""
    summary: Summary
    unintended: list[Opened]
    missing: list[Refused]
    missing_rules: list[str]
    """Planned rules that are in no or not in full effect."""
    changed: list[LiveRule]
    unmanaged: list[LiveRule]
    deviations: list[Deviation]
    cannot_be_told: list[Untold]
    not_found: list[Absent]
    unread: list[Unread]
    beside: list[Bystander]
    """Who else stands in the subnets."""
    notes: list[str]
    read: dict[str, int]
    """How many of each kind of thing were read."""


class Taken(Part):
    """A finding against a baseline."""

    file: str
    finding: str
    """`audit/` and its kind."""
    about: str
    text: str
    accepted: str | None
    """The words in which the baseline or the deployment accepts it."""


class Audit(Part):
    """Live state against intent, as packets."""

    holds: bool
    deployments: list[AuditedDeployment]
    new: list[Taken] | None = None
    """Where some findings are known: those that are not."""
    known: list[Taken] | None = None
    provenance: Provenance | None = None
    """Left out with `--watch`, which writes such an object in one line each round."""
