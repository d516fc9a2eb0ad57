"""A row of the catalog compared with the printed line it stands for: every cell, every number.

Written against the documents, not against the catalog's code: it has its own reading of printed
cells, and an explicit list of the cells that cannot be read by rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from flowbridge.catalog.ports import Parity
from flowbridge.catalog.row import PortCell, Row
from tests.catalog.documents import single_spaced

# Cells whose numbers are no plain list of ports, with the numbers that a right reading has.
BY_HAND: dict[str, set[int]] = {
    "cucm/2/1/destination_ports": {8 * 256, 8 * 256 + 255},  # "7" is ICMP echo: type 8, any code
    "cucm/2/2/destination_ports": {8 * 256, 8 * 256 + 255},
    "cucm/7/1/destination_ports": {0, 65535},  # 47, 50, 51: GRE, ESP, AH, which have no ports
    "cucm/7/2/destination_ports": {0, 65535},
    # "ephemeral" and, in the note of its purpose, the range of IOS gateways
    "cucm/7/13/destination_ports": {32768, 61000, 11000, 11099},
    "expressway/24/3/destination_ports": {8443},  # "NOT 443", and the alternative
    # 2776/7 or 36000-11: the pair, the first two media ports, the first twelve (table 3)
    "expressway/17/3/destination_ports": {2776, 2777, 36000, 36001, 36011},
    # Blocked (1935), what may be allocated (5060-5199), or no sender: the notes say so
    "unity/1/1/destination_ports": {20500, 20501, 20502, 19003},
    "unity/1/4/destination_ports": {5060, 5061},
    "unity/1/7/destination_ports": {143, 993},
    "unity/1/8/destination_ports": {25},
    "unity/2/6/destination_ports": {389, 636},
    # Of 5060-5070 what Expressway listens on; media where Expressway has them (erratum)
    "webex/2/2/destination_ports": {5061, 5062, 5060},
    "webex/3/3/destination_ports": {36000, 59999},
}

EPHEMERAL = ({1024, 65535}, {30000, 35999}, {32768, 61000})
L4 = {
    "TCP": {"tcp"},
    "TLS": {"tcp"},
    "MTLS": {"tcp"},
    "HTTPS": {"tcp"},
    "セキュア WebSocket": {"tcp"},
    "UDP": {"udp"},
    "TCP または TLS": {"tcp"},
    "UDP または TCP": {"udp", "tcp"},
    "UDP および TCP": {"udp", "tcp"},
    "TCP および UDP": {"udp", "tcp"},
    "UDP & TCP": {"udp", "tcp"},
    "UDP & TCP §": {"udp", "tcp"},
    "UDP&TCP": {"udp", "tcp"},
    "UDP/TCP": {"udp", "tcp"},
    "UDP and TCP": {"udp", "tcp"},
    "TCP or TLS": {"tcp"},
    "51": {"ah"},
}


def faults(row_id: str, row: Row, cells: dict[str, str]) -> Iterator[str]:
    """What is different between a row and the printed cells, by name (`CELLS`)."""
    yield from _texts(row, cells)
    for name in ("source_ports", "destination_ports"):
        if name in cells:
            cell: PortCell = getattr(row, name)
            for text in _ports(f"{row_id}/{name}", cells[name], cell):
                yield f"{name}: {text}"
    printed = cells["protocol"]
    if printed:
        labels = {protocol.label for protocol in row.protocol.l4}
        if L4[printed] != labels:
            yield f"protocol: {printed!r} is read as {sorted(labels)}"
    elif not (row.errata or row.footnotes or row.notes):
        yield "protocol: none is printed, and nothing says which is used"
    yield from _brackets(row, cells["destination_ports"])


def default_faults(row: Row, cells: dict[str, str]) -> Iterator[str]:
    """The same for table 3, which prints a protocol, a purpose, a range and its details."""
    if single_spaced(row.purpose.ja or "") != cells["purpose"]:
        yield f"purpose: {row.purpose.ja!r} is printed {cells['purpose']!r}"
    if {protocol.label for protocol in row.protocol.l4} != L4[cells["protocol"]]:
        yield f"protocol: {cells['protocol']!r} is printed"
    wanted, got = numbers(cells["ports"]), _read(row.destination_ports)
    if wanted != got:
        yield f"range: {cells['ports']!r} is read as {sorted(got)}"


def _texts(row: Row, cells: dict[str, str]) -> Iterator[str]:
    here = {
        "purpose": row.purpose.ja,
        "source": row.source.printed,
        "source_ports": row.source_ports.printed,
        "protocol": row.protocol.printed,
        "destination": row.destination.printed,
        "destination_ports": row.destination_ports.printed,
    }
    for name, printed in cells.items():
        text = single_spaced(here[name] or "")
        if text != printed:
            yield f"{name}: {text!r} is printed {printed!r}"


def _ports(place: str, printed: str, cell: PortCell) -> Iterator[str]:
    got = _read(cell)
    if place in BY_HAND:
        if got != BY_HAND[place]:
            yield f"{printed!r} is read as {sorted(got)}, not {sorted(BY_HAND[place])}"
        return
    wanted = numbers(printed)
    says_ephemeral = re.search("エフェメラル|Eph", printed) is not None
    if says_ephemeral and not any(wanted == range_ for range_ in EPHEMERAL):
        if not any(got == wanted | range_ for range_ in EPHEMERAL):
            yield f"{printed!r} is read as {sorted(got)}, not as ephemeral ports"
    elif not wanted:
        if any(part.ports for part in cell.alternatives) and printed not in ("", "該当なし"):
            yield f"{printed!r} has no number and is read as {sorted(got)}"
    elif got != wanted:
        yield f"{printed!r} is read as {sorted(got)}, not {sorted(wanted)}"
    parities = {span.parity for part in cell.alternatives for span in part.ports}
    for word, parity in (("偶", Parity.EVEN), ("奇", Parity.ODD)):
        if (word in printed) != (parity in parities):
            yield f"{printed!r} and parity {parity} do not agree"


def _read(cell: PortCell) -> set[int]:
    spans = [span for part in cell.alternatives for span in part.ports]
    return {number for span in spans for number in (span.first, span.last)}


def numbers(printed: str) -> set[int]:
    """The ends of all port ranges of a printed cell, footnote marks and examples left out."""
    text = re.sub(r"\^\{.*?\}|<sup>.*?</sup>|[¹²³⁴⁵⁶⁷⁸⁹⁰]|[#*]\d", " ", printed)
    text = re.sub(r"X\d+\.\d+(\.\d+)?|H\.\d+(\.\d+)?", " ", text)  # releases, H.460.18
    text = re.sub(
        r"2 ?番目の場合は ?\d+ ?など|\d+ for second etc", " ", text
    )  # the next zone's port
    text = re.sub(r"(\d),(\d{3})", r"\1\2", text)  # 9,966
    text = re.sub(r"(\d+)(\d)/(\d)(?!\d)", r"\1\2 \1\3", text)  # 2776/7
    text = re.sub(r"(\d{3})(\d\d)-(\d\d)(?!\d)", r"\1\2-\1\3", text)  # 36000-11
    found = {int(number) for number in re.findall(r"\d+", text)}
    if re.search(r">=|≥|以上", text):
        found.add(65535)
    return found


def _brackets(row: Row, printed: str) -> Iterator[str]:
    wanted = {int(number) for number in re.findall(r"\[(\d+)\]", printed)}
    parts = row.destination_ports.alternatives
    got = {span.first for part in parts if part.bracketed for span in part.ports}
    if wanted != got:
        yield f"brackets: {printed!r} has {sorted(wanted)} in brackets, not {sorted(got)}"
    if bool(wanted) == row.enabled_by_default:
        yield f"enabled_by_default: {printed!r} says otherwise"
