"""The deployment file as a model: what one user runs, in one cloud, in one stack.

`Site` has what every cloud has; `AwsSite`, `AzureSite` and `GcpSite` add the keys of their cloud,
so that a key of another cloud is an unknown key. Only shapes and single values are checked here;
what needs several keys at once (an address outside its tier, a duplicate peer) is
`deployment.checks.validation`. Every key is described, because the JSON Schema that editors use is
made from these models.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self, assert_never

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from flowbridge.deployment.file.acceptance import Acceptance, Accepted, acceptances_of
from flowbridge.deployment.file.account import (
    AwsProvider,
    AwsQuotas,
    AzureProvider,
    AzureQuotas,
    Backend,
    GcpProvider,
    GcpQuotas,
    ProviderSettings,
    Quotas,
)
from flowbridge.deployment.file.firewalls import FirewallName, FirewallOnTheWay
from flowbridge.deployment.file.options import (
    AwsOptions,
    AzureOptions,
    ClusterOptions,
    GcpOptions,
    Options,
)
from flowbridge.deployment.file.releases import Releases
from flowbridge.deployment.file.values import (
    Count,
    Matching,
    Networks,
    PortList,
    ReleaseName,
    Section,
    SetName,
    Switch,
    is_set_name,
    several,
)


class Cloud(StrEnum):
    AWS = "aws"
    AZURE = "azure"
    GCP = "gcp"


class Size(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


# Stack names become folder names and Terraform names on every cloud.
SiteName = Annotated[
    str,
    Matching(
        r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$",
        "2 to 40 lower-case letters a-z, digits and hyphens, starting with a letter",
    ),
]
TierName = Annotated[
    str,
    Matching(
        r"^[a-z][a-z0-9-]{0,20}$",
        "up to 21 lower-case letters a-z, digits and hyphens, starting with a letter",
    ),
]


class Tier(Section):
    """Subnets that share a network ACL (AWS), an NSG (Azure) or a VPC network (Google Cloud)."""

    cidrs: Networks = Field(min_length=1, description="Address ranges of the tier's subnets.")
    subnets: tuple[str, ...] = Field(
        (),
        description="Cloud ids of the subnets the network ACL or NSG is attached to, in the order "
        "of their CIDRs.",
    )
    nat: Networks = Field(
        (),
        description="Public addresses by which hosts of this tier without one of their own "
        "reach public addresses (NAT gateway, Cloud NAT).",
    )


class GcpTier(Tier):
    network: str | None = Field(
        None, description="Google Cloud: the tier's VPC network, where it is not `network.id`."
    )


class NetworkSection(Section):
    """Where the deployment lives in its cloud."""

    id: str | None = Field(None, description="AWS: VPC id. Azure: VNet name. GCP: network name.")
    public_cidrs: Switch = Field(
        False,
        description="The network numbers its own hosts with public IPv4 addresses; without it "
        "such an address in a private place is refused.",
    )
    private: Networks | None = Field(
        None,
        description="Address blocks that `internet` never means, beside the tiers and systems; "
        "default: RFC 1918, 100.64.0.0/10, link-local and unique local addresses.",
    )
    tiers: Mapping[TierName, Tier] = Field(min_length=1, description="Tiers by name.")


class AwsNetwork(NetworkSection):
    """A VPC."""


class AzureNetwork(NetworkSection):
    """A VNet."""

    resource_group: str | None = Field(None, description="Azure: resource group.")
    vnet: str | None = Field(None, description="Azure: VNet name (the same as `id`).")


class GcpNetwork(NetworkSection):
    """The VPC networks of a project."""

    project: str | None = Field(None, description="Google Cloud: project id.")
    networks: dict[str, str] = Field(
        default_factory=dict, description="Google Cloud: VPC network per interface name."
    )
    tiers: Mapping[TierName, GcpTier] = Field(min_length=1, description="Tiers by name.")


class PlaceTier(GcpTier):
    """A tier of a place."""


class PlaceNetwork(AzureNetwork, GcpNetwork):
    """The network of a place, which may be in any cloud; what its cloud has not is refused later
    (`deployment.places.expansion`)."""

    tiers: Mapping[TierName, PlaceTier] = Field(min_length=1, description="Tiers by name.")


FurtherTiers = Annotated[
    tuple[str, ...],
    BeforeValidator(several),
    Field(
        description="Tiers of other places in which it stands too. Each address is in the tier "
        "that holds it; there it is managed like those in `tier`."
    ),
]


class EdgePeer(Section):
    """One cluster peer of Expressway-E."""

    external: Networks = Field((), description="Outer address (dual NIC).")
    internal: Networks = Field((), description="Inner address (dual NIC).")
    address: Networks = Field((), description="The only address (single NIC).")
    public: Networks = Field((), description="The public address translated to this peer.")
    eni: str | None = Field(None, description="Existing network interface (single NIC).")
    external_eni: str | None = Field(None, description="Existing outer network interface.")
    internal_eni: str | None = Field(None, description="Existing inner network interface.")


class CorePeer(Section):
    """One cluster peer of Expressway-C."""

    address: Networks = Field(min_length=1, description="Its address.")
    public: Networks = Field((), description="A public address of its own, where it has one.")
    eni: str | None = Field(None, description="Existing network interface.")


class ExpresswayE(Section):
    tier: str = Field(description="The tier it is in (dual NIC: of the outer interface).")
    internal_tier: str | None = Field(
        None, description="The tier of the inner interface, where it is not `tier`."
    )
    nics: Literal["dual", "single"] = Field("dual", description="One network card or two.")
    static_nat: Switch | None = Field(
        None, description="Whether a public address is translated to it; default: if `public` is."
    )
    peers: tuple[EdgePeer, ...] = Field(
        min_length=1, max_length=6, description="One entry per cluster peer."
    )
    further_tiers: FurtherTiers = ()
    elsewhere: Networks = Field(
        (), description="Addresses of further peers of this cluster that do not run here."
    )


class ExpresswayC(Section):
    tier: str = Field(description="The tier it is in.")
    peers: tuple[CorePeer, ...] = Field(
        min_length=1, max_length=6, description="One entry per cluster peer."
    )
    further_tiers: FurtherTiers = ()
    elsewhere: Networks = Field(
        (), description="Addresses of further peers of this cluster that do not run here."
    )

    @model_validator(mode="before")
    @classmethod
    def _runs_here(cls, data: Any) -> Any:
        if isinstance(data, dict) and "tier" not in data:
            raise ValueError(
                "`tier` is missing: write the tier it is in or, where it runs elsewhere, leave "
                "this section out and give its addresses under systems.expressway-c"
            )
        return data


LISTED: Final = "a list"
MAPPED: Final = "a map"


def _listed_or_mapped(value: object) -> str:
    return MAPPED if isinstance(value, Mapping) else LISTED


Services = Annotated[
    Annotated[tuple[str, ...], Tag(LISTED)]
    | Annotated[Mapping[str, Mapping[str, Networks]], Tag(MAPPED)],
    Discriminator(_listed_or_mapped),
]
"""The names of services, or each with the addresses that its rows mean by some parties."""


class ClusterSettings(Section):
    """What a named cluster has of its own."""

    services: Services | None = Field(
        None,
        description="The services of this cluster, in the place of the file's. A pair of clusters "
        "has those of both.",
    )
    options: ClusterOptions | None = Field(
        None, description="Options of this cluster, laid over the file's."
    )
    release: ReleaseName | None = Field(
        None, description="Its Expressway release, where it is not the file's."
    )
    size: Size | None = Field(None, description="Its size, where it is not the file's.")


class EdgeCluster(ClusterSettings, ExpresswayE):
    """One of several Expressway-E clusters."""


class CoreCluster(ClusterSettings, ExpresswayC):
    """One of several Expressway-C clusters."""

    edges: Annotated[tuple[str, ...], BeforeValidator(several)] = Field(
        (),
        description="The Expressway-E clusters whose traversal client it is; default: the one of "
        "its own name, or all where there is one core or one edge.",
    )


class NamedEdge(EdgeCluster):
    """A cluster with its name; never read from a file."""

    cluster: str


class NamedCore(CoreCluster):
    """A cluster with its name; never read from a file."""

    cluster: str


ClusterName = Annotated[
    str,
    Matching(
        r"^[a-z][a-z0-9-]{0,20}$",
        "up to 21 lower-case letters a-z, digits and hyphens, starting with a letter",
    ),
]
ONE: Final = "one cluster"
NAMED: Final = "named clusters"


def _one_or_named(value: object) -> str:
    """Which of the two forms `expressway_e` or `expressway_c` has."""
    if not isinstance(value, Mapping):
        return ONE
    own = ExpresswayE.model_fields.keys() | ExpresswayC.model_fields.keys()
    named = value and not own & value.keys()
    return NAMED if named and all(isinstance(part, Mapping) for part in value.values()) else ONE


class System(Section):
    """Another party: a workload here when it has a `tier`, else a set of addresses."""

    addresses: Networks = Field(
        (),
        description="Its addresses or CIDRs. Names of sets of the cloud may stand among them; they "
        "are taken as `sets`.",
    )
    sets: Annotated[tuple[SetName, ...], BeforeValidator(several)] = Field(
        (),
        description="Sets of addresses that the cloud knows by name: managed prefix lists on AWS "
        "(pl-...), service tags on Azure (AzureCloud.westeurope). What is in them is not known "
        "here, and the proof says so.",
    )
    set_entries: Count | None = Field(
        None,
        ge=1,
        le=1000,
        description="AWS: the maximum entries of each of `sets`, which is what each of its rules "
        "takes of the quota; default: 1.",
    )
    tier: str | None = Field(
        None, description="The tier it is in, where it runs in this deployment."
    )
    further_tiers: FurtherTiers = ()
    elsewhere: Networks = Field(
        (),
        description="Its addresses that do not run in `tier`: on premises, in another network. "
        "They get no rules here, and others meet them by address.",
    )
    public: Networks = Field(
        (), description="Its public addresses, by which Expressway-E sees it behind NAT."
    )
    eni: Annotated[tuple[str, ...], BeforeValidator(several)] = Field(
        (), description="Existing network interfaces, one for each address."
    )
    fqdns: Annotated[tuple[str, ...], BeforeValidator(several)] = Field(
        (), description="Host names that these addresses stand for."
    )
    roles: Annotated[tuple[str, ...], BeforeValidator(several)] = Field(
        (),
        description="Further parties of the documents whose part its hosts play: `tftp`, `ip-vms`, "
        "`ntp`, `media-destination`. What rows ask of those is opened here.",
    )
    nics: Literal["dual", "single"] | None = Field(
        None,
        description="Of an Expressway-E elsewhere: its network cards, which decide the rows of "
        "Jabber Guest and by which address Expressway-C reaches it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _names_are_sets(cls, data: Any) -> Any:
        """Names among the addresses, which are written where a user looks first."""
        if not isinstance(data, dict) or "addresses" not in data:
            return data
        listed = several(data["addresses"])
        if not isinstance(listed, list):
            return data
        names = [text for text in listed if isinstance(text, str) and is_set_name(text)]
        if not names:
            return data
        rest = [text for text in listed if text not in names]
        already = data.get("sets", [])
        more = already if isinstance(already, list) else [already]
        return {**data, "addresses": rest, "sets": [*more, *names]}

    @model_validator(mode="after")
    def _stands_somewhere(self) -> Self:
        if not (self.addresses or self.sets):
            raise ValueError("`addresses` is missing: list its addresses or CIDRs")
        return self


class Assertion(Section):
    """One line of `tests:`: a question about packets with the expected answer."""

    from_: str = Field(
        alias="from",
        description="A system, an interface (`expressway-e/external`), `internet`, or an address.",
    )
    to: str = Field(
        description="Likewise. Of a workload's name, `denied` means each of its interfaces and "
        "`allowed` one of them."
    )
    protocol: Literal["tcp", "udp", "icmp", "icmpv6", "ah", "esp", "gre"] = Field(
        description="The IP protocol."
    )
    ports: PortList = Field((), description="Destination ports; each of them is judged.")
    source_ports: PortList = Field((), description="Source ports; any where left out.")
    expect: Literal["allowed", "denied"] = Field(description="The answer that must come.")


class PlaceQuotas(AwsQuotas, AzureQuotas, GcpQuotas):
    """The quotas of a place, which may be in any cloud."""


class PlaceProvider(AwsProvider, AzureProvider, GcpProvider):
    """How Terraform and the audit reach a place, which may be in any cloud."""


class Place(Section):
    """A network that the deployment spans: managed here with its tiers, or addresses alone."""

    managed: Switch = Field(
        True,
        description="Whether rules are made there. Without: premises or a network of others, whose "
        "addresses are its `cidrs`.",
    )
    cidrs: Networks = Field((), description="The address ranges of a place that is not managed.")
    cloud: Cloud | None = Field(None, description="Its cloud, where it is not the file's.")
    region: str | None = Field(
        None, min_length=1, description="Its region, where it is not the file's."
    )
    network: PlaceNetwork | None = Field(
        None, description="The network of a managed place with its tiers, as the file's `network`."
    )
    stack: SiteName | None = Field(
        None, description="Name of its stack; default: the file's name, a hyphen and the place's."
    )
    quotas: PlaceQuotas | None = Field(
        None, description="Raised limits of its account, laid over the file's."
    )
    provider: PlaceProvider | None = Field(
        None,
        description="How Terraform and the audit reach it (account, subscription), laid over the "
        "file's.",
    )
    backend: Backend | None = Field(
        None, description="Where Terraform keeps its state, laid over the file's."
    )


class Link(Section):
    """How places meet."""

    between: tuple[str, ...] = Field(
        min_length=2,
        description="Two places or more, each with each; or two tiers of one place or more, where "
        "an appliance stands between them.",
    )
    meet: Literal["peered", "transit", "vpn", "internet"] | None = Field(
        None,
        description="By which way packets go. internet: by public addresses; the others: by "
        "private ones. Of tiers of one place nothing is to be said.",
    )
    inspection: Switch = Field(
        False,
        description="An appliance (firewall, inspection VPC) stands between: no rule names a group "
        "on the other side of it.",
    )


PlaceName = TierName


class Site(Section):
    """One deployment file (docs/deployment.md): `site_type` says which of its kinds."""

    name: SiteName = Field(description="The stack's name.", examples=["emea-edge"])
    cloud: Cloud = Field(description="Which cloud it runs in.")
    region: str = Field(
        min_length=1,
        description="The cloud's region.",
        examples=["eu-west-1", "westeurope", "europe-west1"],
    )
    release: Releases = Field(
        Releases.unwritten(),
        description="The releases of the products; each decides the edition of its documents, and "
        "Expressway's the release-dependent rows. A plain X15.0 is Expressway's.",
    )
    size: Size = Field(Size.MEDIUM, description="Size of the Expressway systems.")
    platform: Literal["vm", "appliance"] = Field(
        "vm", description="Virtual machines or physical appliances."
    )
    network: NetworkSection = Field(description="The network, its tiers and their subnets.")
    places: Mapping[PlaceName, Place] = Field(
        default_factory=dict,
        description="The networks that the deployment spans, by name, beside `network` or in its "
        "place.",
    )
    links: tuple[Link, ...] = Field((), description="How the places meet.")
    edge: (
        Annotated[
            Annotated[ExpresswayE, Tag(ONE)]
            | Annotated[Mapping[ClusterName, EdgeCluster], Tag(NAMED)],
            Discriminator(_one_or_named),
        ]
        | None
    ) = Field(
        None,
        alias="expressway_e",
        description="Expressway-E, where it runs in this deployment; several clusters by name.",
    )
    core: (
        Annotated[
            Annotated[ExpresswayC, Tag(ONE)]
            | Annotated[Mapping[ClusterName, CoreCluster], Tag(NAMED)],
            Discriminator(_one_or_named),
        ]
        | None
    ) = Field(
        None,
        alias="expressway_c",
        description="Expressway-C, where it runs in this deployment; several clusters by name.",
    )
    systems: dict[str, System] = Field(
        default_factory=dict, description="Every other party, by its catalog name."
    )
    services: Services = Field(
        (),
        description="The documented services in use; each selects the rows of its tables. "
        "Required, unless every named cluster has its own. As a map a service may narrow its "
        "peers: addresses by party, for its rows alone.",
        examples=[["traversal-pair", "sip-calls", "mra"]],
    )
    options: Options = Field(
        Options.unwritten(), description="Settings and switches of the systems."
    )
    quotas: Quotas = Field(Quotas.unwritten(), description="Raised limits of the cloud account.")
    tests: tuple[Assertion, ...] = Field(
        (), description="Assertions on packets, checked at every synth."
    )
    backend: Backend = Field(Backend.unwritten(), description="Where Terraform keeps the state.")
    provider: ProviderSettings = Field(
        ProviderSettings.unwritten(), description="How Terraform and the audit reach the cloud."
    )
    extends: str | tuple[str, ...] = Field(
        (),
        description="A file, or several, whose keys hold where this one has none of its own: "
        "sections are merged key by key, lists and values are this file's.",
        examples=["../common.yaml"],
    )
    overlays: tuple[str, ...] = Field((), description="Files with the user's own catalog rows.")
    firewalls: dict[FirewallName, FirewallOnTheWay] = Field(
        default_factory=dict,
        description="Firewalls on the way that nothing here makes: `flowbridge firewall` writes "
        "what each has to let through.",
        examples=[
            {
                "premises": {
                    "kind": "cisco-asa",
                    "zones": {
                        "outside": {"behind": ["internet"]},
                        "inside": {"behind": ["10.9.0.0/16"]},
                    },
                }
            }
        ],
    )
    accept: Accepted = Field(
        default_factory=dict,
        description="Findings that this deployment accepts, and features that fail: a list of "
        "`{id, where, reason, owner, until}`, or short `{id: reason}`; also the name of a file "
        "beside this one that holds the list.",
        examples=[
            {"deployment/cut-off": "the new cluster is installed behind closed doors"},
            [
                {
                    "id": "aws/network-acl-widened",
                    "where": "tier uc",
                    "reason": "the groups behind it are exact",
                    "owner": "network team",
                    "until": "2027-03-31",
                }
            ],
        ],
    )

    @property
    def acceptances(self) -> tuple[Acceptance, ...]:
        """What `accept` says, whichever form it is written in."""
        return acceptances_of(self.accept)

    @property
    def expressway_e(self) -> ExpresswayE | None:
        """The one Expressway-E; None where there is none, and where clusters are named."""
        return self.edge if isinstance(self.edge, ExpresswayE) else None

    @property
    def expressway_c(self) -> ExpresswayC | None:
        """The one Expressway-C; None where there is none, and where clusters are named."""
        return self.core if isinstance(self.core, ExpresswayC) else None

    @classmethod
    def of(cls, site: Site) -> Self:
        """`site` as a deployment for the cloud of this class. TypeError for another one's."""
        if not isinstance(site, cls):
            raise TypeError(f"{site.name} is a deployment for {site.cloud}, no {cls.__name__}")
        return site


