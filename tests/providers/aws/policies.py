"""Hand-made policies for the tests of the AWS emitter: a few interfaces, and any flows."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import strategies as st

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.site import Site, site_of_data
from flowbridge.deployment.flow import End, Flow
from flowbridge.deployment.interface import Interface
from tests.providers.sites import interface

EXTERNAL = interface(
    "expressway-e/external", "dmz", "10.0.1.11", "10.0.1.12", public="203.0.113.11 203.0.113.12"
)
INTERNAL = interface("expressway-e/internal", "dmz", "10.0.2.11", "10.0.2.12")
CORE = interface("expressway-c/single", "internal", "10.0.10.11+2001:db8:10::11")
CUCM = interface("cucm/single", "internal", "10.0.10.21", "10.0.10.22")
INTERFACES = (CUCM, CORE, EXTERNAL, INTERNAL)

TIERS = {
    "dmz": {"cidrs": ["10.0.1.0/24", "10.0.2.0/24"], "subnets": ["subnet-a", "subnet-b"]},
    "internal": {
        "cidrs": ["10.0.10.0/24", "2001:db8:10::/64"],
        "subnets": ["subnet-c", "subnet-c"],
    },
}


def site(**more: object) -> Site:
    """The site of these interfaces; `more` are further keys of the deployment file."""
    return site_of_data(
        {
            "name": "lab",
            "cloud": "aws",
            "region": "eu-west-1",
            "network": {"id": "vpc-1", "tiers": TIERS},
            "services": ["sip-calls"],
            **more,
        }
    )


def here(of: Interface, *, translated: bool = False) -> End:
    """An end that is managed here, by its private or its public addresses."""
    return End(
        party=of.workload,
        interface=of,
        addresses=of.public if translated else of.private,
        translated=translated,
    )


def outside(party: str, *networks: str) -> End:
    """An end that is not managed here."""
    return End(party=party, interface=None, addresses=tuple(map(ip_network, networks)))


def ports(*texts: str | int) -> tuple[PortRange, ...]:
    return tuple(map(PortRange.parse, texts))


def flow(
    source: End,
    destination: End,
    protocol: Protocol,
    to: str | int,
    row: str = "expressway/11/1",
    *,
    source_ports: str | int = "1024-65535",
    management: bool = False,
) -> Flow:
    """One flow; `to` are its destination ports, separated by commas."""
    return Flow(
        source,
        destination,
        protocol,
        ports(source_ports) if protocol.has_ports else ports("any"),
        ports(*str(to).split(",")) if protocol.has_ports or to != "any" else ports("any"),
        (row,),
        management=management,
    )


INTERNET = outside("internet", "0.0.0.0/0", "::/0")
ADMIN = outside("admin-pc", "10.9.0.0/24", "10.9.1.0/24", "2001:db8:9::/64")
OUTSIDERS = (
    INTERNET,
    ADMIN,
    outside("dns", "10.0.10.2", "10.0.10.3"),
    outside("imp", "10.20.0.31", "10.20.0.32"),
    outside("phones", *(f"10.30.{2 * site}.0/24" for site in range(12))),
)

_MANAGED = st.sampled_from(INTERFACES).flatmap(
    lambda one: st.booleans().map(
        lambda translated: here(one, translated=translated and bool(one.public))
    )
)
_SPANS = st.sampled_from(
    [
        "22",
        "80",
        "443",
        "5060-5062",
        "1024-65535",
        "7001",
        "36000-36010 even",
        "36001-36011 odd",
        "36000-59998 even",
        "36001-59999 odd",
        "24000-29999",
    ]
).map(PortRange.parse)
_ICMP = st.sampled_from(["2048-2303", "772", "any"]).map(PortRange.parse)
_ROWS = st.builds(
    lambda table, row: f"expressway/{table}/{row}", st.integers(4, 30), st.integers(1, 40)
)


@st.composite
def flows(draw: st.DrawFn, parity: bool = True) -> Flow:
    """Any flow with at least one end here, and packets in at least one family."""
    mine = draw(_MANAGED)
    other = draw(st.one_of(st.sampled_from(OUTSIDERS), _MANAGED))
    source, destination = draw(st.permutations([mine, other]))
    protocol = draw(
        st.sampled_from([Protocol.TCP, Protocol.UDP, Protocol.TCP, Protocol.ICMP, Protocol.ESP])
    )
    if protocol is Protocol.ICMP:
        spans = draw(st.lists(_ICMP, min_size=1, max_size=2, unique=True))
        sources: tuple[PortRange, ...] = ports("any")
    elif protocol is Protocol.ESP:
        spans, sources = list(ports("any")), ports("any")
    else:
        drawn = draw(st.lists(_SPANS, min_size=1, max_size=3, unique=True))
        spans = [span for span in drawn if parity or span.parity is None] or list(ports(443))
        sources = draw(st.sampled_from([ports("1024-65535"), ports("30000-35999"), ports("any")]))
    rows = draw(st.lists(_ROWS, min_size=1, max_size=3, unique=True))
    return Flow(
        source,
        destination,
        protocol,
        sources,
        tuple(spans),
        tuple(sorted(rows)),
        translated_ports=draw(st.sampled_from([(), ports("any")])),
    )
