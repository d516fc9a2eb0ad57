"""A configuration of FortiOS: its policies, with the addresses and services that they name.

The first policy that matches decides, in the order of the file; what none matches is denied
(Fortinet, "FortiOS Administration Guide", firewall policy). Services name destination ports first
and, after a colon, source ports.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
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

_Settings = Mapping[str, list[str]]
_KNOWN: Final = {
    *("name", "srcintf", "dstintf", "action", "srcaddr", "dstaddr", "srcaddr6", "dstaddr6"),
    *("schedule", "service", "comments"),
}
_PORTS: Final = {"tcp-portrange": 6, "udp-portrange": 17, "sctp-portrange": 132}
_Service = tuple[int | None, tuple[PortRange, ...] | None, tuple[PortRange, ...] | None]


def read(text: str, firewall: FirewallOnTheWay) -> Read:
    """NotReadError names what has no meaning."""
    zones = {(zone.interface or name): name for name, zone in firewall.zones.items()}
    tables: dict[str, dict[str, _Settings]] = {}
    for table, key, settings in _entries(text):
        tables.setdefault(table, {})[key] = settings
    unknown = tables.keys() - {
        *("firewall address", "firewall address6", "firewall service custom", "firewall policy")
    }
    if unknown:
        raise NotReadError(f"config {min(unknown)} has no meaning here")
    found: dict[Place, list[PathRule]] = {}
    for key, policy in tables.get("firewall policy", {}).items():
        try:
            place, rules = _policy(policy, tables, zones)
        except (KeyError, ValueError, IndexError) as error:
            raise NotReadError(f"policy {key}: {error}") from error
        found.setdefault(place, []).extend(rules)
    return {place: tuple(rules) for place, rules in found.items()}


def _entries(text: str) -> Iterator[tuple[str, str, dict[str, list[str]]]]:
    table = key = ""
    settings: dict[str, list[str]] = {}
    for line in text.splitlines():
        words = shlex.split(line)
        if not words:
            continue
        match words[0]:
            case "config" if not table:
                table = " ".join(words[1:])
            case "edit" if table and not key:
                key, settings = words[1], {}
            case "set" if key and words[1] not in settings:
                settings[words[1]] = words[2:]
            case "next" if key:
                yield table, key, settings
                key = ""
            case "end" if table and not key:
                table = ""
            case _:
                raise NotReadError(f"not understood: {line.strip()}")
    if table or key:
        raise NotReadError("the text ends inside a section")


def _policy(
    policy: _Settings, tables: Mapping[str, Mapping[str, _Settings]], zones: Mapping[str, str]
) -> tuple[Place, list[PathRule]]:
    strange = policy.keys() - _KNOWN
    if strange or policy["schedule"] != ["always"]:
        raise NotReadError(f"{', '.join(strange) or 'its schedule'} has no meaning here")
    (source,), (to,), (action,) = policy["srcintf"], policy["dstintf"], policy["action"]
    allow = {"accept": True, "deny": False}[action]
    six = "6" if "srcaddr6" in policy else ""
    addresses = tables.get(f"firewall address{six}", {})
    sources = [_address(name, addresses, six) for name in policy[f"srcaddr{six}"]]
    destinations = [_address(name, addresses, six) for name in policy[f"dstaddr{six}"]]
    services = [
        each
        for name in policy["service"]
        for each in _service(name, tables.get("firewall service custom", {}))
    ]
    rules = [path_rule(allow, sources, destinations, *service) for service in services]
    return (zones[source], zones[to]), rules


def _address(name: str, addresses: Mapping[str, _Settings], six: str) -> str:
    if name == "all":
        return "::/0" if six else "0.0.0.0/0"
    known = addresses[name]
    (value,) = known.values()
    return value[0] if six else "/".join(value)


def _service(name: str, services: Mapping[str, _Settings]) -> list[_Service]:
    if name == "ALL":
        return [(None, None, None)]
    settings = dict(services[name])
    (kind,) = settings.pop("protocol")
    if kind == "TCP/UDP/SCTP":
        return [(_PORTS[key], *_spans(text)) for key, texts in settings.items() for text in texts]
    if kind == "IP":
        (text,) = settings["protocol-number"]
        return [(int(text), None, None)]
    number = {"ICMP": 1, "ICMP6": 58}[kind]
    if "icmptype" not in settings:
        return [(number, None, None)]
    code = settings.get("icmpcode")
    types = icmp_types(int(settings["icmptype"][0]), span(code[0]) if code else None)
    return [(number, None, (types,))]


def _spans(text: str) -> tuple[tuple[PortRange, ...] | None, tuple[PortRange, ...]]:
    to, _, source = text.partition(":")
    return (span(source),) if source else None, (span(to),)
