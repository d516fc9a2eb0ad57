"""Random packets, judged three ways that share no code, agree: for three clouds, two deployments.

* directly: the exported rows of the catalog, read here by loops, for two deployments whose parties,
  addresses and settings are written down below. No selection, pairing or packet set is used.
* intended: the packet sets that the proof starts from.
* enforced: the emitted Terraform JSON in its cloud's semantics, and the trace through it. What it
  lets pass beyond the rows has to be in the excess that the cloud's lowering reported.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from flowbridge.catalog.export import export_rows
from flowbridge.catalog.load import load as load_catalog
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.policy.filter import Enforcement
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.question import Question
from flowbridge.policy.questions.trace import Tracer, Verdict
from flowbridge.stacks.pipeline import Built, build, load
from tests.policy.one_packet import verdict

Row = Mapping[str, Any]
Fact = str | frozenset[str]

PACKETS: Final = 300
NETWORKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "aws": {"id": "vpc-0a1b2c3d4e5f60718"},
    "azure": {"resource_group": "uc", "vnet": "uc"},
    "gcp": {"project": "uc-edge-prod", "id": "inside", "networks": {"external": "outside"}},
}
EVERYWHERE: Final = "0.0.0.0/0"
PRIVATE_BLOCKS: Final = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
)
OUTSIDE: Final = ("any", "remote-sip-endpoint", "remote-h323-endpoint", "offpremises-endpoint")
OPTIONS: Final = {
    "option.admin.ssh": "true",
    "option.admin.ssh_port": "22",
    "option.admin.https": "true",
    "option.admin.http_redirect": "false",
    "option.sip_tls": "true",
    "option.sip_mtls": "true",
    "option.sip_udp_to_endpoints": "true",
    "option.sip_udp_endpoint_ports": "registered",
    "option.sip_udp_inside": "false",
    "option.sip_tcp_inside": "false",
    "option.turn.sip_calls": "true",
    "option.turn.tcp_443": "false",
    "option.turn.multiplexed": "false",
}


@dataclass(frozen=True)
class Deployment:
    """A deployment twice: as its file, and as the direct reader needs it.

    `outer` and `inner` are the interfaces of Expressway-E that meet the internet and the inside;
    `cards` the addresses of every interface; `parties` those of everybody else.
    """

    name: str
    file: Mapping[str, Any]
    facts: Mapping[str, Fact]
    outer: str
    inner: str
    cards: Mapping[str, tuple[str, ...]]
    parties: Mapping[str, tuple[str, ...]]

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(self.file["services"])


_DUAL_SYSTEMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "cucm": {"tier": "internal", "addresses": ["10.0.10.21", "10.0.10.22"]},
    "imp": {"addresses": ["10.20.0.31"]},
    "unity": {"addresses": ["10.20.0.41"]},
    "admin-pc": {"addresses": ["10.9.0.0/24"]},
    "dns": {"addresses": ["10.0.10.2"]},
    "ntp": {"addresses": ["10.0.10.3"]},
    "dns-external": {"addresses": ["192.0.2.53"]},
    "sip-endpoint": {"addresses": ["10.30.0.0/16"]},
}
_SINGLE_SYSTEMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "cms": {"addresses": ["10.40.0.5", "10.40.0.6"]},
    "admin-pc": {"addresses": ["10.9.0.0/24"]},
    "dns": {"addresses": ["10.0.10.2"]},
    "snmp-manager": {"addresses": ["10.9.1.20"]},
}


def _elsewhere(systems: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    listed = {n: tuple(s["addresses"]) for n, s in systems.items() if "tier" not in s}
    return {**listed, **dict.fromkeys(OUTSIDE, (EVERYWHERE,))}


DUAL: Final = Deployment(
    "dual",
    {
        "release": "X15.0",
        "size": "large",
        "expressway_e": {
            "tier": "dmz",
            "internal_tier": "edge",
            "peers": [{"external": "10.0.1.11", "internal": "10.0.2.11", "public": "203.0.113.11"}],
        },
        "expressway_c": {"tier": "internal", "peers": [{"address": "10.0.10.11"}]},
        "systems": dict(_DUAL_SYSTEMS),
        "services": ["traversal-pair", "sip-calls", "mra"],
    },
    {
        **OPTIONS,
        "release": "X15.0",
        "size": "large",
        "platform": "vm",
        "multiplexed_media": "first-media-ports",
        "service": frozenset({"traversal-pair", "sip-calls", "mra"}),
        "option.sip_udp": "false",
        "option.sip_tcp": "false",
        "option.mra.oauth": "true",
        "option.mra.ice_passthrough": "true",
        "option.mra.sip_tcp_to_cucm": "true",
        "option.mra.uds_port": "both",
        "option.mra.legacy_tftp": "false",
        "option.mra.secure_tftp": "true",
        "option.mra.headset": "true",
        "option.mra.voicemail_port": "both",
        "option.mra.mwi": "both",
    },
    "expressway-e/external",
    "expressway-e/internal",
    {
        "expressway-e/external": ("10.0.1.11",),
        "expressway-e/internal": ("10.0.2.11",),
        "expressway-c/single": ("10.0.10.11",),
        "cucm/single": ("10.0.10.21", "10.0.10.22"),
    },
    _elsewhere(_DUAL_SYSTEMS),
)
SINGLE: Final = Deployment(
    "single",
    {
        "release": "X12.5",
        "size": "small",
        "expressway_e": {"tier": "dmz", "nics": "single", "peers": [{"address": "10.0.1.11"}]},
        "expressway_c": {
            "tier": "internal",
            "peers": [{"address": "10.0.10.11"}, {"address": "10.0.10.12"}],
        },
        "systems": dict(_SINGLE_SYSTEMS),
        "services": ["traversal-pair", "sip-calls", "h323-calls", "cms-sip-edge", "serviceability"],
        "options": {"sip_udp": True, "h323": {"signalling_ports": "standard"}},
    },
    {
        **OPTIONS,
        "release": "X12.5",
        "size": "small",
        "platform": "vm",
        "multiplexed_media": "pair",
        "service": frozenset({"traversal-pair", "sip-calls", "h323-calls", "cms-sip-edge"}),
        "option.sip_udp": "true",
        "option.sip_tcp": "false",
        "option.h323.direct": "true",
        "option.h323.assent": "true",
        "option.h323.h460": "true",
        "option.h323.multiplexed_media": "true",
        "option.h323.non_multiplexed_media": "true",
        "option.h323.signalling_ports": "standard",
        "option.serviceability.snmp": "true",
        "option.serviceability.metrics": "true",
        "option.serviceability.syslog": "all",
    },
    "expressway-e/single",
    "expressway-e/single",
    {
        "expressway-e/single": ("10.0.1.11",),
        "expressway-c/single": ("10.0.10.11", "10.0.10.12"),
    },
    _elsewhere(_SINGLE_SYSTEMS),
)
PLAYED_BY: Final = {"ip-vms": "cucm"}
"""Who plays the part of a party that no file here lists."""
DEPLOYMENTS: Final = {each.name: each for each in (DUAL, SINGLE)}


# ---- the direct reading ------------------------------------------------------------------------


@dataclass(frozen=True)
class FiveTuple:
    source: IPv4Address
    destination: IPv4Address
    protocol: str
    source_port: int
    port: int


@cache
def rows_of(name: str) -> tuple[ReadRow, ...]:
    """The rows that hold in the deployment, with their corrections."""
    deployment = DEPLOYMENTS[name]
    exported = export_rows(load_catalog(), added=True, platform=True)
    corrected = [{**row, **row["corrected"]} for row in exported]
    return tuple(
        read
        for row in corrected
        if row["service"] in deployment.services
        and row["disposition"] != "local"
        and holds(row["when"], deployment.facts)
        for read in read_row(deployment, row)
    )


def holds(when: Mapping[str, Any], facts: Mapping[str, Fact]) -> bool:
    for fact, wanted in when.items():
        if fact == "any":
            met = any(holds(each, facts) for each in wanted)
        elif fact == "not":
            met = not holds(wanted, facts)
        else:
            choices = wanted if isinstance(wanted, list) else [wanted]
            met = any(_is(facts[fact], choice) for choice in choices)
        if not met:
            return False
    return True


def _is(actual: Fact, wanted: str) -> bool:
    if isinstance(actual, frozenset):
        return wanted in actual
    for sign in (">=", "<"):
        if wanted.startswith(sign):
            at_least = _numbers(actual) >= _numbers(wanted.removeprefix(sign))
            return at_least if sign == ">=" else not at_least
    return actual == wanted


def _numbers(release: str) -> list[int]:
    return [int(part) for part in release.removeprefix("X").split(".")]


def in_ports(port: int, text: str) -> bool:
    """Whether `port` is among `36000-59998 even`, `443`, `any`."""
    if text == "any":
        return True
    span, _, parity = text.partition(" ")
    first, _, last = span.partition("-")
    if not int(first) <= port <= int(last or first):
        return False
    return not parity or port % 2 == (parity == "odd")


def card_of(deployment: Deployment, reference: str, other: str) -> str | None:
    """The interface of a party (`expressway-e (public)`) that meets the party `other`."""
    name, _, side = reference.partition(" ")
    name = PLAYED_BY.get(name, name)
    if name != "expressway-e":
        return f"{name}/single" if f"{name}/single" in deployment.cards else None
    outwards = other.partition(" ")[0] in OUTSIDE
    if side:
        outwards = side == "(public)"
    return deployment.outer if outwards else deployment.inner


@dataclass(frozen=True)
class ReadRow:
    """A row between two parties that are there; a card is None for a party elsewhere."""

    cards: Mapping[Direction, str | None]
    networks: Mapping[Direction, tuple[IPv4Network, ...]]
    protocols: tuple[str, ...]
    source_ports: tuple[str, ...]
    ports: tuple[str, ...]


def read_row(deployment: Deployment, row: Row) -> Iterator[ReadRow]:
    spans = [
        part["ports"] for part in row["destination_ports"] if holds(part["when"], deployment.facts)
    ]
    doubted = ("1024-65535",) if row["doubtful_source_ports"] else ()
    for source in row["source_parties"]:
        for destination in row["destination_parties"]:
            ends = {
                Direction.EGRESS: (source, destination),
                Direction.INGRESS: (destination, source),
            }
            cards = {way: card_of(deployment, *end) for way, end in ends.items()}
            networks = {way: _networks(deployment, cards[way], end[0]) for way, end in ends.items()}
            if spans and all(networks.values()) and any(cards.values()):
                yield ReadRow(
                    cards,
                    networks,
                    tuple(row["protocols"]),
                    (*(row["source_ports"] or "any").split(", "), *doubted),
                    tuple(spans),
                )


def _networks(deployment: Deployment, card: str | None, reference: str) -> tuple[IPv4Network, ...]:
    name = reference.partition(" ")[0]
    listed = deployment.cards[card] if card else deployment.parties.get(name, ())
    return tuple(IPv4Network(text) for text in listed)


def _inside(deployment: Deployment, remote: IPv4Address) -> bool:
    """Whether the internet leaves `remote` out: private, or a host that the file lists."""
    listed = (text for texts in deployment.parties.values() for text in texts)
    blocks = (*PRIVATE_BLOCKS, *(text for text in listed if text != EVERYWHERE))
    return any(remote in IPv4Network(text) for text in blocks)


def asked(deployment: Deployment, card: str, direction: Direction, packet: FiveTuple) -> bool:
    """Whether a row asks the interface `card` to let the packet pass."""
    remote = packet.destination if direction is Direction.EGRESS else packet.source
    return any(
        row.cards[direction] == card
        and packet.protocol in row.protocols
        and any(
            remote in network and (network.prefixlen or not _inside(deployment, remote))
            for network in row.networks[direction.opposite]
        )
        and any(in_ports(packet.source_port, text) for text in row.source_ports)
        and any(in_ports(packet.port, text) for text in row.ports)
        for row in rows_of(deployment.name)
    )


def packets(deployment: Deployment) -> Iterator[FiveTuple]:
    """Packets of rows, or just beside them: most packets at random would hit nothing."""
    dice = random.Random(deployment.name)  # noqa: S311
    for _ in range(PACKETS):
        row = dice.choice(rows_of(deployment.name))
        yield FiveTuple(
            _near_address(dice, row.networks[Direction.EGRESS]),
            _near_address(dice, row.networks[Direction.INGRESS]),
            dice.choice([*row.protocols * 3, "tcp", "udp"]),
            _near_port(dice, dice.choice(row.source_ports)),
            _near_port(dice, dice.choice(row.ports)),
        )


def _near_address(dice: random.Random, networks: tuple[IPv4Network, ...]) -> IPv4Address:
    network = dice.choice(networks)
    if network.prefixlen == 0:
        return IPv4Address(dice.choice(("198.51.100.7", "8.8.8.8", "10.77.0.1", "10.0.10.11")))
    return network[dice.randrange(network.num_addresses)] + dice.choice((0,) * 9 + (1,))


def _near_port(dice: random.Random, text: str) -> int:
    span = "0-65535" if text == "any" else text.partition(" ")[0]
    first, _, last = span.partition("-")
    low, high = int(first), int(last or first)
    port = dice.choice((low, high, dice.randint(low, high), dice.randint(low, high)))
    return min(65535, max(1, port + dice.choice((0, 0, 0, 0, 1, -1))))


# ---- the three readings --------------------------------------------------------------------------


@dataclass(frozen=True)
class Emitted:
    deployment: Deployment
    built: Built
    enforcement: Enforcement
    excess: Mapping[str, PacketSet]


@pytest.fixture(
    scope="module", params=[(n, c) for n in DEPLOYMENTS for c in NETWORKS], ids="-".join
)
def emitted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    name, cloud = request.param
    deployment = DEPLOYMENTS[name]
    tiers = {
        "dmz": {"cidrs": ["10.0.1.0/24"]},
        "edge": {"cidrs": ["10.0.2.0/24"]},
        "internal": {"cidrs": ["10.0.10.0/24"]},
    }
    head = {"name": "readings", "cloud": cloud, "region": "somewhere"}
    whole = {**head, "network": {**NETWORKS[cloud], "tiers": tiers}, **deployment.file}
    file: Path = tmp_path_factory.mktemp("readings") / "deployment.yaml"
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")
    built = build(load(file))
    document = json.loads(json.dumps(built.document))
    enforcement = built.provider.enforcement(document, built.policy, built.resolution.site)
    excess: dict[str, list[PacketSet]] = {}
    for each in built.lowered.excess:
        excess.setdefault(each.where, []).append(each.packets)
    reported = {where: PacketSet.union(sets) for where, sets in excess.items()}
    return Emitted(deployment, built, enforcement, reported)


def seen(direction: Direction, packet: FiveTuple) -> Packet:
    remote = packet.destination if direction is Direction.EGRESS else packet.source
    number = Protocol.parse(packet.protocol)
    return Packet(remote, number, packet.source_port, packet.port)


def test_every_interface_is_known_to_the_direct_reader(emitted: Emitted) -> None:
    assert {card.key for card in emitted.built.policy.interfaces} == set(emitted.deployment.cards)


def test_intended_enforced_and_rows_agree_at_every_interface(emitted: Emitted) -> None:
    judged: Counter[str] = Counter()
    intended = {
        Point(card, direction): emitted.built.policy.intended(Point(card, direction))
        for card in emitted.deployment.cards
        for direction in Direction
    }
    for packet in packets(emitted.deployment):
        for point, wanted in intended.items():
            here = seen(point.direction, packet)
            expected = asked(emitted.deployment, point.interface, point.direction, packet)
            assert (here in wanted) == expected, f"{point}: {packet}"
            passes = all(verdict(stage, here)[0] for stage in emitted.enforcement[point])
            if passes and not expected:
                assert here in emitted.excess[str(point)], f"{point}: {packet} is not reported"
                judged["excess"] += 1
            else:
                assert passes == expected, f"{point}: {packet} is refused"
                judged["asked" if expected else "refused"] += 1
    assert judged["asked"] > PACKETS / 4
    assert judged["refused"] > PACKETS
    assert judged["excess"] or not emitted.excess, "no packet tries what the cloud cannot say"


def test_a_trace_says_what_the_rows_say_at_both_ends(emitted: Emitted) -> None:
    deployment = emitted.deployment
    tracer = Tracer(emitted.built.policy, emitted.enforcement)
    by_address = {
        IPv4Address(text): card for card, listed in deployment.cards.items() for text in listed
    }
    judged: Counter[Verdict] = Counter()
    for packet in packets(deployment):
        source, destination = by_address.get(packet.source), by_address.get(packet.destination)
        if source == destination:  # neither end has filters here, or both are one interface
            continue
        question = Question(
            str(packet.source),
            str(packet.destination),
            Protocol.parse(packet.protocol),
            (PortRange(packet.port, packet.port),),
            (PortRange(packet.source_port, packet.source_port),),
        )
        found = tracer.trace(question)
        ends = (
            *((source, Direction.EGRESS) for _ in [0] if source),
            *((destination, Direction.INGRESS) for _ in [0] if destination),
        )
        expected = all(asked(deployment, card, way, packet) for card, way in ends)
        assert bool(found.rows) <= expected, f"{question}: rows {found.rows}"
        if found.verdict is Verdict.ALLOWED and not expected:
            for card, way in ends:
                reported = emitted.excess.get(str(Point(card, way)))
                assert asked(deployment, card, way, packet) or (
                    reported is not None and seen(way, packet) in reported
                ), f"{question} passes {card} {way}"
        else:
            assert (found.verdict is Verdict.ALLOWED) == expected, str(question)
        judged[found.verdict] += 1
    assert min(judged.values()) > PACKETS / 20
