"""What EC2 and Service Quotas answered for one place, as they spell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flowbridge.deployment.file.site import AwsSite, Site
from flowbridge.policy.audit.estate import Unread
from flowbridge.providers.live.answered import Answered, Row
from flowbridge.providers.live.contract import Access


class Part(StrEnum):
    """One list that is read, named as a person counts it."""

    VPCS = "VPCs"
    SUBNETS = "subnets"
    GROUPS = "security groups"
    RULES = "security group rules"
    ACLS = "network ACLs"
    CARDS = "network interfaces"
    LISTS = "prefix lists"
    ADDRESSES = "public addresses"
    BLOCKS = "block public access settings"
    EXCLUSIONS = "exclusions from blocked public access"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Deployments in one place share one fetch. Endpoints by service name, `*` for all."""

    region: str
    vpc: str
    profile: str | None
    role: str | None
    endpoints: tuple[tuple[str, str], ...]
    external_id: str | None = None
    token_file: str | None = None

    @classmethod
    def of(cls, site: Site, access: Access) -> Place:
        own = tuple(sorted(site.provider.endpoints.items()))
        endpoints = (("*", access.endpoint_url),) if access.endpoint_url else own
        settings = AwsSite.of(site).provider
        return cls(
            region=site.region,
            vpc=site.network.id or "",
            profile=settings.profile,
            role=settings.assume_role,
            endpoints=endpoints,
            external_id=settings.external_id,
            token_file=settings.web_identity_token_file,
        )

    def endpoint(self, service: str) -> str | None:
        """The address of `service`; None for the SDK's own."""
        known = dict(self.endpoints)
        return known.get("*") or known.get(service)

    @property
    def scope(self) -> str:
        return self.scope_of(None)

    def scope_of(self, account: str | None) -> str:
        """The place in words, with the `account` that answered."""
        return f"{f'account {account}' if account else self.whose} {self.region}"

    @property
    def whose(self) -> str:
        """The account as far as it is known before anything answered."""
        if self.role:
            return f"account {self.role.split(':')[4]}" if self.role.count(":") >= 5 else self.role
        return f"profile {self.profile}" if self.profile else "the default account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers(Answered[Place, Part]):
    """All answers of one place. `entries` are those of prefix lists, by id.

    `quotas` are applied values by quota code. `lists_unread`, by prefix list, concerns those whose
    rules name the list. `region_groups` counts the groups of all VPCs, where that was asked.
    """

    account: str | None
    entries: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    quotas: Mapping[str, float] = field(default_factory=dict)
    lists_unread: Mapping[str, Unread] = field(default_factory=dict)
    region_groups: int | None = None

    @property
    def scope(self) -> str:
        return self.place.scope_of(self.account)

    @property
    def judged_unread(self) -> tuple[Unread, ...]:
        """What an audit or an adoption misses."""
        return (*self.audit_unread, *self.lists_unread.values())

    @property
    def unread(self) -> tuple[Unread, ...]:
        return (*self.judged_unread, *self.aside_unread)


def tags_of(row: Row) -> dict[str, str]:
    """The tags of a resource as a map."""
    return {tag["Key"]: tag.get("Value", "") for tag in row.get("Tags") or ()}


def marks(tags: Mapping[str, str] | None) -> dict[str, str]:
    """The tags that are Flowbridge's own."""
    return {key: value for key, value in (tags or {}).items() if key.startswith("flowbridge:")}
