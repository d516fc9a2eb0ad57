"""A service selects exactly the rows of its tables that apply, read off the documents by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from flowbridge.catalog.load import entries_of, load
from flowbridge.deployment.checks.prerequisites import FIRST
from flowbridge.deployment.selection.resolution import Outcome
from tests.deployment.files import Data, resolved, setting
from tests.deployment.sites import CORE_PEERS, EDGE_PEERS, EVERYTHING, SINGLE_CARD

# What stays closed in a pair of clusters on X15.0, large, with two cards and nothing switched on.
CLOSED_BY_DEFAULT: dict[str, dict[str, str]] = {
    "replies of another row open nothing of their own": {"cucm-ldap": "3/2"},
    "HTTP needs not be open (footnote *)": {
        "single-system": "4/2",
        "traversal-pair": "5/2 6/2",
    },
    "5060 is in brackets": {
        "cluster": "10/1",
        "sip-calls": "11/5 11/6 1/2",
        "sip-trunk": "10/2 10/4",
        "microsoft-interop": "11/1 11/2",
        "mra": "18/2",
        "jabber-guest": "20/6 20/8",
        "cms-sip-edge": "25/2 25/4",
        "cms-sip-edge-microsoft": "26/3",
        "cms-microsoft-p2p": "27/3 27/6 27/8",
    },
    "TURN on TCP 443 only where that service is enabled (row 3/8)": {
        "traversal-pair": "6/+1",
        "sip-calls": "11/+2",
        "cms-web-proxy": "24/+2",
        "cms-sip-edge": "25/+2",
        "cms-sip-edge-microsoft": "26/+2",
        "cms-microsoft-p2p": "27/+1",
    },
    "the caption says before X8.8": {"cluster": "8/1 8/2 8/3 8/4 8/5"},
    "one of the ways to license is used": {"smart-licensing": "7/3 7/4"},
    "explicit connections are the default": {"email-notification": "1/3"},
    "LDAP from the DMZ is a rare case": {"ldap": "14/2 14/4"},
    "between hosts on the internet": {"mra": "15/1"},
    "for Jabber before 11.x": {"mra": "18/7"},
    "80 and 443 are translated in front": {"jabber-guest": "20/1 20/2"},
    "for one network card": {"jabber-guest": " ".join(f"21/{n}" for n in range(1, 14))},
    "between others, whom no firewall here sees": {
        "microsoft-interop": "22/3 22/4 22/5 22/6 22/7 22/8",
        "cucm-phones": "6/1 6/17 6/18 7/2",
        "cucm-ctl": "9/1",
        "hp-server": "11/1 11/2 11/3 11/4",
        "webex-hybrid": "1/2 1/3 1/4 1/5 1/6 1/7",
    },
    "between processes of one Unity Connection node": {
        "unity": "1/5 1/9 1/10 1/12 1/16 1/22 1/30 1/31"
    },
    "needed before X12.5.5 only (footnote 12)": {"cms-web-proxy": "24/11"},
    "for a configured TCP override port": {"cms-web-proxy": "24/+1 12/1"},
    "Unified CM is no DNS or DHCP server, nor a DHCP client (notes)": {
        "cucm-common": "2/4 2/6 2/7"
    },
    "by the platform of the gateways": {"cucm-common": "2/31 2/32"},
    "in an off-path deployment of CIME only": {"cucm-gateways": "7/6"},
    "phantom ports inside Unified CM": {"cucm-gateways": "7/19"},
    "between processes of one IM and Presence node": {"imp": "1/5 2/2 6/1 7/1 7/2 7/3 10/3 13/1"},
    "while IM and Presence is installed": {"cucm-cluster": "1/+1"},
    "for an Expressway-E of its own": {"single-system": "4/+1 4/+2 4/+3 4/+4 4/+5 4/+6 4/+7"},
}

SERVICES = load().services


def rows_of(service: str) -> set[str]:
    """All rows of a service's tables, as `11/5`."""
    tables = load().tables_of(service)
    return {entry.id.split("/", 1)[1] for table in tables for entry in entries_of(table)}


def carried(data: Data, service: str) -> set[str]:
    """The rows of the service that became flows, as `11/5`."""
    return {
        selected.id.split("/", 1)[1]
        for selected in resolved(data).selected
        if selected.outcome is Outcome.CARRIED and selected.table.service == service
    }


def alone(data: Data, service: str) -> Data:
    """The deployment with one service, and the one that it is built on."""
    return setting(data, services=[*filter(None, [FIRST.get(service)]), service])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_selects_the_rows_that_apply(service: str) -> None:
    closed = {
        row for services in CLOSED_BY_DEFAULT.values() for row in services.get(service, "").split()
    }
    assert closed <= rows_of(service)
    assert carried(alone(EVERYTHING, service), service) == rows_of(service) - closed


