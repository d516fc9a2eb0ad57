"""The switches of a deployment. Defaults are what the documents have as default.

Each option is also a fact that catalog rows may name in `when`: `option.sip_udp`,
`option.turn.tcp_443`, and so on (`deployment.selection.facts`).
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.values import (
    Count,
    PortList,
    PortNumber,
    Ports,
    Section,
    Sentence,
    Switch,
    several,
)

MOST_ZONES: Final = 100
"""Traversal zones that a deployment may count."""


class Turn(Section):
    """TURN server of Expressway-E."""

    port: Ports = Field(
        PortRange(3478, 3478),
        description="TURN port; on a large system the first of six, unless multiplexed.",
    )
    multiplexed: Switch = Field(False, description="Large: one TURN port instead of six.")
    tcp_443: Switch = Field(False, description="TURN on TCP 443 as well.")
    sip_calls: Switch = Field(
        True, description="TURN for SIP calls (Expressway table 11); off when nothing uses it."
    )


class Admin(Section):
    """Administration of the Expressways."""

    https_port: PortNumber = Field(443, description="Web administration port.")
    https: Switch = Field(True, description="Web administration (HTTPS).")
    ssh: Switch = Field(True, description="Administration over SSH.")
    ssh_port: Literal[22, 5022] = Field(
        22, description="22 on appliances; 22 or 5022 on virtual machines."
    )
    http_redirect: Switch = Field(False, description="Open port 80, which redirects to HTTPS.")
    allow_from_anywhere: Sentence | None = Field(
        None,
        description="A sentence that says why management may be opened to the whole internet; "
        "without it a world-open management port is refused.",
    )


class Mra(Section):
    """Mobile and remote access (Expressway guide, tables 15 to 19)."""

    oauth: Switch = Field(True, description="SIP OAuth to Unified CM (5091), from X12.5.")
    ice_passthrough: Switch = Field(
        True, description="ICE passthrough between outside endpoints, from X12.5: opens TURN."
    )
    sip_tcp_to_cucm: Switch = Field(True, description="SIP over TCP to Unified CM (5060).")
    uds_port: Literal[443, 8443, "both"] = Field(
        "both", description="HTTPS port of UDS and AXL on Unified CM; printed as 443 or 8443."
    )
    legacy_tftp: Switch = Field(
        False, description="Configuration files over HTTP (6970): Jabber or Unified CM before 11.x."
    )
    secure_tftp: Switch = Field(
        True, description="Configuration files over HTTPS (6972): Jabber and Unified CM from 11.x."
    )
    headset: Switch = Field(True, description="Headset configuration and metrics (6971, 9444).")
    voicemail_port: Literal[443, 8443, "both", "none"] = Field(
        "both",
        description="HTTPS port of visual voicemail (Unity Connection); none: no voicemail.",
    )
    mwi: Literal["tls", "tcp", "both", "none"] = Field(
        "both", description="Message waiting indicator: over TLS (7443), over TCP (7080), or both."
    )


class H323(Section):
    """H.323 calls (Expressway table 12)."""

    direct: Switch = Field(True, description="Endpoints on the internet that need no traversal.")
    assent: Switch = Field(True, description="Firewall traversal by Assent.")
    h460: Switch = Field(True, description="Firewall traversal by H.460.18/19.")
    multiplexed_media: Switch = Field(
        True,
        description="H.460.19 media multiplexed on a few ports of Expressway-E; Assent media "
        "always is.",
    )
    non_multiplexed_media: Switch = Field(
        True, description="H.460.19 media on the whole media range of Expressway-E."
    )
    signalling_ports: Literal["registered", "standard"] = Field(
        "registered",
        description="Call signalling to endpoints on the internet: the port each one registered "
        "(any from 1024); standard: 1720 only.",
    )


class SmartLicensing(Section):
    """Smart Licensing of Expressway (Expressway table 7)."""

    transport: Literal["direct", "cssm", "proxy"] = Field(
        "direct", description="Cisco's cloud directly, an on-premises CSSM, or a proxy."
    )


class Email(Section):
    """E-mail notifications of Expressway (port guide, chapter 4)."""

    mode: Literal["explicit", "implicit"] = Field(
        "explicit",
        description="explicit: TLS is asked for after connecting (25, 587); implicit: from the "
        "start (465). `ports.smtp` names the one port that is used.",
    )


class Cluster(Section):
    """Clusters of Expressway peers (Expressway tables 8 to 10)."""

    routed_calls: Switch = Field(True, description="SIP calls are routed between peers (table 10).")


class Tms(Section):
    """How Cisco TMS manages Expressway (Expressway table 13)."""

    snmp: Switch = Field(True, description="Discovery over SNMP.")
    http: Switch = Field(True, description="Management and feedback over HTTP.")
    https: Switch = Field(True, description="Management and feedback over HTTPS.")


class Ldap(Section):
    """Logins against a directory (Expressway table 14)."""

    plain: Switch = Field(True, description="LDAP on 389.")
    encrypted: Switch = Field(True, description="LDAP over TLS on 636.")


class AwsLoadBalancer(Section):
    """Where the load balancer for Jabber Guest stands (docs/clouds.md)."""

    subnets: Annotated[tuple[str, ...], BeforeValidator(several)] = Field(
        (),
        description="AWS: public subnets of the network load balancer, none of them in a tier; "
        "`systems.load-balancer` lists their ranges.",
    )


class AzureLoadBalancer(Section):
    """Where the load balancer for Jabber Guest stands (docs/clouds.md)."""

    public_ip: str | None = Field(
        None, description="Azure: id of an existing public IP; without it one is made."
    )


class GcpLoadBalancer(Section):
    """Where the load balancer for Jabber Guest stands (docs/clouds.md)."""

    instance_groups: Annotated[tuple[str, ...], BeforeValidator(several)] = Field(
        (),
        description="Google Cloud: ids of the instance groups of the machines of Expressway-E; the "
        "outer card is their first (nic0).",
    )


class JabberGuest(Section):
    """Jabber Guest (Expressway guide, tables 20 and 21)."""

    translation: Switch = Field(
        True,
        description="Something in front translates 80 to 9980 and 443 to 9443, as the guide asks. "
        "false: Expressway-E itself is opened on 80 and 443.",
    )
    translator: Literal["none", "load-balancer"] = Field(
        "none",
        description="load-balancer: make the load balancer that translates 80 to 9980 and 443 to "
        "9443, from `load_balancer`. none: something else in front does it.",
    )
    one_way_media: Switch = Field(
        False,
        description="Single NIC: clients start one-way media (BFCP), so media from Expressway-E's "
        "relays to Expressway-C is opened as well.",
    )


class ClusterJabberGuest(JabberGuest):
    """Of one cluster: the load balancer is the deployment's."""


