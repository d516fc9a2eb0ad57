"""What every cloud's folder offers. Adding a cloud is adding a folder that does this.

`lower` and `enforcement` are written apart: the first turns a policy into Terraform JSON, the
second gives that JSON (or a hand-edited or foreign one) its meaning as filters. They share no
code for what a rule means, so that one can convict the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding
from flowbridge.policy.compiled import Policy
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Point
from flowbridge.policy.surrounding import Surrounding
from flowbridge.providers.meaning.foreign import Foreign, Wearing
from flowbridge.providers.terraform.shown.document import FlatDocument
from flowbridge.providers.terraform.world import World

TerraformJson = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a limit is used. `source` is where the limit is documented."""

    limit: str  # "rules per security group and direction"
    scope: str  # "emea-edge expressway-e external ingress IPv4"
    used: int
    allowed: int
    source: str

    def as_plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Excess:
    """Packets the emitted rules allow and no flow asks for, and why the cloud needs them."""

    where: str  # point or tier and direction, in words
    reason: str  # "AWS security groups do not match source ports"
    packets: PacketSet


class LoweredRule(NamedTuple):
    """One emitted rule as `flowbridge rules` prints it; `address` is its Terraform address."""

    address: str
    stage: str  # security-group | network-acl | nsg | vpc-firewall
    scope: str  # the interface key or the tier
    direction: str
    action: str
    priority: int | None
    peer: str
    protocol: str
    source_ports: str
    destination_ports: str
    rows: tuple[str, ...]
    description: str


class Occupied(NamedTuple):
    """What takes the rules of one deployment only: a subnet has one network ACL.

    `place` is the same text in every deployment that means the same place; `name` and `key` are
    how and where this one names it; `reason` says what two of them would do to each other, and
    what to do instead.
    """

    place: str
    name: str
    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A policy in one cloud's terms.

    `terraform` holds `resource`, `output` (and `data`) blocks as Terraform JSON, with resource
    names made from content. It is complete but for the `terraform` and `provider` blocks.
    """

    terraform: TerraformJson
    rules: tuple[LoweredRule, ...]
    usage: tuple[Usage, ...]
    excess: tuple[Excess, ...]
    findings: tuple[Finding, ...]  # obligations, warnings, and refusals where a limit is exceeded
    occupied: tuple[Occupied, ...] = ()


class Provider(Protocol):
    """One cloud."""

    name: str

    def lower(self, policy: Policy, site: Site, network_id: str | None = None) -> Lowered:
        """Terraform JSON for `policy`. `network_id` (for instance a CDKTF token) replaces the
        site's own. A limit that cannot be kept is a refusal among the findings."""
        ...

    def enforcement(self, terraform: Mapping[str, Any], policy: Policy, site: Site) -> Enforcement:
        """What `terraform` (a whole cdk.tf.json) enforces at every point of `policy`.

        Group references are resolved to the member addresses of `policy.interfaces`, found by
        the `flowbridge:` tags. ValueError names a resource that cannot be understood.
        """
        ...

    def around(
        self, terraform: Mapping[str, Any], policy: Policy, site: Site
    ) -> tuple[Surrounding, ...]:
        """What the filters of subnets in `terraform` decide for every other host there; nothing
        in a cloud whose filters hang on cards only. ValueError as `enforcement`."""
        ...

    def world(self, plan: TerraformJson, policy: Policy, site: Site) -> World:
        """What of a document is ours, and what the proof makes of each attribute.

        `plan` is the document that Flowbridge writes for `site`.
        """
        ...

    def foreign(
        self,
        flat: FlatDocument,
        prior: FlatDocument,
        policy: Policy,
        site: Site,
        wearing: Wearing,
    ) -> Foreign:
        """What a plan or state of others enforces at the points of `policy`, as far as it tells.

        `prior` is the state before the plan (for a state, itself). BadMappingError where `wearing`
        does not fit; ValueError where nothing can be read.
        """
        ...

    def expressible(
        self, intended: PacketSet, point: Point, policy: Policy | None = None
    ) -> PacketSet:
        """The tightest set this cloud's stateful rules can say that contains `intended`; of
        `policy`, where these rules cannot leave the inside out of the internet."""
        ...

    def settings(self, site: Site) -> TerraformJson:
        """The `terraform.required_providers` and `provider` blocks for `site`."""
        ...