class AwsSite(Site):
    cloud: Literal[Cloud.AWS] = Field(description="Which cloud it runs in.")
    network: AwsNetwork = Field(description="The network, its tiers and their subnets.")
    options: AwsOptions = Field(
        AwsOptions.unwritten(), description="Settings and switches of the systems."
    )
    quotas: AwsQuotas = Field(
        AwsQuotas.unwritten(), description="Raised limits of the cloud account."
    )
    provider: AwsProvider = Field(
        AwsProvider.unwritten(), description="How Terraform and the audit reach the cloud."
    )


class AzureSite(Site):
    cloud: Literal[Cloud.AZURE] = Field(description="Which cloud it runs in.")
    network: AzureNetwork = Field(description="The network, its tiers and their subnets.")
    options: AzureOptions = Field(
        AzureOptions.unwritten(), description="Settings and switches of the systems."
    )
    quotas: AzureQuotas = Field(
        AzureQuotas.unwritten(), description="Raised limits of the cloud account."
    )
    provider: AzureProvider = Field(
        AzureProvider.unwritten(), description="How Terraform and the audit reach the cloud."
    )


class GcpSite(Site):
    cloud: Literal[Cloud.GCP] = Field(description="Which cloud it runs in.")
    network: GcpNetwork = Field(description="The network, its tiers and their subnets.")
    options: GcpOptions = Field(
        GcpOptions.unwritten(), description="Settings and switches of the systems."
    )
    quotas: GcpQuotas = Field(
        GcpQuotas.unwritten(), description="Raised limits of the cloud account."
    )
    provider: GcpProvider = Field(
        GcpProvider.unwritten(), description="How Terraform and the audit reach the cloud."
    )


def site_type(cloud: Cloud) -> type[Site]:
    """The model of a deployment file for `cloud`: the one list of the kinds of `Site`."""
    match cloud:
        case Cloud.AWS:
            return AwsSite
        case Cloud.AZURE:
            return AzureSite
        case Cloud.GCP:
            return GcpSite
        case _:
            assert_never(cloud)


def options_type(cloud: Cloud) -> type[Options]:
    """The model of `options` in a deployment file for `cloud`."""
    kind = site_type(cloud).model_fields["options"].annotation
    assert isinstance(kind, type)  # noqa: S101
    assert issubclass(kind, Options)  # noqa: S101
    return kind


def site_of_data(data: Mapping[str, Any]) -> Site:
    """The site that `data` describes. ValidationError where it describes none."""
    return model_of(data).model_validate(data)


def model_of(data: Mapping[str, Any]) -> type[Site]:
    """The model that reads `data`: by its `cloud`; where that is none, what all clouds share."""
    try:
        return site_type(Cloud(data.get("cloud", "")))
    except (TypeError, ValueError):
        return Site