class AwsJabberGuest(JabberGuest):
    """Jabber Guest (Expressway guide, tables 20 and 21)."""

    load_balancer: AwsLoadBalancer = AwsLoadBalancer.unwritten()


class AzureJabberGuest(JabberGuest):
    """Jabber Guest (Expressway guide, tables 20 and 21)."""

    load_balancer: AzureLoadBalancer = AzureLoadBalancer.unwritten()


class GcpJabberGuest(JabberGuest):
    """Jabber Guest (Expressway guide, tables 20 and 21)."""

    load_balancer: GcpLoadBalancer = GcpLoadBalancer.unwritten()


class Microsoft(Section):
    """Microsoft interoperability (Expressway guide, table 22)."""

    relay_to_clients: Switch = Field(
        False,
        description="TURN relays also send to the clients' own media ports "
        "(`ports.lync-client-media`), beside those of Edge servers.",
    )
    peers_send_first: Switch = Field(
        False,
        description="The Microsoft side sends to the TURN relays before anything was sent to it "
        "(rows ours/11/1 and 11/2): opens the relays to it.",
    )


class Cms(Section):
    """Web proxy for Meeting Server (Expressway guide, table 24)."""

    webbridge: Switch = Field(True, description="Web Bridge signalling to Meeting Server (443).")
    webbridge_callback: Switch = Field(
        True, description="Web Bridge signalling from Meeting Server to Expressway-C."
    )
    relay_ports: Switch = Field(
        True,
        description="Meeting Server reaches the TURN relays; off: all its media goes through the "
        "TURN port, at the cost of load on the TURN server.",
    )
    http_redirect: Switch = Field(
        False, description="Guests who try port 80 are redirected (row ours/12/1)."
    )
    tcp_override: Switch = Field(
        False,
        description="A TURN TCP override port is configured on Meeting Server; "
        "`ports.turn-tcp-override` names it.",
    )


