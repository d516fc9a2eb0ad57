"""Cisco ASA, Palo Alto and Juniper SRX, written by aerleon (Apache-2.0).

aerleon says ICMP types and no codes, and of ASA IPv4 alone; what a kind cannot say is widened or
refused before it comes here (`providers.firewalls.kinds`).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from typing import Any, Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.deployment.interface import Network
from flowbridge.policy.crossing.plan import Term
from flowbridge.policy.packets.relation import ICMP, WITH_PORTS

_ROWS_A_LINE: Final = 4  # a remark of ASA ends after 100 characters


def emit_asa(_name: str, firewall: FirewallOnTheWay, terms: Iterable[Term]) -> str:
    """An access list for each interface that something comes in by, and where it is applied."""
    by_zone: dict[str, list[Term]] = {}
    for term in terms:
        by_zone.setdefault(term.from_zone, []).append(term)
    filters = [(f"flowbridge_{zone}_in", mine) for zone, mine in sorted(by_zone.items())]
    text = _generated("ciscoasa", filters)
    lines = [line for line in text.splitlines() if line and "$" not in line]
    for zone in sorted(by_zone):
        at = firewall.zones[zone].interface or zone
        lines.append(f"access-group flowbridge_{zone}_in in interface {at}")
    return "\n".join([*lines, ""])


def emit_palo_alto(_name: str, _firewall: FirewallOnTheWay, terms: Iterable[Term]) -> str:
    """An XML configuration of one virtual system."""
    return _generated("paloalto", _by_zones(terms))


def emit_srx(_name: str, _firewall: FirewallOnTheWay, terms: Iterable[Term]) -> str:
    """Statements for `load replace`."""
    text = _generated("srx", _by_zones(terms))
    return "\n".join(line for line in text.splitlines() if "$" not in line) + "\n"


def _by_zones(terms: Iterable[Term]) -> list[tuple[str, list[Term]]]:
    by_pair: dict[tuple[str, str], list[Term]] = {}
    for term in terms:
        by_pair.setdefault((term.from_zone, term.to_zone), []).append(term)
    return [
        (f"from-zone {source} to-zone {to} mixed", mine)
        for (source, to), mine in sorted(by_pair.items())
    ]


def _generated(target: str, filters: Iterable[tuple[str, list[Term]]]) -> str:
    """What aerleon writes. ValueError where it is not installed or cannot."""
    try:
        from aerleon import api
        from aerleon.lib import naming
    except ModuleNotFoundError:
        raise ValueError(
            "aerleon writes this kind and is not installed: add flowbridge[firewalls]"
        ) from None
    logging.getLogger("absl").setLevel(logging.CRITICAL)
    listed = list(filters)
    terms = [term for _, mine in listed for term in mine]
    names = naming.Naming()
    names.ParseDefinitionsObject({"networks": _networks(terms), "services": _services(terms)}, "")
    policy: Any = {
        "filename": "flowbridge",
        "filters": [
            {"header": {"targets": {target: options}}, "terms": [_term(term) for term in mine]}
            for options, mine in listed
        ],
    }
    try:
        (text,) = (api.Generate([policy], names) or {}).values()
    except Exception as error:
        raise ValueError(f"aerleon cannot write this: {error}") from error
    return str(text)


def _term(term: Term) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "name": term.name,
        "source-address": _list_name(term.sources),
        "destination-address": _list_name(term.destinations),
        "action": "accept" if term.allow else "deny",
    }
    if term.rows:
        chunks = range(0, len(term.rows), _ROWS_A_LINE)
        plain["comment"] = "\n".join(" ".join(term.rows[at : at + _ROWS_A_LINE]) for at in chunks)
    if term.protocol is not None:
        plain["protocol"] = Protocol(term.protocol).label
    if term.protocol in ICMP and term.destination_ports is not None:
        plain["icmp-type"] = list(_icmp_names(term))
    if term.protocol in WITH_PORTS:
        if term.source_ports is not None:
            plain["source-port"] = f"{term.name}-from".upper()
        if term.destination_ports is not None:
            plain["destination-port"] = f"{term.name}-to".upper()
    return plain


def _icmp_names(term: Term) -> Iterator[str]:
    from aerleon.lib import aclgenerator

    known = {number: name for name, number in aclgenerator.Term.ICMP_TYPE[term.version].items()}
    for span in term.destination_ports or ():
        for kind in range(span.first // 256, span.last // 256 + 1):
            if kind not in known:
                raise ValueError(f"aerleon has no name for ICMP type {kind}")
            yield known[kind]


def _list_name(networks: tuple[Network, ...]) -> str:
    """A name of its content: the same list has one name everywhere."""
    first = str(networks[0].network_address).replace(".", "_").replace(":", "_")
    if len(networks) == 1:
        return f"FB_{first}_{networks[0].prefixlen}".upper()
    return f"FB_{hashlib.sha256(repr(networks).encode()).hexdigest()[:10]}".upper()


def _networks(terms: Iterable[Term]) -> dict[str, Any]:
    lists = {ends for term in terms for ends in (term.sources, term.destinations)}
    return {
        _list_name(ends): {"values": [{"address": str(network)} for network in ends]}
        for ends in sorted(lists, key=repr)
    }


def _services(terms: Iterable[Term]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for term in terms:
        for end, ports in (("from", term.source_ports), ("to", term.destination_ports)):
            if term.protocol in WITH_PORTS and ports is not None:
                found[f"{term.name}-{end}".upper()] = [
                    {
                        "protocol": Protocol(term.protocol).label,
                        "port": str(span.first)
                        if span.first == span.last
                        else f"{span.first}-{span.last}",
                    }
                    for span in ports
                ]
    return found
