"""What a log file holds, and the SQL that makes records of it.

A record is (source, destination, protocol, source_port, destination_port, accepted, packets,
first, last): addresses as texts, ports as integers, times in seconds since 1970. Sources: AWS,
"Flow log records" (versions 2 to 10) and "Transit Gateway Flow Log records"; Azure, "Virtual
network flow logs" and "NSG flow logs"; Google Cloud, "VPC Flow Logs: record format" and "Firewall
Rules Logging: log format".
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

DEFAULT_FIELDS: Final = (
    *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport"),
    *("protocol", "packets", "bytes", "start", "end", "action", "log-status"),
)
_NEEDED: Final = ("srcaddr", "dstaddr", "srcport", "dstport", "protocol")


class Kind(StrEnum):
    """The formats that are read."""

    AWS_TEXT = "AWS flow log, text"
    AWS_PARQUET = "AWS flow log, Parquet"
    AZURE = "Azure flow log"
    GOOGLE = "Google Cloud log"
    ANSWER = "answer to a question asked in the cloud"
    UNKNOWN = "no flow log that is known"


@dataclass(frozen=True, slots=True)
class LogFile:
    """One file, what it holds, and why it is not read where it is not."""

    path: Path
    kind: Kind
    fields: tuple[str, ...] = ()
    why: str = ""
    packed: bool = False  # by gzip, whatever its name is

    @property
    def compression(self) -> str:
        return "'gzip'" if self.packed else "'none'"


def recognise(path: Path) -> LogFile:
    """By its first bytes, never by its name. OSError where it cannot be read."""
    with path.open("rb") as raw:
        start = raw.read(4)
    if start == b"PAR1":
        return LogFile(path, Kind.AWS_PARQUET)
    packed = start[:2] == b"\x1f\x8b"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(65_536)
    except (EOFError, gzip.BadGzipFile) as error:
        return LogFile(path, Kind.UNKNOWN, why=f"it is not whole: {error}")
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not text:
        return LogFile(path, Kind.UNKNOWN, why="it is empty")
    if text[0] in "{[":
        return replace(_json(path, text), packed=packed)
    if set(text.splitlines()[0].replace('"', "").split(",")) == {*ANSWER_COLUMNS}:
        return LogFile(path, Kind.ANSWER, packed=packed)
    first = text.splitlines()[0].split()
    if {"srcaddr", "dstaddr"} <= set(first):
        missing = [name for name in _NEEDED if name not in first]
        if missing:
            why = f"its heading has no {', '.join(missing)}: add them to the log's fields"
            return LogFile(path, Kind.UNKNOWN, why=why)
        return LogFile(path, Kind.AWS_TEXT, tuple(first), packed=packed)
    if len(first) >= len(DEFAULT_FIELDS) and first[0].isdecimal():
        return LogFile(path, Kind.AWS_TEXT, DEFAULT_FIELDS, packed=packed)
    return LogFile(path, Kind.UNKNOWN, why="it has neither a heading nor fields of a flow log")


def _json(path: Path, text: str) -> LogFile:
    if "flowTuples" in text or "flowRecords" in text:
        return LogFile(path, Kind.AZURE)
    if "src_ip" in text or "jsonPayload" in text:
        return LogFile(path, Kind.GOOGLE)
    return LogFile(path, Kind.UNKNOWN, why="it is JSON, and no flow log of Azure or Google Cloud")


def quoted(path: Path) -> str:
    """A path as a text of SQL. It is a name and never a pattern."""
    text = str(path).replace("'", "''")
    for mark in "[]*?":
        text = text.replace(mark, f"[{mark}]") if mark != "]" else text
    return f"'{text}'"


def aws_text(file: LogFile) -> str:
    """Lines split at blanks; a line with another count of fields or without numbers is damaged."""
    count = len(file.fields)
    lines = f"""
        WITH lines AS (
            SELECT string_split(trim(line), ' ') AS f
            FROM read_csv({quoted(file.path)}, columns={{'line': 'VARCHAR'}}, header=false,
                          delim='\\x01', quote='', escape='', auto_detect=false,
                          strict_mode=false, comment='', ignore_errors=true,
                          compression={file.compression})
            WHERE trim(line) <> '' AND NOT contains(line, 'srcaddr')
        )"""
    place = {name: f"f[{number}]" for number, name in enumerate(file.fields, 1)}
    return f"{lines} {_aws_record(place, f'len(f) <> {count}', typed=False)} FROM lines"


def aws_whole_text(file: LogFile) -> str:
    """The same records in a third of the time, of a file in which every line has all fields.

    duckdb.Error for another one: `aws_text` tells what is wrong with it.
    """
    columns = ", ".join(f"'{name}': '{_TYPES.get(name, 'VARCHAR')}'" for name in file.fields)
    place = {name: f'"{name}"' for name in file.fields}
    heading = "true" if "srcaddr" in _first_line(file) else "false"
    return f"""
        {_aws_record(place, "false", typed=True)}
        FROM read_csv({quoted(file.path)}, columns={{{columns}}}, header={heading}, delim=' ',
                      quote='', escape='', auto_detect=false, strict_mode=true, comment='',
                      null_padding=false, nullstr='-', compression={file.compression})"""


_TYPES: Final = {
    **dict.fromkeys(("protocol", "srcport", "dstport"), "INTEGER"),
    **dict.fromkeys(("packets", "start", "end"), "BIGINT"),
}


def _first_line(file: LogFile) -> str:
    with gzip.open(file.path) if file.packed else file.path.open("rb") as content:
        return content.readline(65_536).decode("utf-8", "replace")


def _aws_record(place: Mapping[str, str], damaged: str, *, typed: bool) -> str:
    """The columns of a record; `place` is where a field stands, `damaged` when a line is.

    A field is a text, of which `-` is none, or `typed`: read with the type of `_TYPES`.
    """

    def field(*names: str) -> str:
        known = [place[n] if typed else f"nullif({place[n]}, '-')" for n in names if n in place]
        return f"coalesce({', '.join(known)})" if known else "NULL"

    def number(kind: str, *names: str) -> str:
        return field(*names) if typed else f"try_cast({field(*names)} AS {kind})"

    numbers = [name for name in _TYPES if name in place and not typed]
    no_number = (
        f"({field(name)} IS NOT NULL AND {number(_TYPES[name], name)} IS NULL)" for name in numbers
    )
    bad = " OR ".join([damaged, *no_number])
    return f"""
        SELECT {field("pkt-srcaddr", "srcaddr")} AS source,
               {field("pkt-dstaddr", "dstaddr")} AS destination,
               {number("INTEGER", "protocol")} AS protocol,
               coalesce({number("INTEGER", "srcport")}, 0) AS source_port,
               coalesce({number("INTEGER", "dstport")}, 0) AS destination_port,
               coalesce({field("action")}, 'ACCEPT') = 'ACCEPT' AS accepted,
               coalesce({number("BIGINT", "packets")}, 1) AS packets,
               {number("BIGINT", "start")} AS first,
               {number("BIGINT", "end", "start")} AS last,
               CASE WHEN {field("log-status")} = 'NODATA' THEN 'nothing'
                    WHEN {field("log-status")} = 'SKIPDATA' THEN 'skipped'
                    WHEN {bad} THEN 'damaged' ELSE 'record' END AS state"""


def aws_parquet(file: LogFile, columns: set[str]) -> str:
    """Columns have underscores; what is missing is taken as in text. ValueError: one is needed."""
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise ValueError(f"it has no column {', '.join(missing)}")

    def column(*names: str, otherwise: str = "NULL") -> str:
        known = [f"nullif(CAST(\"{name}\" AS VARCHAR), '-')" for name in names if name in columns]
        return f"coalesce({', '.join([*known, otherwise])})"

    return f"""
        SELECT {column("pkt_srcaddr", "srcaddr")} AS source,
               {column("pkt_dstaddr", "dstaddr")} AS destination,
               try_cast({column("protocol")} AS INTEGER) AS protocol,
               coalesce(try_cast({column("srcport")} AS INTEGER), 0) AS source_port,
               coalesce(try_cast({column("dstport")} AS INTEGER), 0) AS destination_port,
               {column("action", otherwise="'ACCEPT'")} = 'ACCEPT' AS accepted,
               coalesce(try_cast({column("packets")} AS BIGINT), 1) AS packets,
               try_cast({column("start")} AS BIGINT) AS first,
               try_cast({column("end", "start")} AS BIGINT) AS last,
               CASE {column("log_status", "log-status", otherwise="'OK'")}
                    WHEN 'NODATA' THEN 'nothing' WHEN 'SKIPDATA' THEN 'skipped'
                    ELSE 'record' END AS state
        FROM read_parquet({quoted(file.path)})"""


_AZURE_COLUMNS: Final = (
    'STRUCT("flowRecords" STRUCT(flows STRUCT("flowGroups" STRUCT("flowTuples" VARCHAR[])[])[]), '
    'properties STRUCT(flows STRUCT(flows STRUCT("flowTuples" VARCHAR[])[])[]))[]'
)


ANSWER_COLUMNS: Final = (
    *("state", "source", "destination", "protocol", "source_port", "destination_port"),
    *("accepted", "records", "packets", "first", "last"),
)


def answer(file: LogFile) -> str:
    """Classes as `providers.logs.questions` asks for them, with how many records each has."""
    return f"""
        SELECT source, destination, try_cast(protocol AS INTEGER) AS protocol,
               try_cast(source_port AS INTEGER) AS source_port,
               try_cast(destination_port AS INTEGER) AS destination_port,
               accepted IN ('1', 'true') AS accepted, try_cast(packets AS BIGINT) AS packets,
               try_cast(first AS BIGINT) AS first, try_cast(last AS BIGINT) AS last, state,
               coalesce(try_cast(records AS BIGINT), 0) AS records
        FROM read_csv({quoted(file.path)}, header=true, delim=',', quote='"', all_varchar=true,
                      nullstr='', compression={file.compression})"""


def azure(file: LogFile) -> str:
    """Tuples of both kinds: virtual network (milliseconds, protocol numbers) and NSG (T and U).

    A state of `D` is denied. The counts of both directions are added: a tuple is a connection.
    """
    return f"""
        WITH records AS (
            SELECT unnest(records) AS r
            FROM read_json({quoted(file.path)}, columns={{'records': '{_AZURE_COLUMNS}'}},
                           format='auto', maximum_object_size=1073741824,
                           compression={file.compression})
        ), tuples AS (
            SELECT true AS network, unnest(flatten(list_transform(
                flatten(list_transform(r."flowRecords".flows, lambda x: x."flowGroups")),
                lambda g: g."flowTuples"))) AS t
            FROM records
            UNION ALL
            SELECT false, unnest(flatten(list_transform(
                flatten(list_transform(r.properties.flows, lambda x: x.flows)),
                lambda g: g."flowTuples")))
            FROM records
        ), split AS (SELECT network, string_split(t, ',') AS f FROM tuples)
        SELECT f[2] AS source, f[3] AS destination,
               CASE upper(f[6]) WHEN 'T' THEN 6 WHEN 'U' THEN 17
                    ELSE try_cast(f[6] AS INTEGER) END AS protocol,
               try_cast(f[4] AS INTEGER) AS source_port,
               try_cast(f[5] AS INTEGER) AS destination_port,
               f[8] <> 'D' AS accepted,
               greatest(1, coalesce(try_cast(f[10] AS BIGINT), 0)
                 + coalesce(try_cast(f[12] AS BIGINT), 0)) AS packets,
               try_cast(f[1] AS BIGINT) // CASE WHEN network THEN 1000 ELSE 1 END AS first,
               try_cast(f[1] AS BIGINT) // CASE WHEN network THEN 1000 ELSE 1 END AS last,
               CASE WHEN len(f) < 8 THEN 'damaged' ELSE 'record' END AS state
        FROM split"""


_GOOGLE_COLUMNS: Final = (
    "STRUCT(connection STRUCT(src_ip VARCHAR, src_port VARCHAR, dest_ip VARCHAR, "
    "dest_port VARCHAR, protocol VARCHAR), disposition VARCHAR, packets_sent VARCHAR, "
    "start_time VARCHAR, end_time VARCHAR)"
)


def google(file: LogFile) -> str:
    """Log entries, one a line or in a list. VPC flow logs hold what passed, sampled."""
    return f"""
        WITH entries AS (
            SELECT "jsonPayload" AS j, timestamp AS noted
            FROM read_json({quoted(file.path)}, format='auto', maximum_object_size=1073741824,
                           columns={{'jsonPayload': '{_GOOGLE_COLUMNS}', 'timestamp': 'VARCHAR'}},
                           ignore_errors=true, compression={file.compression})
        )
        SELECT j.connection.src_ip AS source, j.connection.dest_ip AS destination,
               try_cast(j.connection.protocol AS INTEGER) AS protocol,
               coalesce(try_cast(j.connection.src_port AS INTEGER), 0) AS source_port,
               coalesce(try_cast(j.connection.dest_port AS INTEGER), 0) AS destination_port,
               coalesce(j.disposition, 'ALLOWED') = 'ALLOWED' AS accepted,
               greatest(1, coalesce(try_cast(j.packets_sent AS BIGINT), 1)) AS packets,
               epoch(try_cast(coalesce(j.start_time, noted) AS TIMESTAMPTZ))::BIGINT AS first,
               epoch(try_cast(coalesce(j.end_time, noted) AS TIMESTAMPTZ))::BIGINT AS last,
               CASE WHEN j.connection IS NULL THEN 'damaged'
                    WHEN j.disposition IS NULL THEN 'sampled' ELSE 'record' END AS state
        FROM entries"""
