"""What a printed cell says, read from its text alone: port ranges, brackets, protocols.

The catalog's files give the reading of every cell; this is the second reading they are checked
against (`catalog.validate`).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from flowbridge.catalog.ports import EPHEMERAL, HIGHEST_PORT, Parity, PortRange
from flowbridge.catalog.protocol import Protocol

EPHEMERAL_RANGES: Final = (EPHEMERAL, PortRange(30000, 35999), PortRange(32768, 61000))
"""What `ephemeral` can mean: any system's, Expressway's (table 3), Unified CM's (its note)."""

_MARKS: Final = re.compile(r"\^\{[^}]*\}|<sup>.*?</sup>|[#*]\s?\d+|[¹²³⁴⁵⁶⁷⁸⁹⁰]+")
_NAMES: Final = re.compile(r"(?:X|H\.|TLS ?)\d+(\.\d+)*")
_ORDINALS: Final = re.compile(r"\d+\s*番目")
_EXAMPLES: Final = re.compile(r"\d*\s*番目の場合は\s*\d+\s*など|\d+ for second etc")
_THOUSANDS: Final = re.compile(r"\b(\d{1,3}),(\d{3})\b")
_EPHEMERAL: Final = re.compile(r"エフェメラル|\bEph\b|[Ee]phemeral")
_SPAN: Final = re.compile(
    r"(?P<least>>=|≥)?\s*(?P<first>\d+)"
    r"(?:\s*[~-]\s*(?P<last>\d+)|/(?P<second>\d+)|\s*(?P<above>以上))?"
    r"(?:\s*\((?P<parity>偶\s*数|奇\s*数|even|odd)[^)]*\))?"
)
_PROTOCOLS: Final = (
    (re.compile(r"TCP|TLS|HTTPS|WebSocket"), Protocol.TCP),
    (re.compile(r"UDP"), Protocol.UDP),
    (re.compile(r"\b47\b"), Protocol.GRE),
    (re.compile(r"\b50\b"), Protocol.ESP),
    (re.compile(r"\b51\b"), Protocol.AH),
    (re.compile(r"ICMP\b"), Protocol.ICMP),
    (re.compile(r"ICMPv6"), Protocol.ICMPV6),
)


class Nic(StrEnum):
    """A card of a dual-homed Expressway-E, as a party cell prints it."""

    EXTERNAL = "external"
    INTERNAL = "internal"


_NICS: Final = (("外部 NIC", Nic.EXTERNAL), ("内部 NIC", Nic.INTERNAL))


def nic(text: str) -> Nic | None:
    """The card that a party cell names beside an address of Expressway-E; None: it names none."""
    return next((card for words, card in _NICS if words in text), None)


def spans(text: str) -> frozenset[PortRange]:
    """The port ranges of a printed port cell.

    Footnote marks, releases, names such as H.460.18, ordinals and the example of a second
    traversal zone are no ports of the row; `>=1024` goes up to 65535; `2776/7` and `36000-11`
    repeat only the digits that change; (even ports) belongs to the range before it.
    """
    for pattern in (_MARKS, _NAMES, _EXAMPLES, _ORDINALS):
        text = pattern.sub(";", text)
    text = _THOUSANDS.sub(r"\1\2", text)
    found = (_span(match) for match in _SPAN.finditer(text))
    return frozenset(span for span in found if span is not None)


def _span(match: re.Match[str]) -> PortRange | None:
    first = last = int(match["first"])
    tail = match["last"] or match["second"]
    if tail is not None:  # 36000-11: the digits before stay
        last = int(match["first"][: max(0, len(match["first"]) - len(tail))] + tail)
    elif match["least"] or match["above"]:
        last = HIGHEST_PORT
    parity = match["parity"]
    if not first <= last <= HIGHEST_PORT:
        return None
    if parity is None:
        return PortRange(first, last)
    return PortRange(first, last, Parity.EVEN if parity[0] in "偶e" else Parity.ODD)


def ephemeral(text: str) -> bool:
    """Whether the cell says ephemeral, in any of the spellings printed."""
    return _EPHEMERAL.search(text) is not None


def bracketed(text: str) -> frozenset[int]:
    """The ports in square brackets: off by default."""
    return frozenset(int(number) for number in re.findall(r"\[(\d+)\]", text))


def protocols(text: str) -> frozenset[Protocol]:
    """The L4 protocols of a printed protocol cell: TLS, MTLS and HTTPS are TCP."""
    return frozenset(protocol for pattern, protocol in _PROTOCOLS if pattern.search(text))