@dataclass(frozen=True)
class Switch:
    """What a change of the deployment opens and closes in a service's tables."""

    service: str
    changes: dict[str, Any]
    opens: str = ""
    closes: str = ""
    base: Data = field(default_factory=lambda: EVERYTHING)


NINE = "9/1 9/2 9/3"
EIGHT = "8/1 8/2 8/3 8/4 8/5"
TEN = "10/2 10/3 10/4"
DIRECT = "12/1 12/2 12/5 12/8 12/13 12/14 12/21 12/22 12/23 12/24"
ASSENT = "12/6 12/9 12/11 12/15 12/+1 12/+2"
H460 = "12/7 12/10 12/12 12/16 12/25 12/26 12/27 12/28"
TCP, UDP = {"options__sip_tcp": True}, {"options__sip_udp": True}
TURN_443 = {"options__turn__tcp_443": True}

SWITCHES = {
    # Releases
    "clusters before X8.8": Switch("cluster", {"release": "X8.7"}, EIGHT, f"{NINE} {TEN}"),
    "clusters from X8.8": Switch("cluster", {"release": "X8.8"}, "10/1"),  # SIP TCP was on
    "SIP TCP until X8.9.2": Switch("sip-calls", {"release": "X8.9.1"}, "11/6 1/2"),
    "SIP TCP from X8.9.2": Switch("sip-calls", {"release": "X8.9.2"}),
    "MRA before X12.5": Switch(
        "mra", {"release": "X8.11.1"}, closes="16/6 16/7 18/5 18/6 2/6"
    ),  # no ICE passthrough, no OAuth
    "MRA from X12.5": Switch("mra", {"release": "X12.5"}),
    "ACME before X12.5": Switch("acme", {"release": "X12.1"}, closes="30/1 30/2"),
    "relays of a cluster before X12.5.5": Switch("cms-web-proxy", {"release": "X12.5.4"}, "24/11"),
    "relays of one peer before X12.5.3": Switch(
        "cms-web-proxy",
        {"release": "X12.5.2", "expressway_e__peers": EDGE_PEERS[:1]},
        "24/11",
        "24/12",  # from the private address to the private one of another peer
    ),
    "relays of one peer from X12.5.3": Switch(
        "cms-web-proxy",
        {"release": "X12.5.3", "expressway_e__peers": EDGE_PEERS[:1]},
        closes="24/12",
    ),
    # SIP
    "SIP UDP": Switch("sip-calls", UDP, "11/5"),
    "SIP TCP": Switch("sip-calls", TCP, "11/6 1/2"),
    "SIP TCP to Meeting Server": Switch("cms-sip-edge", TCP, "25/4"),
    "SIP UDP to Meeting Server": Switch("cms-sip-edge", UDP, "25/2"),
    "SIP TCP of Microsoft clients": Switch("cms-sip-edge-microsoft", TCP, "26/3"),
    "SIP TCP of Unified CM": Switch("cms-microsoft-p2p", TCP, "27/3 27/6 27/8"),
    "SIP TCP of Jabber Guest": Switch("jabber-guest", TCP, "20/6 20/8"),
    "TURN on TCP 443": Switch("sip-calls", TURN_443, "11/+2"),
    "no TURN for SIP calls": Switch(
        "sip-calls",
        {"options__turn__sip_calls": False},
        closes="11/14 11/15 11/16 11/17",
    ),
    # Administration
    "HTTP redirection": Switch(
        "traversal-pair", {"options__admin__http_redirect": True}, "5/2 6/2"
    ),
    "no web administration": Switch(
        "traversal-pair", {"options__admin__https": False}, closes="5/3 6/3"
    ),
    "no SSH": Switch("traversal-pair", {"options__admin__ssh": False}, closes="5/1 6/1"),
    # MRA
    "old configuration files": Switch("mra", {"options__mra__legacy_tftp": True}, "18/7"),
    "no message waiting": Switch("mra", {"options__mra__mwi": "none"}, closes="18/15 18/16"),
    "message waiting over TLS": Switch("mra", {"options__mra__mwi": "tls"}, closes="18/15"),
    "no voicemail": Switch("mra", {"options__mra__voicemail_port": "none"}, closes="18/14"),
    "no ICE passthrough": Switch(
        "mra", {"options__mra__ice_passthrough": False}, closes="16/6 16/7 17/5 2/6"
    ),
    # H.323
    "H.323 by Assent alone": Switch(
        "h323-calls",
        {"options__h323": {"direct": False, "h460": False}},
        closes=f"{DIRECT} {H460} 12/19 12/20",
    ),
    "H.323 by Assent alone, non-multiplexed": Switch(
        "h323-calls",  # Assent media is multiplexed whatever H.460 does
        {"options__h323": {"direct": False, "h460": False, "multiplexed_media": False}},
        closes=f"{DIRECT} {H460} 12/19 12/20",
    ),
    "H.323 by H.460 alone, non-multiplexed": Switch(
        "h323-calls",
        {"options__h323": {"direct": False, "assent": False, "multiplexed_media": False}},
        closes=f"{DIRECT} {ASSENT} 12/17 12/18 12/25 12/26",
    ),
    "H.323 by H.460 alone, multiplexed": Switch(
        "h323-calls",
        {"options__h323": {"direct": False, "assent": False, "non_multiplexed_media": False}},
        closes=f"{DIRECT} {ASSENT} 12/19 12/20 12/27 12/28",
    ),
    # Jabber Guest
    "untranslated Jabber Guest": Switch(
        "jabber-guest",
        {"options__jabber_guest__translation": False},
        "20/1 20/2",
        "20/3 20/4",
    ),
    "one-way media": Switch(
        "jabber-guest",
        {"options__jabber_guest__one_way_media": True},
        "21/9",
        base=SINGLE_CARD,
    ),
    # The rest
    "licensing on premises": Switch(
        "smart-licensing", {"options__smart_licensing__transport": "cssm"}, "7/3", "7/1 7/2"
    ),
    "licensing by a proxy": Switch(
        "smart-licensing", {"options__smart_licensing__transport": "proxy"}, "7/4", "7/1 7/2"
    ),
    "implicit SMTP": Switch(
        "email-notification", {"options__email__mode": "implicit"}, "1/3", "1/1 1/2"
    ),
    "directory for the edge": Switch("ldap", {"options__ldap_from_edge": True}, "14/2 14/4"),
    "LDAPS only": Switch("ldap", {"options__ldap__plain": False}, closes="14/1"),
    "one peer each": Switch(
        "cluster",
        {"expressway_e__peers": EDGE_PEERS[:1], "expressway_c__peers": CORE_PEERS[:1]},
        closes=f"{NINE} {TEN}",
    ),
    "no IPsec to gateways": Switch(
        "cucm-gateways", {"options__cucm__ipsec_protocols": []}, closes="7/1 7/2"
    ),
    "IM and Presence being installed": Switch(
        "cucm-cluster", {"options__cucm__imp_installation": True}, "1/+1"
    ),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_opens_and_closes_its_rows_alone(name: str) -> None:
    switch = SWITCHES[name]
    base = alone(switch.base, switch.service)
    before = carried(base, switch.service)
    after = carried(setting(base, **switch.changes), switch.service)
    assert after - before == set(switch.opens.split())
    assert before - after == set(switch.closes.split())


def test_one_card_has_a_table_of_its_own() -> None:
    """Table 21 in the place of table 20; brackets, one-way media and untranslated ports closed."""
    closed = {"21/2", "21/3", "21/9", "21/10", "21/12"}
    expected = {f"21/{n}" for n in range(1, 14)} - closed
    assert carried(alone(SINGLE_CARD, "jabber-guest"), "jabber-guest") == expected


def test_protocols_of_a_row_can_be_left_out() -> None:
    """Azure cannot say GRE: what is not used need not be asked for."""
    data = alone(EVERYTHING, "cucm-gateways")

    def protocols(wanted: list[str]) -> set[str]:
        changed = setting(data, options__cucm__ipsec_protocols=wanted)
        return {
            flow.protocol.label
            for selected in resolved(changed).selected
            if selected.id in ("cucm/7/1", "cucm/7/2")
            for flow in selected.flows
        }

    assert protocols(["gre", "esp", "ah"]) == {"gre", "esp", "ah"}
    assert protocols(["esp"]) == {"esp"}
    assert protocols([]) == set()


def test_an_example_is_not_opened() -> None:
    """Row 18/18 prints (for instance 16384-32767): the deployment says what it is, where used."""
    mra = alone(EVERYTHING, "mra")
    missing = resolved(setting(mra, options__ports=None))
    (finding,) = (f for f in missing.findings if f.key == "options.ports.endpoint-media")
    assert finding.severity.value == "refusal"
    assert "expressway/18/18" in finding.source
    assert "18/18" not in carried(setting(mra, options__ports=None), "mra")
    nowhere = setting(mra, options__ports=None, **{"systems__media-destination": None})
    assert not [f for f in resolved(nowhere).findings if f.key.startswith("options.ports")]
