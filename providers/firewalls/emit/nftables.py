"""nftables: one table of its own, whose forward chain drops what no rule accepts.

Written here and not by aerleon, whose 1.18 has no ICMP types with codes and stops at any ICMP type
of this hook (docs/decisions/0014-firewalls-on-the-way.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.deployment.interface import Network
from flowbridge.policy.crossing.plan import Term
from flowbridge.policy.packets.relation import ICMP, WITH_PORTS

# The kernel keeps this many bytes of a rule's comment (NFT_USERDATA, 128 with the end).
_COMMENT: Final = 120


def emit(name: str, firewall: FirewallOnTheWay, terms: Iterable[Term]) -> str:
    """A file for `nft -f`: loading it again replaces the table as a whole."""
    table = f"inet flowbridge_{name.replace('-', '_')}"
    lines = [
        f"table {table}",
        f"delete table {table}",
        f"table {table} {{",
        "    chain forward {",
        "        type filter hook forward priority filter; policy drop;",
        "        ct state established,related accept",
    ]
    for term in terms:
        rows = " ".join(term.rows)
        if rows:
            lines.append(f"        # {term.name} {rows}")
        ways = [
            f'iifname "{firewall.zones[zone].interface or zone}"'.replace("iif", way)
            for way, zone in (("iif", term.from_zone), ("oif", term.to_zone))
        ]
        start = " ".join([*ways, *_addresses(term)])
        verdict = "accept" if term.allow else "drop"
        comment = _short(f"{term.name} {rows}".strip())
        for match in _ports(term):
            body = f"{start} {match}".strip()
            lines.append(f'        {body} {verdict} comment "{comment}"')
    return "\n".join([*lines, "    }", "}", ""])


def _short(text: str) -> str:
    """Whole row ids that fit; the file's own comment above has all."""
    if len(text) <= _COMMENT:
        return text
    return text[: _COMMENT - 4].rsplit(" ", 1)[0] + " ..."


def _addresses(term: Term) -> Iterator[str]:
    family = "ip" if term.version == 4 else "ip6"
    yield f"meta nfproto ipv{term.version}"
    for end, networks in (("saddr", term.sources), ("daddr", term.destinations)):
        if networks[0].prefixlen:
            yield f"{family} {end} {_listed(map(_network, networks))}"


def _network(network: Network) -> str:
    whole = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if whole else str(network)


def _listed(texts: Iterable[str]) -> str:
    several = list(texts)
    return several[0] if len(several) == 1 else f"{{ {', '.join(several)} }}"


def _ports(term: Term) -> Iterator[str]:
    """One match for each rule that the term takes."""
    protocol = term.protocol
    if protocol is None:
        yield ""
    elif protocol in ICMP:
        yield from _icmp(protocol, term.destination_ports)
    elif protocol in WITH_PORTS and (term.source_ports or term.destination_ports):
        name = {6: "tcp", 17: "udp", 132: "sctp"}[protocol]
        named = (("sport", term.source_ports), ("dport", term.destination_ports))
        yield " ".join(f"{name} {end} {_listed(map(str, ports))}" for end, ports in named if ports)
    else:
        yield f"meta l4proto {int(protocol)}"


def _icmp(protocol: int, spans: tuple[PortRange, ...] | None) -> Iterator[str]:
    name = "icmp" if protocol == Protocol.ICMP else "icmpv6"
    if spans is None:
        yield f"meta l4proto {int(protocol)}"
        return
    for span in spans:
        first, last = divmod(span.first, 256), divmod(span.last, 256)
        for kind in range(first[0], last[0] + 1):
            low = first[1] if kind == first[0] else 0
            high = last[1] if kind == last[0] else 255
            codes = "" if (low, high) == (0, 255) else f" {name} code {_span(low, high)}"
            yield f"{name} type {kind}{codes}"


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
