"""Deployments that together use every documented row: one with everything, and its variants.

Every system of the documents is there, with addresses of its own; those that a variant `hosts`
are workloads of the deployment, the others are met by address.
"""

from __future__ import annotations

from typing import Any, Final

from flowbridge.catalog.load import load
from flowbridge.catalog.party import PartyKind
from tests.deployment.files import DUAL, SINGLE, Data, setting

NAT: Final = "198.51.100.7"
SERVED_HERE: Final = (
    "cucm",
    "imp",
    "cms",
    "unity",
    "gateway",
    "jabber-guest",
    "gateway-expressway",
)
"""What a site with everything runs beside its Expressways."""

THIRD_PARTIES: Final = (
    "microsoft-edge", "phone", "hp-sim", "compaq-agent", "tls-proxy", "lync-client",
)  # fmt: skip
"""Whose flows with each other are seen only where they run in the deployment."""

EDGE_PEERS: Final = [
    {"external": f"10.0.1.{n}", "internal": f"10.0.2.{n}", "public": f"203.0.113.{n}"}
    for n in (11, 12)
]
SINGLE_PEERS: Final = [{"address": f"10.0.1.{n}", "public": f"203.0.113.{n}"} for n in (11, 12)]
CORE_PEERS: Final = [{"address": f"10.0.10.{n}"} for n in (11, 12)]
NAMED_PORTS: Final[dict[str, str | int]] = {
    "endpoint-media": "17000-17999",
    "lync-client-media": "18000-18999",
    "cisco-endpoint-media": "19000-19999",
    "smart-proxy": 3128,
    "turn-tcp-override": 4443,
}
"""Ports that the documents leave to the deployment, with numbers that no row prints."""


def systems(*hosted: str) -> dict[str, Any]:
    """Every system of the documents; those in `hosted` in the tier `internal`."""
    found: dict[str, Any] = {}
    for index, (name, party) in enumerate(load().parties.items()):
        if party.kind is not PartyKind.SYSTEM:
            continue
        if name in hosted:
            addresses = [f"10.0.10.{40 + index}", f"10.0.10.{140 + index}"]
            found[name] = {"tier": "internal", "addresses": addresses}
        elif party.host_names:
            found[name] = {"addresses": [f"198.51.100.{100 + index}"]}
        else:
            found[name] = {"addresses": [f"10.40.{index}.1"]}
    return found


EVERYTHING: Final[Data] = setting(
    DUAL,
    name="everything",
    network__tiers__internal__nat=[NAT],
    expressway_e__peers=EDGE_PEERS,
    expressway_c__peers=CORE_PEERS,
    systems=systems(*SERVED_HERE),
    services=list(load().services),
    options__admin__https_port=8444,
    options__ports=NAMED_PORTS,
    options__switches=dict.fromkeys(
        ("unity-port-monitor", "unity-database-proxy", "unity-ipsec"), True
    ),
)
"""A pair of clusters on X15.0, large, two cards, with every service at its defaults."""

SINGLE_CARD: Final[Data] = setting(
    EVERYTHING,
    expressway_e={**SINGLE["expressway_e"], "peers": SINGLE_PEERS},
    size="small",
)


def _variants() -> dict[str, Data]:
    """Each switches on what the ones before it left closed."""
    switched = setting(
        EVERYTHING,
        options__sip_udp=True,
        options__sip_tcp=True,
        options__ldap_from_edge=True,
        options__turn__tcp_443=True,
        options__admin__http_redirect=True,
        options__mra__legacy_tftp=True,
        options__jabber_guest__translation=False,
        options__smart_licensing__transport="cssm",
        options__email__mode="implicit",
        options__cms__tcp_override=True,
        options__cucm={
            "dns_server": True,
            "dhcp_server": True,
            "dhcp_client": True,
            "cime_off_path": True,
            "imp_installation": True,
            "gateway_platform": "asr-isr-g3",
        },
    )
    return {
        "everything": EVERYTHING,
        "switched on": switched,
        "licensed by proxy, routers of the second generation": setting(
            EVERYTHING,
            options__smart_licensing__transport="proxy",
            options__cucm__gateway_platform="isr-g2",
        ),
        "third parties here": setting(EVERYTHING, systems=systems(*SERVED_HERE, *THIRD_PARTIES)),
        "small": setting(EVERYTHING, size="small"),
        "small, first media ports": setting(
            EVERYTHING, size="small", options__multiplexed_media="36000-36001"
        ),
        "appliance": setting(EVERYTHING, platform="appliance"),
        "second SSH port": setting(EVERYTHING, options__admin__ssh_port=5022),
        "one card": SINGLE_CARD,
        "one card, switched on": setting(
            SINGLE_CARD,
            options__sip_tcp=True,
            options__jabber_guest__translation=False,
            options__jabber_guest__one_way_media=True,
        ),
        "one card, large": setting(SINGLE_CARD, size="large"),
        "one card, first media ports": setting(
            SINGLE_CARD, options__multiplexed_media="36000-36001"
        ),
        "standard administration": setting(
            EVERYTHING,
            options__admin__https_port=443,
            services=[name for name in load().services if name != "cms-web-proxy"],
        ),
        "web administration on 8443": setting(
            EVERYTHING,
            options__admin__https_port=8443,
            services=["traversal-pair", "cms-web-proxy"],
        ),
        "clients' relays": setting(
            EVERYTHING,
            options__microsoft__relay_to_clients=True,
            options__microsoft__peers_send_first=True,
            options__cms__http_redirect=True,
        ),
        "standalone Expressway-E": setting(
            EVERYTHING,
            expressway_c=None,
            services=["single-system"],
            options__admin__http_redirect=True,
            systems={**systems(*SERVED_HERE)},
        ),
        "releases: X8.7": setting(EVERYTHING, release="X8.7"),
        "releases: X8.9.1": setting(EVERYTHING, release="X8.9.1"),
        "releases: X8.10": setting(EVERYTHING, release="X8.10"),
        "releases: X12.5": setting(EVERYTHING, release="X12.5"),
    }


VARIANTS: Final[dict[str, Data]] = _variants()
