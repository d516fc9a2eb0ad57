"""A configuration of Juniper SRX: policies between zones, with the book and the applications.

The first policy that matches decides, and what none matches is denied (Juniper, "Security Policies
User Guide"). Several values of one statement stand in brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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

_TOKEN: Final = re.compile(r"/\*.*?\*/|[{};]|\[|\]|[^\s{};\[\]]+", re.DOTALL)
_PROTOCOLS: Final = {
    "tcp": 6,
    "udp": 17,
    "icmp": 1,
    "icmp6": 58,
    "icmpv6": 58,
    "esp": 50,
    "ah": 51,
    "gre": 47,
}
_Service = tuple[int | None, tuple[PortRange, ...] | None, tuple[PortRange, ...] | None]


@dataclass
class _Node:
    """A statement: its words, and what stands in its braces."""

    words: list[str]
    inside: list[_Node] = field(default_factory=list)

    def of(self, first: str) -> Iterator[_Node]:
        return (each for each in self.inside if each.words[:1] == [first])

    def one(self, first: str) -> _Node:
        (found,) = self.of(first)
        return found


def read(text: str, firewall: FirewallOnTheWay) -> Read:
    """NotReadError names what has no meaning."""
    tokens = [t for t in _TOKEN.findall(text) if not t.startswith("/*") and t != "replace:"]
    top = _Node([])
    end = _parse(tokens, 0, top)
    try:
        if end != len(tokens) or {each.words[0] for each in top.inside} - {
            "security",
            "applications",
        }:
            raise NotReadError("it is not what was written here")
        security = top.one("security")
        addresses = _addresses(security)
        applications = _applications(top)
        found: dict[Place, list[PathRule]] = {}
        for pair in security.one("policies").inside:
            _, source, _, to = pair.words
            if not {source, to} <= firewall.zones.keys():
                raise NotReadError(f"there is no zone {source} or {to}")
            for policy in pair.inside:
                found.setdefault((source, to), []).extend(_policy(policy, addresses, applications))
    except (KeyError, ValueError, IndexError) as error:
        raise NotReadError(str(error)) from error
    return {place: tuple(rules) for place, rules in found.items()}


def _parse(tokens: list[str], at: int, into: _Node) -> int:
    words: list[str] = []
    while at < len(tokens):
        word = tokens[at]
        at += 1
        if word == "}":
            break
        if word in "{;":
            node = _Node(words)
            into.inside.append(node)
            words = []
            if word == "{":
                at = _parse(tokens, at, node)
        else:
            words.append(word)
    if words:
        raise NotReadError(f"not understood: {' '.join(words)}")
    return at


def _addresses(security: _Node) -> Mapping[str, list[str]]:
    book = security.one("address-book").one("global")
    found = {each.words[1]: [each.words[2]] for each in book.of("address")}
    for group in book.of("address-set"):
        found[group.words[1]] = [n for each in group.inside for n in found[each.words[1]]]
    return found


def _applications(top: _Node) -> Mapping[str, list[_Service]]:
    found: dict[str, list[_Service]] = {"any": [(None, None, None)]}
    for each in top.of("applications"):
        for application in each.of("application"):
            found[application.words[1]] = [_term(term.words) for term in application.inside]
        for group in each.of("application-set"):
            found[group.words[1]] = [s for one in group.inside for s in found[one.words[1]]]
    return found


def _term(words: list[str]) -> _Service:
    said = dict(zip(words[2::2], words[3::2], strict=True))
    said.pop("inactivity-timeout", None)
    name = said.pop("protocol")
    protocol = _PROTOCOLS[name] if name in _PROTOCOLS else int(name)
    source, to = (said.pop(key, None) for key in ("source-port", "destination-port"))
    kind = said.pop("icmp-type", None) or said.pop("icmp6-type", None)
    if said:
        raise NotReadError(f"{', '.join(said)} has no meaning here")
    if kind is not None:
        return protocol, None, (icmp_types(int(kind)),)
    return (
        protocol,
        None if source is None else (span(source),),
        None if to is None else (span(to),),
    )


def _policy(
    policy: _Node, addresses: Mapping[str, list[str]], applications: Mapping[str, list[_Service]]
) -> Iterator[PathRule]:
    match, (verdict,) = policy.one("match"), policy.one("then").inside
    allow = {"permit": True, "deny": False}[verdict.words[0]]
    if {each.words[0] for each in match.inside} != {
        *("source-address", "destination-address", "application")
    }:
        raise NotReadError(f"policy {policy.words[1]} matches by more than is known")
    sources, to = (
        [n for name in _values(match.one(key)) for n in addresses[name]]
        for key in ("source-address", "destination-address")
    )
    for name in _values(match.one("application")):
        for service in applications[name]:
            yield path_rule(allow, sources, to, *service)


def _values(node: _Node) -> list[str]:
    return [word for word in node.words[1:] if word not in ("[", "]")]
