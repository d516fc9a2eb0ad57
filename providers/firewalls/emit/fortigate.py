"""FortiOS: addresses, services and policies, each named by its content.

Written here and not by aerleon, whose 1.18 writes the service ALL for ESP, AH and GRE and stops at
a policy with both ICMP and ports (docs/decisions/0014-firewalls-on-the-way.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.deployment.interface import Network
from flowbridge.policy.crossing.plan import Term
from flowbridge.policy.packets.relation import ICMP, WITH_PORTS

_COMMENT: Final = 1023  # characters of a policy's comment
_PORT_KEYS: Final = {6: "tcp-portrange", 17: "udp-portrange", 132: "sctp-portrange"}


def emit(_name: str, firewall: FirewallOnTheWay, terms: Iterable[Term]) -> str:
    """Commands for the CLI of one VDOM; what is there by another name stays as it is."""
    listed = list(terms)
    out: list[str] = []
    for version, key, field in ((4, "address", "subnet"), (6, "address6", "ip6")):
        networks = dict.fromkeys(
            network
            for term in listed
            if term.version == version
            for network in (*term.sources, *term.destinations)
            if network.prefixlen
        )
        out += _section(
            f"firewall {key}",
            [(_address(n), [f"set {field} {_value(n)}"]) for n in networks],
        )
    services = {name: body for term in listed for name, body in _services(term).items()}
    out += _section("firewall service custom", list(services.items()))
    out += _section(
        "firewall policy", [(_id(term), _policy(term, firewall)) for term in listed], quoted=False
    )
    return "\n".join([*out, ""])


def _section(name: str, entries: list[tuple[str, list[str]]], *, quoted: bool = True) -> list[str]:
    if not entries:
        return []
    mark = '"' if quoted else ""
    lines = [f"config {name}"]
    for key, body in entries:
        lines.append(f"    edit {mark}{key}{mark}")
        lines += [f"        {line}" for line in body]
        lines.append("    next")
    return [*lines, "end"]


def _id(term: Term) -> str:
    """A policy's number, from its content: 1 to 4294967294."""
    return str(int(term.name.removeprefix("fb-"), 16) % 4294967293 + 1)


def _policy(term: Term, firewall: FirewallOnTheWay) -> list[str]:
    six = "6" if term.version == 6 else ""
    services = list(_services(term)) or ["ALL"]
    ways = [firewall.zones[zone].interface or zone for zone in (term.from_zone, term.to_zone)]
    lines = [
        f'set name "{term.name}"',
        f'set srcintf "{ways[0]}"',
        f'set dstintf "{ways[1]}"',
        f"set action {'accept' if term.allow else 'deny'}",
        f"set srcaddr{six} {_names(term.sources)}",
        f"set dstaddr{six} {_names(term.destinations)}",
        'set schedule "always"',
        "set service " + " ".join(f'"{name}"' for name in services),
    ]
    if term.rows:
        comment = " ".join(term.rows)
        if len(comment) > _COMMENT:
            comment = comment[: _COMMENT - 4].rsplit(" ", 1)[0] + " ..."
        lines.append(f'set comments "{comment}"')
    return lines


def _names(networks: Iterable[Network]) -> str:
    return " ".join(f'"{_address(n) if n.prefixlen else "all"}"' for n in networks)


def _address(network: Network) -> str:
    return f"fb-{str(network.network_address).replace(':', '_')}-{network.prefixlen}"


def _value(network: Network) -> str:
    return f"{network.network_address} {network.netmask}" if network.version == 4 else str(network)


def _services(term: Term) -> dict[str, list[str]]:
    """The services of a term by name; none where it is every protocol."""
    protocol, to = term.protocol, term.destination_ports
    if protocol is None:
        return {}
    if protocol in WITH_PORTS:
        behind = term.source_ports or ()
        whole = to or (PortRange(0, 65535),)
        spans = [
            f"{one}{f':{_span(other)}' if other is not None else ''}"
            for one in map(_span, whole)
            for other in (behind or (None,))
        ]
        return {
            term.name: [
                "set protocol TCP/UDP/SCTP",
                f"set {_PORT_KEYS[protocol]} " + " ".join(spans),
            ]
        }
    if protocol not in ICMP:
        return {term.name: ["set protocol IP", f"set protocol-number {int(protocol)}"]}
    kind = "ICMP" if protocol == Protocol.ICMP else "ICMP6"
    if to is None:
        return {term.name: [f"set protocol {kind}"]}
    found: dict[str, list[str]] = {}
    for number in (n for span in to for n in _messages(span)):
        type_, code = number
        body = [f"set protocol {kind}", f"set icmptype {type_}"]
        if code is not None:
            body.append(f"set icmpcode {code}")
        found[f"{term.name}-{type_}{'' if code is None else f'-{code}'}"] = body
    return found


def _messages(span: PortRange) -> Iterable[tuple[int, int | None]]:
    """ICMP types, with a code each where not all codes are meant."""
    for kind in range(span.first // 256, span.last // 256 + 1):
        low = span.first % 256 if kind == span.first // 256 else 0
        high = span.last % 256 if kind == span.last // 256 else 255
        if (low, high) == (0, 255):
            yield kind, None
        else:
            yield from ((kind, code) for code in range(low, high + 1))


def _span(ports: PortRange) -> str:
    return str(ports.first) if ports.first == ports.last else f"{ports.first}-{ports.last}"