class Serviceability(Section):
    """Monitoring of Expressway (Expressway guide, table 29)."""

    snmp: Switch = Field(True, description="Queries of SNMP managers.")
    metrics: Switch = Field(True, description="System metrics to the analytics server.")
    syslog: Literal["all", "udp", "tcp", "tls", "none"] = Field(
        "all", description="Transport of remote logging: 514 over UDP or TCP, 6514 over TLS."
    )


PartyName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
ParameterName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
SwitchName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]


class Cucm(Section):
    """Unified CM (port usage of Unified CM, tables 1 to 11)."""

    ils: Literal["certificate", "password", "both", "none"] = Field(
        "both",
        description="How the Intercluster Lookup Service authenticates: by certificate (7501), by "
        "password (7502), or both.",
    )
    gateway_platform: Literal["asr-isr-g3", "isr-g2", "other"] = Field(
        "other",
        description="Platform of the voice gateways: decides their range of media and H.225 ports.",
    )
    ipsec_protocols: Annotated[
        tuple[Literal["gre", "esp", "ah"], ...], BeforeValidator(several)
    ] = Field(
        ("gre", "esp", "ah"),
        description="IP protocols of IPsec transport between gateways and Unified CM; leave out "
        "what is not used. Azure cannot filter GRE.",
    )
    dns_server: Switch = Field(False, description="Unified CM serves DNS; recommended against.")
    dhcp_server: Switch = Field(False, description="Unified CM serves DHCP; recommended against.")
    dhcp_client: Switch = Field(
        False, description="Unified CM gets its address by DHCP; recommended against."
    )
    cime_off_path: Switch = Field(
        False, description="Off-path deployment of Cisco Intercompany Media Engine (CIME)."
    )
    imp_installation: Switch = Field(
        False,
        description="SSH from IM and Presence nodes to Unified CM while they are being installed.",
    )


class Platform(Section):
    """What the cloud itself needs (the catalog's document `platform`)."""

    path_mtu: Switch = Field(
        False,
        description="Let in and out the ICMP messages that say a packet is too big (IPv4 type 3 "
        "code 4 on AWS, ICMPv6 type 2): at Expressway-E with the whole internet, inside with "
        "`systems.path-router`.",
    )


class Aws(Section):
    """How rules are written on AWS."""

    peers: Literal["groups", "addresses", "auto"] = Field(
        "auto",
        description="What rules name on the other side. groups: the other's security group, which "
        "follows its members and matches no packet that comes another way. addresses: always its "
        "addresses. auto: groups where they match, addresses elsewhere.",
    )
    network_acl: Literal["make", "none"] = Field(
        "make",
        description="make: a network ACL for each tier. none: none at all, for participants of a "
        "shared VPC, who may not make any; the security groups stand alone.",
    )
    exclusive: Switch = Field(
        False,
        description="Let each apply remove the rules of others from the security groups made here "
        "(provider 6.29 or newer). Run `flowbridge adopt` first: it shows what is there. Network "
        "ACLs: entries of others stay.",
    )


class Azure(Section):
    """How rules are written on Azure."""

    peers: Literal["groups", "addresses", "auto"] = Field(
        "auto",
        description="What rules name on the other side. addresses: always its addresses. groups "
        "and auto: its application security group where each of its network cards is named here, "
        "addresses elsewhere.",
    )
    nsg: Literal["subnet", "card"] = Field(
        "subnet",
        description="What NSGs hang on. subnet: one for each tier, on its subnets. card: one for "
        "each interface, on the network cards that are named (`eni`), where subnets are others'.",
    )
    exclusive: Switch = Field(
        False,
        description="Nothing changes by it: an NSG made here holds its rules itself, and each "
        "apply removes those of others in any case. Run `flowbridge adopt` first.",
    )


