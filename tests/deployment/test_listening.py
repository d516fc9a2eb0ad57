"""No two services of one machine on one port, whichever keys of the file put them there."""

from __future__ import annotations

from typing import Any

import pytest

from flowbridge.catalog.listener import listeners
from flowbridge.catalog.load import load
from flowbridge.deployment.finding import Finding, Severity
from tests.deployment.files import DUAL, Data, resolved, setting

SMALL: Data = setting(
    DUAL, size="small", services=["traversal-pair", "sip-calls", "mra", "jabber-guest"]
)
MOVED = {"options__admin__https_port": 7443}
COLLISIONS: list[tuple[dict[str, Any], str, str]] = [
    *(
        ({"options__admin__https_port": port}, "web administration", other)
        for port, other in {
            2222: "SSH tunnels",
            2776: "Assent",
            3478: "TURN",
            5060: "SIP",
            5061: "SIP",
            5062: "SIP",
            5222: "XMPP",
            5269: "XMPP",
            7001: "traversal",
            7400: "XMPP",
            8443: "mobile",
            9443: "Jabber Guest",
            1720: "H.323",
            4370: "cluster",
            15000: "H.245",
            25000: "TURN relays",
        }.items()
    ),
    *(
        ({"options__turn__port": port, **MOVED}, "TURN", other)
        for port, other in {
            443: "Jabber Guest",
            1720: "H.323",
            2776: "Assent",
            5061: "SIP",
            5062: "SIP",
            5222: "XMPP",
            7001: "traversal",
            7443: "web administration",
            8443: "mobile",
            24000: "TURN relays",
            40000: "media",
        }.items()
    ),
    ({"options__turn__port": 443}, "TURN", "web administration"),
    ({"options__turn__tcp_443": True}, "TURN on TCP 443", "web administration"),
    ({"options__turn__tcp_443": True, **MOVED}, "TURN on TCP 443", "Jabber Guest"),
    ({"options__multiplexed_media": "3478-3479"}, "multiplexed media", "TURN"),
    ({"options__multiplexed_media": "24000-24001"}, "multiplexed media", "TURN relays"),
    ({"options__multiplexed_media": "40000-40001"}, "multiplexed media", "media"),
    ({"options__ports": {"turn-relay": "36000-37000"}}, "TURN relays", "media"),
    ({"options__ports": {"turn-relay": "5000-6000"}}, "TURN relays", "SIP"),
    ({"options__traversal_zones": 100, "options__turn__port": 7050}, "traversal", "TURN"),
]


def collisions(data: Data) -> list[Finding]:
    found = resolved(data).findings
    assert all(f.severity is Severity.REFUSAL for f in found if f.id == "deployment/two-listeners")
    return [f for f in found if f.id == "deployment/two-listeners"]


@pytest.mark.parametrize("case", COLLISIONS, ids=str)
def test_both_are_named(case: tuple[dict[str, Any], str, str]) -> None:
    changes, one, other = case
    found = [f for f in collisions(setting(SMALL, **changes)) if one in f.message]
    assert any(other in f.message for f in found), found
    keys = {key.replace("__", ".") for key in changes}
    assert any(f.key in keys or any(f.key.startswith(f"{key}.") for key in keys) for f in found)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        MOVED,
        {"options__turn__tcp_443": True, "services": ["traversal-pair", "mra"], **MOVED},
        {"options__multiplexed_media": "36000-36001"},
        {"options__multiplexed_media": "5000-5001"},
        {"size": "large"},
        {"options__turn": {"port": 443}, "services": ["traversal-pair", "cms-web-proxy"], **MOVED},
        {"options__admin__https_port": 8443, "services": ["traversal-pair", "cms-web-proxy"]},
        {"options__ports": {"turn-relay": "24000-27999"}},
    ],
    ids=str,
)
def test_what_the_documents_allow_is_not_refused(changes: dict[str, Any]) -> None:
    assert not collisions(setting(SMALL, **changes))


def test_the_listeners_are_of_the_catalog() -> None:
    catalog = load()
    known = listeners()
    for name, each in known.items():
        row = catalog.entry(each.row).row
        assert set(each.protocols) & {*row.protocol.l4} or row.protocol.printed, name
        assert each.parameter is None or each.parameter in catalog.parameters
        assert {*each.beside, *each.at_start_of} <= known.keys()
