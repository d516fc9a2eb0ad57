"""A small deployment for the tests of the Azure emitter, and any flows between its parties."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import strategies as st

from flowbridge.catalog.ports import Parity, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.site import Site, site_of_data
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface
from flowbridge.policy.compiled import Policy, compile_policy
from tests.policy.edge import ADMIN, EPHEMERAL, INTERNET, flow, inside, outside
from tests.providers.sites import interface

__all__ = ["ADMIN", "EPHEMERAL", "INTERNET", "flow", "inside", "outside"]

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/uc/providers/Microsoft.Network"
SUBNETS = f"{NETWORK}/virtualNetworks/uc-vnet/subnets"


def card(name: str) -> str:
    return f"{NETWORK}/networkInterfaces/{name}"


# Every card named; one of two named; both families and named; none named.
EXTERNAL = interface(
    "expressway-e/external",
    "dmz",
    "10.0.1.11",
    "10.0.1.12",
    cards=[card("e1-outer"), card("e2-outer")],
    public="203.0.113.11 203.0.113.12",
)
INTERNAL = interface(
    "expressway-e/internal", "dmz", "10.0.2.11", "10.0.2.12", cards=[card("e1-inner"), None]
)
CORE = interface(
    "expressway-c/single", "internal", "10.0.10.11+2001:db8:10::11", cards=[card("c1")]
)
CUCM = interface(
    "cucm/single", "internal", "10.0.10.21+2001:db8:10::21", "10.0.10.22+2001:db8:10::22"
)
INTERFACES = (CUCM, CORE, EXTERNAL, INTERNAL)

TIERS = {
    "dmz": {
        "cidrs": ["10.0.1.0/24", "10.0.2.0/24"],
        "subnets": [f"{SUBNETS}/outer", f"{SUBNETS}/inner"],
    },
    "internal": {"cidrs": ["10.0.10.0/24", "2001:db8:10::/64"], "subnets": [f"{SUBNETS}/core"]},
}


def site(network: dict[str, object] | None = None, **more: object) -> Site:
    """The site of these interfaces; `more` are further keys of the deployment file."""
    return site_of_data(
        {
            "name": "lab",
            "cloud": "azure",
            "region": "westeurope",
            "network": {
                "resource_group": "uc",
                "vnet": "uc-vnet",
                "tiers": TIERS,
                **(network or {}),
            },
            "services": ["sip-calls"],
            **more,
        }
    )


def policy(*flows: Flow, interfaces: Iterable[Interface] = INTERFACES) -> Policy:
    return compile_policy(tuple(interfaces), flows)


def translated(of: Interface) -> End:
    """An end that is managed here, by its public addresses."""
    return End(party=of.workload, interface=of, addresses=of.public, translated=True)


@st.composite
def _ports(draw: st.DrawFn) -> PortRange:
    first = draw(st.sampled_from([0, 22, 5060, 36000, 36001, 65000]))
    last = min(65535, first + draw(st.sampled_from([0, 1, 11, 600, 65535])))
    return PortRange(first, last, draw(st.sampled_from([None, None, *Parity])))


_ENDS = (
    INTERNET,
    ADMIN,
    outside("dns", "10.0.10.2", "10.0.10.3", "2001:db8:10::53"),
    outside("sip-endpoint", "::/0"),
    translated(EXTERNAL),
    # Only a part of an interface, so no group stands for it.
    End(party="expressway-e", interface=EXTERNAL, addresses=EXTERNAL.private[:1]),
    *map(inside, INTERFACES),
)
_PROTOCOLS = (Protocol.TCP, Protocol.UDP, Protocol.UDP, Protocol.ICMP, Protocol.ESP, Protocol.AH)
_BEHIND_NAT = st.sampled_from([(), (PortRange.parse("any"),)])  # holds whatever was sent


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any flow with an end that is managed here."""
    source = draw(st.sampled_from(_ENDS))
    managed = [end for end in _ENDS if end.interface]
    destination = draw(st.sampled_from(_ENDS if source.interface else managed))
    protocol = draw(st.sampled_from(_PROTOCOLS))
    lists = st.lists(_ports(), min_size=1, max_size=2, unique=True)
    return Flow(
        source,
        destination,
        protocol,
        tuple(draw(lists)),
        tuple(draw(lists)),
        (f"expressway/{draw(st.integers(3, 30))}/{draw(st.integers(1, 20))}",),
        translated_ports=draw(_BEHIND_NAT),
    )