class Gcp(Section):
    """How rules are written on Google Cloud (docs/decisions/0004-gcp-rules.md)."""

    peers: Literal["addresses", "auto"] = Field(
        "auto", description="What rules name on the other side: its addresses, in either case."
    )
    rules: Literal["vpc-rules", "network-policy"] = Field(
        "vpc-rules",
        description="vpc-rules: VPC firewall rules, targets by network tag or service account. "
        "network-policy: one network firewall policy for each network, targets by secure tag.",
    )
    service_accounts: dict[str, str] = Field(
        default_factory=dict,
        description="Service account of the machines of a workload, as the target of its "
        "firewall rules in the place of a tag: `expressway-e: edge@project.iam...`.",
    )
    priority: Annotated[Count, Field(ge=0, le=65000)] = Field(
        900,
        description="Priority of the VPC firewall rules that allow; those that deny have the next "
        "number. Lower numbers of others decide before these.",
    )
    exclusive: Switch = Field(
        False,
        description="Takes `rules: network-policy`: a policy made here holds its rules itself, and "
        "each apply removes those of others in any case. No apply removes VPC firewall rules of "
        "others. Run `flowbridge adopt` first.",
    )


class Options(Section):
    """See the module's opening."""

    sip_udp: Switch = Field(False, description="SIP over UDP from outside (5060).")
    sip_tcp: Switch | None = Field(
        None, description="SIP over TCP (5060). Default: off; on before X8.9.2 (table 11)."
    )
    sip_tls: Switch = Field(True, description="SIP over TLS from outside (5061).")
    sip_mtls: Switch = Field(True, description="SIP over mutual TLS from outside (5062).")
    sip_udp_to_endpoints: Switch = Field(
        True, description="SIP over UDP from Expressway-C to endpoints on premises."
    )
    sip_udp_endpoint_ports: Literal["registered", "standard"] = Field(
        "registered",
        description="The endpoints' SIP UDP ports: as registered or found in DNS (any from 1024); "
        "standard: 5060 only.",
    )
    sip_udp_inside: Switch = Field(
        False, description="SIP over UDP between the inside systems only, not towards endpoints."
    )
    sip_tcp_inside: Switch = Field(
        False, description="SIP over TCP between the inside systems only, not towards endpoints."
    )
    traversal_zones: Annotated[Count, Field(ge=1, le=MOST_ZONES)] = Field(
        1, description="Traversal zones; ports count up from 7001 (SIP) and 6001 (H.323)."
    )
    media_ports: Ports = Field(
        PortRange(36000, 59999),
        description="RTP and RTCP media, inside 36000-59999; from an even to an odd port.",
    )
    multiplexed_media: Ports = Field(
        PortRange(2776, 2777), description="Small and medium only; large: the first 12 media ports."
    )
    turn: Turn = Turn.unwritten()
    admin: Admin = Admin.unwritten()
    h323: H323 = H323.unwritten()
    smart_licensing: SmartLicensing = SmartLicensing.unwritten()
    email: Email = Email.unwritten()
    cluster: Cluster = Cluster.unwritten()
    tms: Tms = Tms.unwritten()
    ldap: Ldap = Ldap.unwritten()
    ldap_from_edge: Switch = Field(
        False,
        description="Expressway-E asks the directory: only where users log in from outside and "
        "Expressway stores no credentials (rare).",
    )
    ports: dict[ParameterName, PortList] = Field(
        default_factory=dict,
        description="Ports of other systems by the catalog's parameter name: `smart-proxy: 3128`, "
        "`endpoint-media: 16384-32767`.",
    )
    switches: dict[SwitchName, bool | str] = Field(
        default_factory=dict,
        description="Switches that the catalog's data or an overlay declares, by name: "
        "`cucm-remote-syslog: tls`.",
    )
    mra: Mra = Mra.unwritten()
    jabber_guest: JabberGuest = JabberGuest.unwritten()
    microsoft: Microsoft = Microsoft.unwritten()
    cms: Cms = Cms.unwritten()
    serviceability: Serviceability = Serviceability.unwritten()
    cucm: Cucm = Cucm.unwritten()
    platform: Platform = Platform.unwritten()
    open_to_anyone: dict[PartyName, Annotated[str, Field(min_length=20)]] = Field(
        default_factory=dict,
        description="A sentence for each party that may be a large part of the internet although "
        "it reaches what serves the inside only: `uc-application: why`. Management has "
        "`admin.allow_from_anywhere`.",
    )
    nat_reflection: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether hosts reach Expressway-E by its public address from inside; auto: "
        "by release and topology.",
    )
    errata: Literal["corrected", "printed"] = Field(
        "corrected",
        description="Rows with their errata applied and the rows of ours that features need, or "
        "the documents' rows alone, as they print them.",
    )
    source_ports: Literal["printed", "any"] | None = Field(
        None,
        description="Source ports as printed, or any. Default: as printed, but any from 1024 where "
        "the printed ones are hard to believe (docs/decisions/0012-source-ports.md).",
    )


