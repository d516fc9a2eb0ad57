"""A configuration of Cisco ASA: extended access lists and where they are applied.

A list is met by what comes in by its interface; the first entry that matches decides, the end
denies (Cisco, "ASA Series Firewall CLI Configuration Guide", access control lists). Names of ports
and ICMP types are those of its command reference (`asa_names.yaml`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from flowbridge.catalog.ports import PortRange
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.policy.crossing.path_set import PathRule
from flowbridge.providers.firewalls.meaning.rule import (
    NotReadError,
    Place,
    Read,
    icmp_types,
    path_rule,
)

_PROTOCOLS: Final = {"ip": None, "icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51}


@cache
def _names() -> Mapping[str, Mapping[str, int]]:
    path = Path(__file__).with_name("asa_names.yaml")
    data: Any = yaml.safe_load(path.read_text("utf-8"))
    return {kind: dict(names) for kind, names in data.items()}


def read(text: str, firewall: FirewallOnTheWay) -> Read:
    """NotReadError names a line without meaning, and a list that is applied nowhere."""
    zones = {(zone.interface or name): name for name, zone in firewall.zones.items()}
    lists: dict[str, list[PathRule]] = {}
    found: dict[Place, tuple[PathRule, ...]] = {}
    for line in text.splitlines():
        words = line.split()
        match words[:3]:
            case [] | ["access-list", _, "remark"]:
                continue
            case ["clear", "configure", "access-list"]:
                lists.pop(words[3], None)
            case ["access-list", name, "extended"]:
                try:
                    lists.setdefault(name, []).append(_entry(words[3:]))
                except (KeyError, ValueError, IndexError) as error:
                    raise NotReadError(f"{error}: {line}") from error
            case ["access-group", name, "in"] if words[3:4] == ["interface"]:
                if name not in lists or words[4] not in zones:
                    raise NotReadError(f"not understood: {line}")
                found[zones[words[4]], "*"] = tuple(lists.pop(name))
            case _:
                raise NotReadError(f"not understood: {line}")
    if lists:
        raise NotReadError(f"access-list {min(lists)} is applied to no interface")
    return found


def _entry(words: list[str]) -> PathRule:
    rest = list(words)
    allow = {"permit": True, "deny": False}[rest.pop(0)]
    name = rest.pop(0)
    protocol = _PROTOCOLS[name] if name in _PROTOCOLS else int(name)
    sources = _network(rest)
    source_ports = _ports(rest, name)
    destinations = _network(rest)
    if name == "icmp" and rest:
        kind = rest.pop(0)
        number = int(kind) if kind.isdecimal() else _names()["icmp"][kind]
        to: tuple[PortRange, ...] | None = (icmp_types(number),)
    else:
        to = _ports(rest, name)
    if rest:
        raise NotReadError(f"{' '.join(rest)} has no meaning here")
    return path_rule(allow, [sources], [destinations], protocol, source_ports, to)


def _network(rest: list[str]) -> str:
    first = rest.pop(0)
    if first == "any4":
        return "0.0.0.0/0"
    if first == "host":
        return rest.pop(0)
    return f"{first}/{rest.pop(0)}"


def _ports(rest: list[str], protocol: str) -> tuple[PortRange, ...] | None:
    if not rest or rest[0] not in ("eq", "range"):
        return None
    first = _port(rest[1], protocol)
    if rest.pop(0) == "eq":
        rest.pop(0)
        return (PortRange(first, first),)
    last = _port(rest[1], protocol)
    del rest[:2]
    return (PortRange(first, last),)


def _port(text: str, protocol: str) -> int:
    return int(text) if text.isdecimal() else _names()[protocol][text]
