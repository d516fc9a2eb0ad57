"""A ruleset of nftables: its forward chain, rule by rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.policy.crossing.path_set import PathRule
from flowbridge.providers.firewalls.meaning.rule import (
    NotReadError,
    Place,
    Read,
    icmp_types,
    path_rule,
    span,
)

_TOKEN: Final = re.compile(r'"[^"]*"|[{},;]|[^\s{},;"]+')
_NUMBERS: Final = {"tcp": 6, "udp": 17, "sctp": 132, "icmp": 1, "icmpv6": 58}
_REPLIES: Final = "ct state established,related accept"


def read(text: str, firewall: FirewallOnTheWay) -> Read:
    """NotReadError names a line without meaning, and a chain that is not the last word."""
    zones = {(zone.interface or name): name for name, zone in firewall.zones.items()}
    found: dict[Place, list[PathRule]] = {}
    hooked = state = False
    for line in _statements(text):
        if line.startswith(("table ", "delete table ")) or line in ("chain forward {", "}"):
            continue
        if line == "type filter hook forward priority filter; policy drop;":
            hooked = True
        elif line == _REPLIES and not found:
            state = True
        else:
            place, rules = _rule(line, zones)
            found.setdefault(place, []).extend(rules)
    if not (hooked and state):
        raise NotReadError("there is no forward chain that drops by default and lets replies by")
    return {place: tuple(rules) for place, rules in found.items()}


def _statements(text: str) -> Iterator[str]:
    for line in text.splitlines():
        bare = line.strip()
        if bare and not bare.startswith("#"):
            yield bare


def _rule(line: str, zones: dict[str, str]) -> tuple[Place, list[PathRule]]:
    tokens = _TOKEN.findall(line)
    said: dict[str, list[str]] = {}
    verdict, at = "", 0
    while at < len(tokens):
        word = tokens[at]
        if word in ("accept", "drop"):
            verdict, at = word, at + 1
            continue
        if word == "comment":
            at += 2
            continue
        key, taken = _key(tokens, at)
        at += taken
        if key in said or at >= len(tokens):
            raise NotReadError(f"not understood: {line}")
        said[key], at = _values(tokens, at)
    if not verdict:
        raise NotReadError(f"without a verdict: {line}")
    try:
        return _place(said, zones), [_path(said, verdict == "accept")]
    except (KeyError, ValueError) as error:
        raise NotReadError(f"{error}: {line}") from error


def _key(tokens: list[str], at: int) -> tuple[str, int]:
    if tokens[at] in ("iifname", "oifname"):
        return tokens[at], 1
    return " ".join(tokens[at : at + 2]), 2


def _values(tokens: list[str], at: int) -> tuple[list[str], int]:
    if tokens[at] != "{":
        return [tokens[at].strip('"')], at + 1
    end = tokens.index("}", at)
    return [text for text in tokens[at + 1 : end] if text != ","], end + 1


def _place(said: dict[str, list[str]], zones: dict[str, str]) -> Place:
    (source,), (to,) = said.pop("iifname"), said.pop("oifname")
    return zones[source], zones[to]


def _path(said: dict[str, list[str]], allow: bool) -> PathRule:
    (version,) = said.pop("meta nfproto")
    family, everyone = {"ipv4": ("ip", "0.0.0.0/0"), "ipv6": ("ip6", "::/0")}[version]
    sources = said.pop(f"{family} saddr", [everyone])
    destinations = said.pop(f"{family} daddr", [everyone])
    protocol: int | None = None
    if "meta l4proto" in said:
        protocol = int(said.pop("meta l4proto")[0])
    ports: dict[str, list[PortRange]] = {}
    for key in list(said):
        name, what = key.split()
        if protocol not in (None, _NUMBERS[name]):
            raise NotReadError("it asks for two protocols at once")
        protocol = _NUMBERS[name]
        if what in ("sport", "dport"):
            ports[what] = [span(text) for text in said.pop(key)]
        elif what == "type":
            codes = said.pop(f"{name} code", None)
            (kind,) = said.pop(key)
            ports["dport"] = [icmp_types(int(kind), span(codes[0]) if codes else None)]
    if said:
        raise NotReadError(f"{' '.join(said)} has no meaning")
    return path_rule(allow, sources, destinations, protocol, ports.get("sport"), ports.get("dport"))
