"""The question of `gather` for logs that stay in the cloud, as SQL to run there.

The classes of addresses and ports are those of `gather`: what no flow and no rule tells apart. The
answer has a line for each class, with one of its records, and `gather` reads it as a file of CSV.
Sources of the tables: Amazon Athena User Guide, "Query Amazon VPC flow logs"; Google Cloud, "View
logs in sink destinations" with the record formats of VPC Flow Logs and Firewall Rules Logging.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from flowbridge.catalog.port_set import port_runs
from flowbridge.policy.packets.line import address_index
from flowbridge.policy.packets.packet import Address

_TABLE: Final = re.compile(r"[A-Za-z0-9_.*-]+")
_IPV6: Final = 1 << 32  # where IPv4 ends on the address line


class Dialect(StrEnum):
    """Where the question is asked."""

    ATHENA = "athena"
    BIGQUERY = "bigquery"  # VPC Flow Logs
    BIGQUERY_FIREWALL = "bigquery-firewall"  # Firewall Rules Logging


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """How a dialect says it. `records` has the columns of a record and its `state`."""

    table: str
    records: str
    octet: str  # of a text `{0}`, the octet `{1}` from 1 to 4
    integer: str
    text: str
    quote: str


_ATHENA: Final = _Words(
    table="vpc_flow_logs",
    records="""
    SELECT srcaddr AS source, dstaddr AS destination, TRY_CAST(protocol AS BIGINT) AS protocol,
           COALESCE(TRY_CAST(srcport AS BIGINT), 0) AS source_port,
           COALESCE(TRY_CAST(dstport AS BIGINT), 0) AS destination_port,
           CASE WHEN action = 'REJECT' THEN 0 ELSE 1 END AS accepted,
           COALESCE(TRY_CAST(packets AS BIGINT), 1) AS packets,
           TRY_CAST("start" AS BIGINT) AS first_at, TRY_CAST("end" AS BIGINT) AS last_at,
           CASE WHEN log_status = 'NODATA' THEN 'nothing'
                WHEN log_status = 'SKIPDATA' THEN 'skipped' ELSE 'record' END AS state
    FROM {table}""",
    octet="TRY_CAST(SPLIT_PART({0}, '.', {1}) AS BIGINT)",
    integer="BIGINT",
    text="VARCHAR",
    quote='"',
)
_GOOGLE_RECORD: Final = """
    SELECT jsonPayload.connection.src_ip AS source, jsonPayload.connection.dest_ip AS destination,
           SAFE_CAST(jsonPayload.connection.protocol AS INT64) AS protocol,
           COALESCE(SAFE_CAST(jsonPayload.connection.src_port AS INT64), 0) AS source_port,
           COALESCE(SAFE_CAST(jsonPayload.connection.dest_port AS INT64), 0) AS destination_port,
           {accepted} AS accepted,
           {packets} AS packets,
           UNIX_SECONDS(timestamp) AS first_at, UNIX_SECONDS(timestamp) AS last_at,
           '{state}' AS state
    FROM {{table}}"""
_BIGQUERY: Final = _Words(
    table="PROJECT.DATASET.compute_googleapis_com_vpc_flows_*",
    records=_GOOGLE_RECORD.format(
        accepted="1",
        packets="COALESCE(SAFE_CAST(jsonPayload.packets_sent AS INT64), 1)",
        state="sampled",
    ),
    octet="SAFE_CAST(SPLIT({0}, '.')[SAFE_OFFSET({2})] AS INT64)",
    integer="INT64",
    text="STRING",
    quote="`",
)
_BIGQUERY_FIREWALL: Final = _Words(
    table="PROJECT.DATASET.compute_googleapis_com_firewall_*",
    records=_GOOGLE_RECORD.format(
        accepted="CASE WHEN jsonPayload.disposition = 'DENIED' THEN 0 ELSE 1 END",
        packets="1",
        state="record",
    ),
    octet=_BIGQUERY.octet,
    integer="INT64",
    text="STRING",
    quote="`",
)
_WORDS: Final = {
    Dialect.ATHENA: _ATHENA,
    Dialect.BIGQUERY: _BIGQUERY,
    Dialect.BIGQUERY_FIREWALL: _BIGQUERY_FIREWALL,
}


def question(
    dialect: Dialect,
    own: Iterable[Address],
    edges: Iterable[int],
    port_classes: Iterable[int],
    table: str | None = None,
) -> str:
    """One statement. ValueError for a name that no table has.

    Peers with IPv6 addresses have a class each.
    """
    words = _WORDS[dialect]
    name = table or words.table
    if not _TABLE.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a table")
    mine = sorted(own, key=address_index)
    ours = sorted(point for point in map(address_index, mine) if point < _IPV6)
    cuts = sorted({*(edge for edge in edges if edge < _IPV6), *ours, *(at + 1 for at in ours)})
    quoted = ".".join(f"{words.quote}{part}{words.quote}" for part in name.split("."))
    if words.quote == "`":
        quoted = f"`{name}`"
    placed = _place(words, "source"), _place(words, "destination")
    listed = ", ".join(f"'{address}'" for address in mine)
    ours_here = f"(source IN ({listed}) OR destination IN ({listed}))"
    ports = _ports(port_classes)
    keys = "state, protocol, accepted, source_class, destination_class, from_class, to_class"
    return f"""-- A line of the answer is a class of records that no flow and no rule tells apart.
