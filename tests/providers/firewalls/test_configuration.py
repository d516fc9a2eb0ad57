"""What each kind of firewall is told is read back by code of its own, and is what flows ask for."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest

from flowbridge.policy.crossing.path_set import PathPacket, PathSet
from flowbridge.policy.crossing.plan import planned
from flowbridge.policy.packets.packet import Packet
from flowbridge.providers.firewalls.configuration import configure, judged
from flowbridge.providers.firewalls.kinds import Kind, kinds
from tests.providers.firewalls.terms import (
    SHAPES,
    deployment,
    firewall,
    terms_for,
    with_kind,
)

KINDS = tuple(kinds().values())


def by_name(value: object) -> str:
    return str(value.name) if isinstance(value, Kind) else str(value)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS, ids=by_name)
def test_a_kind_says_what_it_is_told(kind: Kind, shape: str) -> None:
    terms = terms_for(kind, shape)
    if not terms:
        said = {kind.cannot(term) for term in SHAPES[shape]}
        assert None not in said
        return
    around = firewall(kind)
    read = kind.read(kind.emit("x", around, terms), around)
    assert {place: PathSet.allowed(rules) for place, rules in read.items()} == planned(terms)


@pytest.mark.parametrize("kind", KINDS, ids=by_name)
def test_a_deployment_is_proved_for_every_kind(kind: Kind) -> None:
    made = configure(with_kind(kind), "premises", deployment()[1])
    assert made.holds, (made.refused, made.untold, made.missing, made.unexplained)
    assert bool(made.excess) == (not kind.source_ports)
    for term in made.terms:
        # Each row stands in a remark; nftables, whose comments are short, has a line for it.
        for row in term.rows:
            assert row in made.text


def packet(text: str) -> PathPacket:
    """`udp 10.46.0.7:5000 10.0.10.21:69`."""
    protocol, source, to = text.split()
    (peer, source_port), (destination, port) = source.split(":"), to.split(":")
    number = {"tcp": 6, "udp": 17}[protocol]
    inner = Packet(ip_address(peer), number, int(source_port), int(port))
    return PathPacket(inner, ip_address(destination))


def test_what_crosses_is_seen_by_the_addresses_of_its_zones() -> None:
    """By hand: the outside meets the public address, and this firewall is behind that NAT."""
    kind = kinds()[next(k for k in kinds() if k == "nftables")]
    made = configure(with_kind(kind), "premises", deployment()[1])
    read = kind.read(made.text, made.firewall)
    allowed = {place: PathSet.allowed(rules) for place, rules in read.items()}
    outside, inside = allowed["outside", "dmz"], allowed["inside", "dmz"]
    assert packet("tcp 198.51.100.7:40000 10.0.1.11:5061") in outside
    assert packet("tcp 198.51.100.7:40000 203.0.113.11:5061") not in outside
    assert packet("tcp 10.9.0.7:40000 10.0.1.11:5061") not in outside  # the inside is no internet
    assert packet("tcp 10.0.10.11:25000 10.0.2.11:7001") in inside
    assert packet("tcp 10.0.10.11:24999 10.0.2.11:7001") not in inside
    assert ("dmz", "dmz") not in allowed


def test_a_nat_of_its_own_turns_packets_around_and_palo_alto_names_the_public_address() -> None:
    site, flows = deployment()
    change = {
        "zones": {
            "outside": {"behind": "internet"},
            "inside": {"behind": ["dmz", "internal", "10.0.0.0/8"]},
        },
        "nat": [{"own": "10.0.1.11", "public": "203.0.113.11"}],
    }
    for kind in KINDS:
        if kind.places != "pair":
            continue
        own = type(site.firewalls["premises"]).model_validate({**change, "kind": str(kind.name)})
        made = configure(site.model_copy(update={"firewalls": {"x": own}}), "x", flows)
        assert made.holds, made.untold
        allowed = {p: PathSet.allowed(r) for p, r in kind.read(made.text, own).items()}
        host = "203.0.113.11" if kind.met else "10.0.1.11"
        assert packet(f"tcp 198.51.100.7:40000 {host}:5061") in allowed["outside", "inside"]


# One occurrence of each of these is changed; whatever its place, the meaning changes with it.
_CHANGES = (
    *(("5061", "5063"), ("20", "21"), ("30", "29"), ("10.0.0.1", "10.0.7.12")),
    *(("udp", "tcp"), ("UDP", "TCP"), ("permit", "deny"), ("allow", "deny"), ("accept", "drop")),
    *(("Allow", "Deny"), ("accept", "deny"), ("pass", "drop"), ("INGRESS", "EGRESS")),
)
# Lines that only people read.
_REMARKS = ("remark", "description", "comment", "msg", '"name"', "#", "/*")


@pytest.mark.parametrize("kind", KINDS, ids=by_name)
def test_no_change_of_the_text_goes_unnoticed(kind: Kind) -> None:
    around = firewall(kind)
    term = replace(SHAPES["ports"][0], sources=SHAPES["ports"][0].sources[:1], rows=())
    placed = [
        kind.widened(replace(term, from_zone=place[0], to_zone=place[1]))
        for place in kind.places_of(around, "a", "b")
    ]
    text = kind.emit("x", around, placed)
    meant = {p: PathSet.allowed(rules) for p, rules in kind.read(text, around).items()}
    tried = 0
    for word, other in _CHANGES:
        for found in re.finditer(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text):
            before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
            if any(mark in before for mark in _REMARKS):
                continue
            tried += 1
            changed = text[: found.start()] + other + text[found.end() :]
            try:
                read = kind.read(changed, around)
            except ValueError:
                continue
            assert {p: PathSet.allowed(rules) for p, rules in read.items()} != meant, before
    assert tried >= 4


def test_a_changed_configuration_is_told_by_a_packet() -> None:
    kind = kinds()[next(k for k in kinds() if k == "cisco-asa")]
    made = configure(with_kind(kind), "premises", deployment()[1])
    assert judged(made, made.text) == (None, None)
    closed, opened = judged(made, made.text.replace("eq 7001", "eq 7002"))
    assert closed is not None
    assert closed.packet.destination_port == 7001
    assert opened is not None
    assert opened.packet.destination_port == 7002
