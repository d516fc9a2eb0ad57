"""Ports by size and option: what the documents print, and what settings move."""

from __future__ import annotations

import pytest

from tests.deployment.files import DUAL, flows, resolved, setting

H323 = setting(DUAL, services=["traversal-pair", "h323-calls", "sip-calls", "mra"])


def ports(row_id: str, **options: object) -> str:
    data = setting(H323, **options)
    spans = {flow.destination_ports for flow in flows(resolved(data), row_id)}
    (only,) = spans
    return ", ".join(map(str, only))


@pytest.mark.parametrize(
    ("row_id", "options", "expected"),
    [
        # TURN: one port, or six on a large system without multiplexing (table 3, rows 6 and 7).
        ("expressway/11/14", {"size": "small"}, "3478"),
        ("expressway/11/14", {"size": "medium"}, "3478"),
        ("expressway/11/14", {"size": "large"}, "3478-3483"),
        ("expressway/11/14", {"options__turn__multiplexed": True}, "3478"),
        ("expressway/11/14", {"options__turn__port": 5000}, "5000-5005"),
        ("expressway/11/14", {"options__turn__port": "5000-5005"}, "5000-5005"),
        ("expressway/11/14", {"size": "medium", "options__turn__port": 443}, "443"),
        ("expressway/16/6", {}, "3478-3483"),
        # Multiplexed media: a pair, or the first twelve media ports (table 3, rows 11 and 12).
        ("expressway/11/9", {}, "36000-36010 even"),
        ("expressway/11/10", {}, "36001-36011 odd"),
        ("expressway/17/3", {}, "36000-36011"),
        ("expressway/11/9", {"options__media_ports": "40000-49999"}, "40000-40010 even"),
        ("expressway/11/10", {"options__media_ports": "40000-49999"}, "40001-40011 odd"),
        ("expressway/11/9", {"size": "small"}, "2776"),
        ("expressway/11/10", {"size": "small"}, "2777"),
        ("expressway/17/3", {"size": "small"}, "2776-2777"),
        (
            "expressway/11/9",
            {"size": "medium", "options__multiplexed_media": "36000-36001"},
            "36000",
        ),
        (
            "expressway/11/10",
            {"size": "medium", "options__multiplexed_media": "36000-36001"},
            "36001",
        ),
        (
            "expressway/11/9",
            {
                "size": "medium",
                "options__media_ports": "40000-49999",
                "options__multiplexed_media": "40000-40001",
            },
            "40000",
        ),
        (
            "expressway/11/10",
            {"size": "medium", "options__multiplexed_media": "5000-5001"},
            "5001",
        ),
        # Media, with and without parity.
        ("expressway/11/11", {}, "36000-59999"),
        ("expressway/11/11", {"options__media_ports": "40000-49999"}, "40000-49999"),
        ("expressway/12/19", {}, "36000-59998 even"),
        ("expressway/12/20", {}, "36001-59999 odd"),
        ("expressway/12/19", {"options__media_ports": "40000-49999"}, "40000-49998 even"),
        ("expressway/12/20", {"options__media_ports": "40000-49999"}, "40001-49999 odd"),
        # Traversal zones count up.
        ("expressway/11/1", {}, "7001"),
        ("expressway/11/1", {"options__traversal_zones": 3}, "7001-7003"),
        ("expressway/12/4", {"options__traversal_zones": 2}, "6001-6002"),
        # Administration.
        ("expressway/6/1", {"options__admin__ssh_port": 5022}, "5022"),
        ("expressway/6/3", {"options__admin__https_port": 7443}, "7443"),
    ],
)
def test_destination_ports(row_id: str, options: dict[str, object], expected: str) -> None:
    assert ports(row_id, **options) == expected


def test_source_ports_move_with_the_media_range() -> None:
    data = setting(H323, options__media_ports="40000-49999")
    (sip,) = flows(resolved(data), "expressway/11/9")
    assert list(map(str, sip.source_ports)) == ["40000-49999"]
    (rtp,) = flows(resolved(data), "expressway/12/19")
    assert list(map(str, rtp.source_ports)) == ["40000-49998 even"]