class AwsLogging(Section):
    """What is logged of packets: flow logs of the tiers' subnets (AWS, Azure), rules (Google)."""

    to: Annotated[str, Field(pattern=r"^arn:[a-z-]+:(s3:|logs:|firehose:).+$")] | None = Field(
        None,
        description="Make a flow log of each subnet that a tier names. AWS: the ARN of an S3 "
        "bucket, a CloudWatch log group or a Firehose stream. Azure: the id of a storage account.",
    )
    role: Annotated[str, Field(pattern=r"^arn:[a-z-]+:iam:.+$")] | None = Field(
        None, description="The role that may write there; a CloudWatch log group needs one."
    )
    traffic: Literal["all", "accept", "reject"] = Field(
        "all", description="Which packets a flow log has."
    )


class AzureLogging(Section):
    """What is logged of packets: flow logs of the tiers' subnets (AWS, Azure), rules (Google)."""

    to: (
        Annotated[
            str, Field(pattern=r"^/subscriptions/.+/Microsoft\.Storage/storageAccounts/[^/]+$")
        ]
        | None
    ) = Field(
        None,
        description="Make a flow log of each subnet that a tier names. AWS: the ARN of an S3 "
        "bucket, a CloudWatch log group or a Firehose stream. Azure: the id of a storage account.",
    )
    watcher: str | None = Field(
        None, description="The network watcher of the region; default NetworkWatcher_<region>."
    )
    watcher_group: str = Field(
        "NetworkWatcherRG", description="The resource group of the network watcher."
    )
    days: Annotated[Count, Field(ge=0, le=365)] = Field(
        0, description="How long the storage account keeps a flow log; 0: for ever."
    )


class GcpLogging(Section):
    """What is logged of packets: flow logs of the tiers' subnets (AWS, Azure), rules (Google)."""

    rules: Literal["none", "denied", "all"] = Field(
        "none", description="Which rules log the connections that they decide."
    )
    metadata: Switch = Field(
        True,
        description="Whether entries say which machine and subnet it was; VPC firewall rules only.",
    )


class AwsOptions(Options):
    """Options of a deployment on AWS."""

    aws: Aws = Aws.unwritten()
    logging: AwsLogging = AwsLogging.unwritten()
    jabber_guest: AwsJabberGuest = AwsJabberGuest.unwritten()


class AzureOptions(Options):
    """Options of a deployment on Azure."""

    azure: Azure = Azure.unwritten()
    logging: AzureLogging = AzureLogging.unwritten()
    jabber_guest: AzureJabberGuest = AzureJabberGuest.unwritten()


class GcpOptions(Options):
    """Options of a deployment on Google Cloud."""

    gcp: Gcp = Gcp.unwritten()
    logging: GcpLogging = GcpLogging.unwritten()
    jabber_guest: GcpJabberGuest = GcpJabberGuest.unwritten()


class ClusterOptions(Options):
    """Options of one cluster: those of every cloud, as in `options`."""

    jabber_guest: ClusterJabberGuest = ClusterJabberGuest.unwritten()
