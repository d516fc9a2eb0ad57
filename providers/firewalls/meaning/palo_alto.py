"""A configuration of PAN-OS: the security rules of one virtual system, with what they name.

The first rule that matches decides; between two zones what no rule matches is denied, within one
it is allowed, so that a rule within a zone has to be the last word itself (Palo Alto Networks,
"PAN-OS Administrator's Guide", security policy rules).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.etree import ElementTree as ET

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

_VSYS: Final = "devices/entry/vsys/entry"
_APPLICATIONS: Final = {"ipsec-esp": 50, "ipsec-ah": 51, "gre": 47, "icmp": 1, "ping6": 58}
_KNOWN: Final = {
    *("description", "to", "from", "source", "destination", "service", "action"),
    *("application", "rule-type"),
}
_Service = tuple[int | None, tuple[PortRange, ...] | None, tuple[PortRange, ...] | None]


def read(text: str, firewall: FirewallOnTheWay) -> Read:
    """NotReadError names what has no meaning."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise NotReadError("a configuration has no document type")
    try:
        root = ET.fromstring(text)  # noqa: S314  (no entities: refused above)
        (vsys,) = root.findall(_VSYS)
    except (ET.ParseError, ValueError) as error:
        raise NotReadError(f"it is no configuration of one virtual system: {error}") from error
    named = _Named(vsys)
    found: dict[Place, list[PathRule]] = {}
    for entry in vsys.findall("rulebase/security/rules/entry"):
        try:
            place, rules = _rule(entry, named)
            if not {*place} <= firewall.zones.keys():
                raise NotReadError(f"there is no zone {' or '.join(place)}")
        except (KeyError, ValueError) as error:
            raise NotReadError(f"rule {entry.get('name')}: {error}") from error
        found.setdefault(place, []).extend(rules)
    return {place: tuple(rules) for place, rules in found.items()}


class _Named:
    """Addresses, groups, services and applications of the file by name."""

    def __init__(self, vsys: ET.Element) -> None:
        self.addresses: dict[str, list[str]] = {}
        for entry in vsys.findall("address/entry"):
            network = entry.findtext("ip-netmask")
            if network:
                self.addresses[_name(entry)] = [network]
        for entry in vsys.findall("address-group/entry"):
            names = [each.text or "" for each in entry.findall("static/member")]
            self.addresses[_name(entry)] = [n for name in names for n in self.addresses[name]]
        self.services = {_name(e): _service(e) for e in vsys.findall("service/entry")}
        self.applications: dict[str, _Service] = {
            name: (number, None, None) for name, number in _APPLICATIONS.items()
        }
        for entry in vsys.findall("application/entry"):
            for tag, number in (("ident-by-icmp-type", 1), ("ident-by-icmp6-type", 58)):
                for kind in entry.findall(f"default/{tag}/type"):
                    types = icmp_types(int(kind.text or ""))
                    self.applications[_name(entry)] = number, None, (types,)


def _name(entry: ET.Element) -> str:
    return entry.get("name") or ""


def _service(entry: ET.Element) -> _Service:
    (protocol,) = entry.findall("protocol/*")
    number = {"tcp": 6, "udp": 17}[protocol.tag]
    texts = [protocol.findtext(tag) for tag in ("source-port", "port")]
    source, to = (None if t is None else tuple(span(p) for p in t.split(",")) for t in texts)
    return number, source, to


def _rule(entry: ET.Element, named: _Named) -> tuple[Place, list[PathRule]]:
    strange = {each.tag for each in entry} - _KNOWN
    if strange:
        raise NotReadError(f"{', '.join(sorted(strange))} has no meaning here")

    def members(tag: str) -> list[str]:
        return [each.text or "" for each in entry.findall(f"{tag}/member")]

    allow = {"allow": True, "deny": False}[entry.findtext("action") or ""]
    (source,), (to,) = members("from"), members("to")
    kind = entry.findtext("rule-type")  # without one: both within zones and between them
    if kind not in (None, "intrazone" if source == to else "interzone"):
        raise NotReadError("its type is not that of its zones")
    froms, tos = (
        [n for name in members(tag) for n in named.addresses[name]]
        for tag in ("source", "destination")
    )
    rules = [path_rule(allow, froms, tos, *each) for each in _services(members, named)]
    return (source, to), rules


def _services(members: Callable[[str], list[str]], named: _Named) -> list[_Service]:
    services, applications = members("service"), members("application")
    if applications == ["any"]:
        if services == ["any"]:
            return [(None, None, None)]
        return [named.services[name] for name in services]
    if services != ["application-default"]:
        raise NotReadError("its service narrows its application")
    return [named.applications[name] for name in applications]