-- Save it as CSV with its heading: flowbridge observe FILE --logs ANSWER.csv
WITH records AS ({words.records.format(table=quoted)}
), judged AS (
    SELECT source, destination, protocol, source_port, destination_port, accepted, packets,
           first_at, last_at,
           CASE WHEN state NOT IN ('record', 'sampled') THEN state
                WHEN source IS NULL OR destination IS NULL OR protocol IS NULL
                  OR protocol NOT BETWEEN 0 AND 255 OR source_port NOT BETWEEN 0 AND 65535
                  OR destination_port NOT BETWEEN 0 AND 65535 THEN 'damaged'
                WHEN NOT {ours_here} THEN 'foreign' ELSE state END AS state,
           {placed[0]} AS source_number,
           {placed[1]} AS destination_number
    FROM records
), classes AS (
    SELECT source, destination, protocol, source_port, destination_port, accepted, packets,
           first_at, last_at, state,
           {_class(words, "source", cuts)} AS source_class,
           {_class(words, "destination", cuts)} AS destination_class,
           {_case("source_port", ports)} AS from_class,
           {_case("destination_port", ports)} AS to_class
    FROM judged
    WHERE state IN ('record', 'sampled')
)
SELECT state, MIN(source) AS source, MIN(destination) AS destination, protocol,
       MIN(source_port) AS source_port, MIN(destination_port) AS destination_port, accepted,
       COUNT(*) AS records, SUM(packets) AS packets, MIN(first_at) AS {_name(words, "first")},
       MAX(last_at) AS {_name(words, "last")}
FROM classes
GROUP BY {keys}
UNION ALL
SELECT state, NULL, NULL, NULL, NULL, NULL, NULL, COUNT(*), SUM(packets), MIN(first_at),
       MAX(last_at)
FROM judged
WHERE state NOT IN ('record', 'sampled')
GROUP BY state
"""


def _name(words: _Words, name: str) -> str:
    return f"{words.quote}{name}{words.quote}"


def _place(words: _Words, column: str) -> str:
    """An IPv4 address as a number; NULL for every other text."""
    octets = [words.octet.format(column, number, number - 1) for number in range(1, 5)]
    return " + ".join(f"{octet} * {256 ** (4 - number)}" for number, octet in enumerate(octets, 1))


def _class(words: _Words, end: str, cuts: Sequence[int]) -> str:
    """The class of an address as a text; of IPv6 the address itself."""
    steps = [(cut, number) for number, cut in enumerate(cuts)]
    number = _case(f"{end}_number", [*steps, (_IPV6, len(cuts))])
    return f"COALESCE(CAST({number} AS {words.text}), {end})"


def _case(value: str, steps: Sequence[tuple[int, int]]) -> str:
    """The second of the first step that lies above the value."""
    listed = " ".join(f"WHEN {value} < {above} THEN {number}" for above, number in steps)
    return f"CASE {listed} END"


def _ports(classes: Iterable[int]) -> list[tuple[int, int]]:
    """Runs of ports in their order, by where each ends, with its class."""
    return sorted(
        (run.last + 1, number) for number, mask in enumerate(classes) for run in port_runs(mask)
    )
