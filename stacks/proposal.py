"""A first deployment file from a plan or state: what its machines, subnets and rules say.

Every line says why, and how sure that is; what nothing tells is a question beside an example.
Names of machines decide what they are (`proposal.yaml`), addresses in which subnet they stand, and
rules whom the name server, the clock and the administrators are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any, Final, assert_never

from flowbridge.catalog.reading.kept_yaml import read_plain
from flowbridge.deployment.checks.cloud import example_region
from flowbridge.deployment.file.site import Cloud
from flowbridge.providers.terraform.shown import resources as shown
from flowbridge.providers.terraform.shown.document import (
    FlatDocument,
    Flattened,
    as_written,
    flatten,
)

_TABLE: Final = Path(__file__).with_name("proposal.yaml")
_CARDS: Final = ("aws_network_interface", "aws_instance", "azurerm_network_interface")
_EXPECTED: Final = ("expressway-e", "expressway-c")


@dataclass(frozen=True, slots=True)
class _Card:
    name: str  # all names that it has, in small letters
    real: str
    address: str
    public: str | None = None


@dataclass(frozen=True, slots=True)
class _Words:
    """`prefix` of resource types; `subnet`: the attribute by which a deployment file names one
    (nothing where it does not); `network`: its keys, each with an example and the attributes and
    types that tell it."""

    prefix: str
    subnet: str
    network: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]


def _cloud_words(cloud: Cloud) -> _Words:
    match cloud:
        case Cloud.AWS:
            told = (("vpc_id", "aws_subnet"), ("vpc_id", "aws_security_group"))
            return _Words("aws_", "id", (("id", "vpc-0a1b2c3d4e5f60718", told),))
        case Cloud.AZURE:
            network, nsg = "azurerm_virtual_network", "azurerm_network_security_group"
            group = (("resource_group_name", network), ("resource_group_name", nsg))
            told = (("virtual_network_name", "azurerm_subnet"), ("name", network))
            keys = (("resource_group", "uc-network", group), ("vnet", "uc-vnet", told))
            return _Words("azurerm_", "name", keys)
        case Cloud.GCP:
            network, rule = "google_compute_network", "google_compute_firewall"
            project = (("project", network), ("project", rule))
            told = (("name", network), ("network", rule))
            return _Words(
                "google_", "", (("project", "my-project", project), ("id", "uc-network", told))
            )
        case _:
            assert_never(cloud)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    why: str


def propose(document: Mapping[str, Any], name: str, schema: str) -> str:
    """The text of a deployment file. ValueError for what is no plan, state or Terraform JSON, or
    is of no cloud that we know."""
    with shown.as_terraform_writes():
        return _proposed(document, name, schema)


def _proposed(document: Mapping[str, Any], name: str, schema: str) -> str:
    flat = (
        flatten(shown.after(document), Flattened())
        if shown.is_shown(document)
        else as_written(document)
    )
    kinds = list(flat.document["resource"])
    clouds = [c for c in Cloud if any(kind.startswith(_cloud_words(c).prefix) for kind in kinds)]
    if len(clouds) != 1:
        found = " and ".join(clouds) or "no cloud"
        raise ValueError(
            f"resources of {found}: a deployment file is about AWS, Azure or Google Cloud"
        )
    return _Proposal(flat, clouds[0], document).text(name, schema)


class _Proposal:
    def __init__(self, flat: FlatDocument, cloud: Cloud, document: Mapping[str, Any]) -> None:
        self.flat, self.cloud, self.shown = flat, cloud, document
        self.of: dict[str, list[_Card]] = {}
        self.unknown: list[_Card] = []
        for card in self._cards():
            party = _party(card.name)
            (self.unknown if party is None else self.of.setdefault(party, [])).append(card)
        self.subnets = sorted(self._subnets())

    def text(self, name: str, schema: str) -> str:
        lines = [
            f"# yaml-language-server: $schema={schema}",
            "# Proposed from a plan: every line says why. Answer the questions, and run",
            "# `flowbridge check` and `flowbridge judge` on it.",
            f"name: {name}",
            f"cloud: {self.cloud}",
            *_said(self._region()),
            "release: X15.0               # question: which release runs?",
            "size: medium                 # question: small, medium or large?",
            "platform: vm",
            "network:",
            *_said(self._network(), 2),
            "  tiers:",
            *_said(self._tiers(), 4),
            *self._edge(),
            *self._core(),
            "systems:",
            *_said(self._systems(), 2),
            "services: [traversal-pair]   # question: which of docs/deployment.md are in use?",
        ]
        if self.unknown:
            lines.append("# question: what are these? Add them to `systems`, or leave them out:")
            lines += [f"#   {each.real}: {each.address}" for each in self.unknown]
        return "\n".join(lines) + "\n"

    # --- what the plan has ---------------------------------------------------------------------

    def _cards(self) -> Iterator[_Card]:
        for at, body in self.flat.of(*_CARDS).items():
            real = self.flat.names.real(at)
            tags = body.get("tags")
            named = tags.get("Name") if isinstance(tags, Mapping) else None
            names = " ".join(str(n).lower() for n in (named, body.get("name"), real) if n)
            addresses = [body.get("private_ip"), *(body.get("private_ips") or ())]
            addresses += [
                part.get("private_ip_address") for part in body.get("ip_configuration") or ()
            ]
            for text in dict.fromkeys(filter(_is_address, addresses)):
                yield _Card(names, real, text, _address(body.get("public_ip")))
        for at, body in self.flat.of("google_compute_instance").items():
            real = self.flat.names.real(at)
            names = " ".join(str(n).lower() for n in (body.get("name"), real) if n)
            for part in body.get("network_interface") or ():
                if _is_address(text := part.get("network_ip")):
                    outside = [c.get("nat_ip") for c in part.get("access_config") or ()]
                    where = f"{names} {part.get('network')} {part.get('subnetwork')}".lower()
                    yield _Card(where, real, text, next(filter(_is_address, outside), None))

    def _subnets(self) -> Iterator[tuple[IPv4Network, str, str]]:
        """The range of each subnet, what the cloud calls it (where that is known), its address."""
        for at, body in self.flat.of(
            "aws_subnet", "azurerm_subnet", "google_compute_subnetwork"
        ).items():
            called = body.get(_cloud_words(self.cloud).subnet)
            ranges = [body.get("cidr_block"), body.get("ip_cidr_range")]
            for text in [*ranges, *(body.get("address_prefixes") or ())]:
                if isinstance(text, str) and "$" not in text and ":" not in text:
                    known = called if isinstance(called, str) else ""
                    yield ip_network(text), known, self.flat.names.real(at)  # type: ignore[misc]

    def _peers(self, way: str, port: int) -> tuple[tuple[str, ...], str]:
        """The addresses in rules for `port`, and one of these rules."""
        found: dict[str, None] = {}
        told = ""
        for at, body in self._rules():
            if body[0] == way and body[1] == port:
                found |= dict.fromkeys(each for each in body[2] if not each.endswith("/0"))
                told = told or at
        return tuple(found), told

    def _rules(self) -> Iterator[tuple[str, tuple[str, int, tuple[str, ...]]]]:
        for at, body in self.flat.of("aws_security_group_rule").items():
            yield at, (str(body.get("type")), _port(body), _texts(body.get("cidr_blocks")))
        for way in ("ingress", "egress"):
            for at, body in self.flat.of(f"aws_vpc_security_group_{way}_rule").items():
                yield at, (way, _port(body), _texts(body.get("cidr_ipv4")))
            for at, body in self.flat.of("aws_security_group").items():
                for block in body.get(way) or ():
                    yield at, (way, _port(block), _texts(block.get("cidr_blocks")))
        inside = [
            (at, rule)
            for at, body in self.flat.of("azurerm_network_security_group").items()
            for rule in body.get("security_rule") or ()
        ]
        for at, body in (*inside, *self.flat.of("azurerm_network_security_rule").items()):
            inbound = body.get("direction") == "Inbound"
            end = "source" if inbound else "destination"
            peers = _texts(body.get(f"{end}_address_prefix")) or _texts(
                body.get(f"{end}_address_prefixes")
            )
            port = str(body.get("destination_port_range"))
            if body.get("access") == "Allow" and port.isdecimal():
                listed = tuple(peer for peer in peers if peer[0].isdigit())
                yield at, ("ingress" if inbound else "egress", int(port), listed)
        for at, body in self.flat.of("google_compute_firewall").items():
            way = str(body.get("direction") or "INGRESS").lower()
            key = "source_ranges" if way == "ingress" else "destination_ranges"
            for layer in body.get("allow") or ():
                for port in layer.get("ports") or ():
                    if str(port).isdecimal():
                        yield at, (way, int(port), _texts(body.get(key)))

    # --- what the file says --------------------------------------------------------------------

    def _region(self) -> Iterator[_Line]:
        config = (self.shown.get("configuration") or {}).get("provider_config") or {}
        for provider in config.values():
            region = (provider.get("expressions") or {}).get("region", {}).get("constant_value")
            if isinstance(region, str):
                yield _Line(f"region: {region}", "the provider's region; sure")
                return
        for at, body in self.flat.of(
            "azurerm_network_security_group", "google_compute_subnetwork"
        ).items():
            if (
                isinstance(region := body.get("location") or body.get("region"), str)
                and "$" not in region
            ):
                yield _Line(f"region: {region}", f"of {self.flat.names.real(at)}; likely")
                return
        yield _Line(f"region: {example_region(self.cloud)}", "question: which region? (an example)")

    def _network(self) -> Iterator[_Line]:
        for key, example, places in _cloud_words(self.cloud).network:
            lines = (self._first(key, attribute, kind) for attribute, kind in places)
            found = next((line for line in lines if line is not None), None)
            yield found or _Line(f"{key}: {example}", "question: which? (an example)")

    def _first(self, key: str, attribute: str, kind: str) -> _Line | None:
        for at, body in self.flat.of(kind).items():
            if isinstance(value := body.get(attribute), str) and value and "$" not in value:
                return _Line(f"{key}: {value}", f"of {self.flat.names.real(at)}; likely")
        return None

    def _tiers(self) -> Iterator[_Line]:
        inner = [c for party, cards in self.of.items() if party != "expressway-e" for c in cards]
        edge = self.of.get("expressway-e", [])
        for tier, cards, example in (
            ("dmz", edge, "10.0.1.0/24"),
            ("internal", inner, "10.0.10.0/24"),
        ):
            ranges: dict[IPv4Network, tuple[str, str]] = {}
            for card in cards:
                own = ip_network(card.address)
                for subnet, called, real in self.subnets:
                    if own.version == 4 and own.subnet_of(subnet):
                        ranges[subnet] = called, f"{real} holds {card.real}; likely"
                        break
                else:
                    wide = ip_network((card.address, 24), strict=False)
                    if isinstance(wide, IPv4Network):
                        ranges.setdefault(wide, ("", f"question: the subnet of {card.real}?"))
            if tier == "internal":
                edge_ranges = set(self._ranges(edge))
                ranges = {r: known for r, known in ranges.items() if r not in edge_ranges}
            if not ranges:
                yield _Line(
                    f"{tier}: {{cidrs: [{example}]}}", "question: which subnets? (an example)"
                )
                continue
            cidrs = ", ".join(map(str, ranges))
            ids = [called for called, _ in ranges.values()]
            subnets = f", subnets: [{', '.join(ids)}]" if all(ids) else ""
            why = "; ".join(dict.fromkeys(why for _, why in ranges.values()))
            yield _Line(f"{tier}: {{cidrs: [{cidrs}]{subnets}}}", why)

    def _ranges(self, cards: Iterable[_Card]) -> Iterator[IPv4Network]:
        for card in cards:
            own = ip_network(card.address)
            for subnet, _, _ in self.subnets:
                if own.version == 4 and own.subnet_of(subnet):
                    yield subnet

    def _edge(self) -> list[str]:
        cards = self.of.get("expressway-e", [])
        lines = ["expressway_e:", "  tier: dmz"]
        sides = {
            side: [c for c in cards if re.search(pattern, c.name)]
            for side, pattern in _table()["cards"].items()
        }
        inner = [c for c in sides["internal"] if c not in sides["external"]]
        outer = [c for c in cards if c not in inner]
        if inner and len(inner) == len(outer):
            lines += ["  nics: dual", "  peers:"]
            for out, inside in zip(outer, inner, strict=True):
                public = f", public: {out.public}" if out.public else ""
                lines.append(
                    f"    - {{external: {out.address}, internal: {inside.address}{public}}}"
                    f"   # {out.real}, {inside.real}; likely, by their names"
                )
            return lines
        lines += ["  nics: single               # question: one card, or two (dual)?", "  peers:"]
        return [*lines, *_peers_of(cards, "expressway-e")]

    def _core(self) -> list[str]:
        cards = self.of.get("expressway-c", [])
        return ["expressway_c:", "  tier: internal", "  peers:", *_peers_of(cards, "expressway-c")]

    def _systems(self) -> Iterator[_Line]:
        for party, cards in sorted(self.of.items()):
            if party not in _EXPECTED:
                listed = ", ".join(card.address for card in cards)
                why = f"by the name of {', '.join(card.real for card in cards)}; likely"
                yield _Line(f"{party}: {{tier: internal, addresses: [{listed}]}}", why)
        for entry in _table()["ports"]:
            party = entry["party"]
            peers, rule = self._peers(entry["way"], entry["port"])
            if peers:
                real = self.flat.names.real(rule)
                why = f"rules for port {entry['port']} name them ({real}); unsure"
                yield _Line(f"{party}: {{addresses: [{', '.join(peers)}]}}", why)
            else:
                example = _table()["examples"][party]
                yield _Line(f"{party}: {{addresses: [{example}]}}", "question: which? (an example)")


def _peers_of(cards: Iterable[_Card], party: str) -> list[str]:
    listed = [
        f"    - {{address: {c.address}{f', public: {c.public}' if c.public else ''}}}"
        f"   # {c.real}; likely, by its name"
        for c in cards
    ]
    example = _table()["examples"][party]
    return listed or [
        f"    - {{address: {example}}}   # question: which machine is it? (an example)"
    ]


def _said(lines: Iterable[_Line], indent: int = 0) -> Iterator[str]:
    for line in lines:
        yield f"{' ' * indent}{line.text}   # {line.why}"


def _party(names: str) -> str | None:
    plain = names.replace("_", "-")
    for entry in _table()["parties"]:
        if re.search(entry["says"], plain):
            return str(entry["party"])
    return None


def _port(body: Mapping[str, Any]) -> int:
    first, last = body.get("from_port"), body.get("to_port")
    return first if isinstance(first, int) and first == last else -1


def _texts(value: object) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(each for each in listed if isinstance(each, str) and each and "$" not in each)


def _is_address(text: object) -> bool:
    return _address(text) is not None


def _address(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    try:
        ip_network(text)
    except ValueError:
        return None
    return text


@cache
def _table() -> Mapping[str, Any]:
    data: Mapping[str, Any] = read_plain(_TABLE)
    return data
