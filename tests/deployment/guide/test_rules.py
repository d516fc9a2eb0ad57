"""Each guide rule with a deployment that breaks it (or owes it) and one that does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from flowbridge.catalog.guide_rule import guide
from flowbridge.deployment.finding import Finding, Severity
from tests.deployment.files import DUAL, SINGLE, Data, problems, resolved, setting

CMS = {"systems__cms": {"tier": "internal", "addresses": ["10.0.10.31"]}}
PROXY: Data = setting(
    DUAL,
    services=["traversal-pair", "mra", "cms-web-proxy"],
    options__admin__https_port=7443,
    network__tiers__internal__nat=["198.51.100.7"],
    **CMS,
)
PROXY_SINGLE: Data = setting(
    PROXY, expressway_e=SINGLE["expressway_e"], size="small", name="proxy-single"
)
PEERS = [
    {"external": f"10.0.1.{n}", "internal": f"10.0.2.{n}", "public": f"203.0.113.{n}"}
    for n in (11, 12)
]
PRIVATE = [{"external": f"10.0.1.{n}", "internal": f"10.0.2.{n}"} for n in (11, 12)]
GUEST: Data = setting(
    DUAL,
    services=["traversal-pair", "jabber-guest"],
    **{"systems__jabber-guest": {"tier": "internal", "addresses": ["10.0.10.41"]}},
)
GUEST_SINGLE: Data = setting(GUEST, expressway_e=SINGLE["expressway_e"], size="small")
GUEST_AND_ACME: Data = setting(GUEST, services=["traversal-pair", "jabber-guest", "acme"])
GUEST_AND_PROXY: Data = setting(
    GUEST,
    services=["traversal-pair", "jabber-guest", "cms-web-proxy"],
    options__admin__https_port=7443,
    **CMS,
)
COMMON: Data = setting(DUAL, services=["cucm-common"])
LDAP: Data = setting(
    DUAL, services=["traversal-pair", "ldap"], systems__ldap={"addresses": ["10.0.10.5"]}
)
TMS: Data = setting(
    DUAL, services=["traversal-pair", "tms"], systems__tms={"addresses": ["10.9.1.2"]}
)
MICROSOFT: Data = setting(
    DUAL,
    services=["traversal-pair", "microsoft-interop"],
    **{"systems__gateway-expressway": {"tier": "internal", "addresses": ["10.0.10.51"]}},
)
FEDERATION: Data = setting(DUAL, services=["traversal-pair", "imp-federation-microsoft"])
PHONES: Data = setting(
    DUAL, services=["cucm-phones"], systems__phone={"addresses": ["10.30.0.0/16"]}
)
UNIFIED_CM: Data = setting(DUAL, services=["cucm-cluster"], expressway_e=None, expressway_c=None)
TRUNK: Data = setting(
    DUAL, services=["traversal-pair", "mra", "cms-microsoft-p2p"], **CMS
)  # rows 27/5 to 27/8: Expressway-C and Unified CM over a SIP trunk


@dataclass(frozen=True)
class Example:
    """`broken` shows the finding, `kept` does not, with these options set beside."""

    broken: Data
    kept: Data
    key: str
    words: str = ""
    more: tuple[Data, ...] = field(default=())  # broken too


def with_(data: Data, **changes: Any) -> Data:
    return setting(data, **changes)


EXAMPLES: dict[str, Example] = {
    "guide/release-withdrawn": Example(
        with_(DUAL, release="X8.11"),
        with_(DUAL, release="X8.11.1"),
        "release",
        "X8.11.1",
        (with_(DUAL, release="X8.11", expressway_e=None, services=["single-system"]),),
    ),
    "guide/turn-443-by-release": Example(
        with_(DUAL, release="X8.9.2", options__turn__tcp_443=True),
        with_(DUAL, release="X8.10", options__turn__tcp_443=True),
        "options.turn",
        "X8.10",
        (with_(DUAL, release="X8.9.2", size="small", options__turn__port=443),),
    ),
    "guide/internal-or-external-servers": Example(
        with_(DUAL, **{"systems__dns-external": {"addresses": ["192.0.2.53"]}}),
        DUAL,
        "systems",
        more=(with_(DUAL, **{"systems__ntp-external": {"addresses": ["192.0.2.123"]}}),),
    ),
    "guide/ice-passthrough-between-outsiders": Example(
        DUAL,
        with_(DUAL, options__mra__ice_passthrough=False),
        "options.mra.ice_passthrough",
    ),
    "guide/jabber-guest-and-acme": Example(
        GUEST_AND_ACME,
        with_(GUEST_AND_ACME, release="X12.1"),
        "services",
        "9980",
    ),
    "guide/jabber-guest-and-web-proxy": Example(
        GUEST_AND_PROXY,
        with_(GUEST_AND_PROXY, options__jabber_guest__translator="load-balancer"),
        "services",
        "9443",
    ),
    "guide/microsoft-port-ranges": Example(MICROSOFT, DUAL, "options.ports"),
    "guide/microsoft-rows-left-out": Example(MICROSOFT, DUAL, "services"),
    "guide/federation-by-the-publisher": Example(
        with_(FEDERATION, systems__imp__addresses=["10.20.0.31", "10.20.0.32"]),
        FEDERATION,
        "systems.imp.addresses",
        "rows expressway/23/3, expressway/23/4",
    ),
    "guide/cucm-dns-server": Example(
        with_(COMMON, options__cucm__dns_server=True), COMMON, "options.cucm.dns_server"
    ),
    "guide/cucm-dhcp-server": Example(
        with_(COMMON, options__cucm__dhcp_server=True), COMMON, "options.cucm.dhcp_server"
    ),
    "guide/cucm-dhcp-client": Example(
        with_(COMMON, options__cucm__dhcp_client=True), COMMON, "options.cucm.dhcp_client"
    ),
    "guide/multicast-music": Example(PHONES, DUAL, "services"),
    "guide/wireless-phones-and-dns": Example(PHONES, DUAL, "systems.phone", "TCP 53"),
    "guide/every-peer-is-opened": Example(
        with_(DUAL, expressway_e__peers=PRIVATE),
        with_(DUAL, expressway_e__peers=PEERS),
        "expressway_e.peers",
        "2 peers",
    ),
    "guide/close-unused-ports": Example(
        DUAL,
        with_(DUAL, options__mra__uds_port=8443, options__admin__ssh=False),
        "options",
        "options.mra.uds_port is both (443, 8443); "
        "options.admin.ssh (22) and options.admin.https (443).",
        (
            with_(DUAL, options__admin__ssh=False),
            with_(LDAP, options__admin__ssh=False),
            with_(TMS, options__admin__ssh=False),
        ),
    ),
    "guide/management-from-public-addresses": Example(
        with_(DUAL, **{"systems__admin-pc": {"addresses": ["203.0.113.64/28", "10.9.0.0/24"]}}),
        DUAL,
        "systems.admin-pc.addresses",
        "admin-pc (203.0.113.64/28)",
    ),
    "guide/no-alg": Example(DUAL, UNIFIED_CM, "expressway_e"),
    "guide/no-udp-inspection": Example(DUAL, UNIFIED_CM, "expressway_e"),
    "guide/hairpinning": Example(
        with_(PROXY, release="X12.5"), PROXY, "expressway_e", "row expressway/24/11"
    ),
    "guide/two-network-cards": Example(
        SINGLE,
        DUAL,
        "expressway_e.nics",
        more=(with_(SINGLE, expressway_e__static_nat=True),),
    ),
    "guide/sip-udp-from-the-internet": Example(
        with_(DUAL, options__sip_udp=True), DUAL, "options.sip_udp"
    ),
    "guide/tms-addresses": Example(TMS, with_(TMS, expressway_c=None, services=["tms"]), "systems"),
    "guide/ldap-from-the-dmz": Example(
        with_(LDAP, options__ldap_from_edge=True), LDAP, "options.ldap_from_edge"
    ),
    "guide/line-side-and-trunk-ports": Example(DUAL, TRUNK, "systems.cucm"),
    "guide/line-side-and-trunk-rows": Example(TRUNK, DUAL, "services", "expressway/27/5"),
    "guide/jabber-guest-translation": Example(
        GUEST,
        with_(GUEST, options__jabber_guest__translation=False),
        "options.jabber_guest.translation",
        "9443",
    ),
    "guide/jabber-guest-conflict": Example(
        with_(GUEST, options__jabber_guest__translation=False),
        GUEST,
        "options.jabber_guest.translation",
    ),
    "guide/single-card-reflection": Example(
        SINGLE,
        with_(SINGLE, options__nat_reflection="never"),
        "expressway_e.nics",
    ),
    "guide/microsoft-turn-port": Example(
        with_(MICROSOFT, size="medium", options__turn__port=443),
        MICROSOFT,
        "options.turn.port",
        "3478",
        (with_(MICROSOFT, options__turn__port="5000-5005"),),
    ),
    "guide/web-administration-not-443": Example(
        with_(PROXY, options__admin__https_port=443),
        PROXY,
        "options.admin.https_port",
        "7443",
        (with_(PROXY, options__admin=None),),
    ),
    "guide/web-administration-not-public": Example(
        PROXY_SINGLE, PROXY, "options.admin.https_port", "English"
    ),
    "guide/web-administration-not-8443": Example(
        with_(PROXY, options__admin__https_port=8443),
        with_(PROXY, options__admin__https_port=8443, services=["traversal-pair", "cms-web-proxy"]),
        "options.admin.https_port",
    ),
    "guide/turn-443-and-webrtc": Example(
        with_(PROXY, release="X8.10.4", options__turn__tcp_443=True),
        with_(PROXY, release="X8.11", options__turn__tcp_443=True),
        "options.turn",
        "X8.11.1",
        (with_(PROXY, release="X8.10", size="medium", options__turn__port=443),),
    ),
    "guide/relays-need-reflection": Example(
        with_(PROXY, release="X12.5.2"),
        with_(PROXY, release="X12.5.3"),
        "options.nat_reflection",
        more=(with_(PROXY, release="X12.5.4", expressway_e__peers=PEERS),),
    ),
    "guide/relays-without-reflection": Example(
        with_(PROXY, release="X12.5.2", options__nat_reflection="never"),
        with_(PROXY, release="X12.5.3", options__nat_reflection="never"),
        "options.nat_reflection",
        "X12.5.2",
        (
            with_(
                PROXY,
                release="X12.5.4",
                options__nat_reflection="never",
                expressway_e__peers=PEERS,
            ),
        ),
    ),
    "guide/turn-peers-by-private-address": Example(
        with_(PROXY, release="X12.5.5", expressway_e__peers=PEERS),
        with_(PROXY, release="X12.5.4", expressway_e__peers=PEERS),
        "expressway_e.peers",
        "10.0.1.11, 10.0.1.12",
    ),
    "guide/relay-ports-closed": Example(
        with_(PROXY, options__cms__relay_ports=False), PROXY, "options.cms.relay_ports"
    ),
    "guide/single-card-without-reflection": Example(
        with_(GUEST_SINGLE, options__nat_reflection="never"),
        GUEST_SINGLE,
        "options.nat_reflection",
        "rows expressway/21/6, expressway/21/7, expressway/21/8",
        (with_(SINGLE, options__nat_reflection="never"),),
    ),
    "guide/phones-need-ephemeral-ports": Example(
        with_(PHONES, options__ports={"cucm-ephemeral": "40000-61000"}),
        with_(PHONES, options__ports={"cucm-ephemeral": ["32768-50000", "50001-65535"]}),
        "options.ports.cucm-ephemeral",
        "40000-61000",
    ),
    "guide/ssh-not-throttled": Example(
        with_(UNIFIED_CM, options__cucm__imp_installation=True),
        UNIFIED_CM,
        "options.cucm.imp_installation",
    ),
}

REFUSED_WHILE_READ: dict[str, tuple[Data, str]] = {
    "guide/mra-needs-traversal-pair": (with_(DUAL, services=["mra"]), "services[0]"),
    "guide/every-peer-is-public": (
        with_(DUAL, expressway_e__peers=[PEERS[0], PRIVATE[1]]),
        "expressway_e.peers[1]",
    ),
    "guide/management-from-inside": (
        with_(DUAL, **{"systems__admin-pc": {"addresses": ["0.0.0.0/0"]}}),
        "systems.admin-pc.addresses",
    ),
    "guide/turn-port": (
        with_(DUAL, size="small", options__turn__port=444),
        "options.turn.port",
    ),
    "guide/turn-ports-large": (with_(DUAL, options__turn__port=443), "options.turn.port"),
    "guide/media-range": (
        with_(DUAL, options__media_ports="35000-36200"),
        "options.media_ports",
    ),
    "guide/multiplexed-pair": (
        with_(DUAL, size="small", options__multiplexed_media="2776-2779"),
        "options.multiplexed_media",
    ),
    "guide/multiplexed-ports-large": (
        with_(DUAL, options__multiplexed_media="40000-40011"),
        "options.multiplexed_media",
    ),
    "guide/ssh-port-of-appliances": (
        with_(DUAL, platform="appliance", options__admin__ssh_port=5022),
        "options.admin.ssh_port",
    ),
}


def found(data: Data, name: str) -> list[Finding]:
    return [finding for finding in resolved(data).findings if finding.id == name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_breaks_a_rule_is_found_and_what_keeps_it_is_not(name: str) -> None:
    rule, example = guide().root[name], EXAMPLES[name]
    assert any(example.words in finding.message for finding in found(example.broken, name))
    for broken in (example.broken, *example.more):
        (finding,) = found(broken, name)
        assert finding.severity is Severity(rule.kind.value)
        assert finding.key == example.key
        assert rule.chapter in finding.source
    assert not found(example.kept, name)


@pytest.mark.parametrize("name", REFUSED_WHILE_READ)
def test_what_a_rule_refuses_is_refused_while_read(name: str) -> None:
    data, key = REFUSED_WHILE_READ[name]
    (problem,) = problems(data)
    assert problem.key == key
    assert problem.message.endswith(f"[{name}]")


def test_every_rule_is_tested() -> None:
    by_place = {"resolving": set(EXAMPLES), "reading": set(REFUSED_WHILE_READ)}
    for place, tested in by_place.items():
        assert tested == {name for name, _ in guide().enforced(place)}


def test_the_contract_is_neither_refused_nor_warned_of() -> None:
    grave = {Severity.REFUSAL, Severity.WARNING}
    told = [finding for finding in resolved(DUAL).findings if finding.severity in grave]
    assert {finding.id for finding in told} <= {"deployment/row-missing"}


def test_two_switches_for_one_task_are_named_with_their_ports() -> None:
    (ldap,) = found(with_(LDAP, options__admin__ssh=False), "guide/close-unused-ports")
    assert "options.ldap.plain (389) and options.ldap.encrypted (636)." in ldap.message
    one = with_(LDAP, options__admin__ssh=False, options__ldap__plain=False)
    assert not found(one, "guide/close-unused-ports")


def test_relays_that_nobody_inside_may_reach_at_their_public_address_are_warned_of() -> None:
    never = with_(PROXY, options__nat_reflection="never")
    (finding,) = found(never, "guide/relay-ports-closed")
    assert finding.key == "options.nat_reflection"
    assert not found(with_(never, expressway_e__peers__0__public=None), "guide/relay-ports-closed")


def test_reflection_that_is_always_done_is_not_blamed_on_the_release() -> None:
    (finding,) = found(
        with_(PROXY, options__nat_reflection="always"), "guide/relays-need-reflection"
    )
    assert "on this release" not in finding.message
    assert "nat_reflection is always" in finding.message


def test_several_rows_are_named_as_rows() -> None:
    cluster = with_(PROXY, release="X12.5", expressway_e__peers=PEERS)
    (finding,) = found(cluster, "guide/hairpinning")
    assert "(rows expressway/24/11, expressway/24/12)" in finding.message


def test_peers_are_asked_for_private_addresses_only_by_releases_that_use_them() -> None:
    cluster = with_(PROXY, release="X12.5.4", expressway_e__peers=PEERS)
    never = with_(cluster, options__nat_reflection="never")
    assert not found(never, "guide/turn-peers-by-private-address")
