"""Firewalls on the way: those that Flowbridge does not make, and what is behind each side."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from flowbridge.deployment.file.values import Matching, Network, Section, several


class FirewallKind(StrEnum):
    """What takes the configuration."""

    ASA = "cisco-asa"
    PALO_ALTO = "palo-alto"
    FORTIGATE = "fortigate"
    SRX = "juniper-srx"
    NFTABLES = "nftables"
    AWS = "aws-network-firewall"
    AZURE = "azure-firewall"
    GCP = "gcp-hierarchy"


# The name becomes that of access lists, zones, files and Terraform resources.
FirewallName = Annotated[
    str,
    Matching(
        r"^[a-z][a-z0-9-]{0,30}$",
        "up to 31 lower-case letters a-z, digits and hyphens, starting with a letter",
    ),
]
ZoneName = Annotated[
    str,
    Matching(
        r"^[A-Za-z][A-Za-z0-9_.-]{0,30}$",
        "up to 31 letters, digits, `_`, `.` and `-`, starting with a letter",
    ),
]
InterfaceName = Annotated[
    str,
    Matching(
        r"^[A-Za-z][A-Za-z0-9_./:-]{0,47}$",
        "the name that the firewall has for it, such as eth0 or GigabitEthernet0/1",
    ),
]


class Zone(Section):
    """One side of a firewall."""

    behind: Annotated[tuple[str, ...], BeforeValidator(several)] = Field(
        min_length=1,
        description="What is behind this side: tiers, places and systems by name, CIDRs, and "
        "`internet` for every public address that is behind no other side. The longest prefix "
        "decides.",
        examples=[["dmz", "10.9.0.0/24"], ["internet"]],
    )
    interface: InterfaceName | None = Field(
        None,
        description="The interface, where its name on the firewall is not the zone's.",
    )


class StaticNat(Section):
    """An address that this firewall changes into another, one to one, both ways."""

    own: Network = Field(description="The address that the host has itself.")
    public: Network = Field(description="The address by which the others meet it.")


class FirewallOnTheWay(Section):
    """A firewall between parties of this deployment."""

    kind: FirewallKind = Field(description="What takes the configuration.")
    zones: dict[ZoneName, Zone] = Field(
        min_length=2, description="Its sides by name, as the firewall calls them."
    )
    nat: tuple[StaticNat, ...] = Field(
        (),
        description="Addresses that this firewall itself changes; only these hairpin through it.",
    )
    id: str | None = Field(
        None,
        min_length=1,
        description="The parent in the cloud: for `azure-firewall` the firewall policy's id, for "
        "`gcp-hierarchy` the organization or folder (`organizations/123`).",
    )
