"""Findings, limits and calls without an answer, as several answers say them."""

from __future__ import annotations

from flowbridge.answers.part import Part
from flowbridge.deployment.finding import Severity
from flowbridge.policy.audit.estate import Cause


class Finding(Part):
    """What a check says."""

    id: str
    """A name that stays the same over releases; `accept` uses it."""
    severity: Severity
    message: str
    source: str
    """What says so: a document or a page of the cloud."""
    key: str
    """The key of the deployment file that it is about; empty where it is about the whole."""
    accepted: str | None = None
    """The words in which the deployment accepts it."""


class Usage(Part):
    """How much of a limit is used."""

    limit: str
    """`rules per security group and direction`."""
    scope: str
    """What it counts for."""
    used: int
    allowed: int
    source: str
    """Where the limit is documented."""


class Unread(Part):
    """One call to a cloud that gave no answer to rely on."""

    scope: str
    """The account, subscription or project, and the region."""
    call: str
    """As permissions spell it: `ec2:DescribeNetworkAcls`."""
    cause: Cause
    message: str
    remedy: str
    """What to do; empty where nothing is known."""
    interfaces: list[str]
    """The interfaces whose verdict hangs on it; empty: all of them."""
