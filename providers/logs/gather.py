"""Many log files as few classes of records that a policy treats alike.

DuckDB reads and groups. Addresses and ports are replaced by the class that no rule and no flow
tells apart inside, so that a hundred million records become some thousand classes, each with one
record for an example.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowbridge.catalog.port_set import PORTS, port_runs
from flowbridge.policy.packets.line import address_index
from flowbridge.policy.packets.packet import Address
from flowbridge.providers.logs.formats import (
    Kind,
    LogFile,
    answer,
    aws_parquet,
    aws_text,
    aws_whole_text,
    azure,
    google,
    recognise,
)

if TYPE_CHECKING:
    import duckdb

_IPV6: Final = 1 << 32  # where IPv4 ends on the address line


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Records that are treated alike; addresses and ports are those of one of them.

    `records` and `packets` count them; `first` and `last` are seconds since 1970, None where the
    log does not say.
    """

    source: Address
    destination: Address
    protocol: int
    source_port: int
    destination_port: int
    accepted: bool
    records: int
    packets: int
    first: int | None
    last: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """What the files held. `damaged` and `skipped` count records that say nothing; `foreign` those
    between addresses of others; `unread` are files that are no flow log, with the reason."""

    seen: tuple[Seen, ...]
    records: int
    damaged: int
    skipped: int
    foreign: int
    sampled: bool
    unread: tuple[str, ...]
    files: int


def log_files(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files that `paths` name, those of folders too, by name. FileNotFoundError for one."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found |= dict.fromkeys(sorted(p for p in path.rglob("*") if p.is_file()))
        elif path.is_file():
            found[path] = None
        else:
            raise FileNotFoundError(str(path))
    return tuple(found)


def gather(
    paths: Sequence[Path],
    own: Iterable[Address],
    address_edges: Iterable[int],
    port_classes: Iterable[int],
    progress: Callable[[Path], None] = lambda _: None,
) -> Logs:
    """Read `paths`. `own` are addresses that are told apart; `address_edges` is where, on the
    address line, a set of packets begins or ends; `port_classes` are masks of ports that are
    treated alike, together all of them."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.execute(
        "CREATE TABLE records (source VARCHAR, destination VARCHAR, protocol INTEGER, "
        "source_port INTEGER, destination_port INTEGER, accepted BOOLEAN, packets BIGINT, "
        "first BIGINT, last BIGINT, state VARCHAR, records BIGINT)"
    )
    _ports(connection, port_classes)
    unread: list[str] = []
    read = 0
    for path in paths:
        progress(path)
        try:
            file = recognise(path)
            _insert(connection, file)
            read += 1
        except (OSError, ValueError, duckdb.Error) as error:
            unread.append(f"{path}: {_short(error)}")
    _addresses(connection, own, address_edges)
    counts: dict[str, int] = dict(
        connection.execute(
            "SELECT state, sum(records)::BIGINT FROM records GROUP BY state"
        ).fetchall()
    )
    seen = tuple(_seen(connection))
    good = counts.get("record", 0) + counts.get("sampled", 0)
    unknown = int(_one(connection, "SELECT count(*) FROM places WHERE place IS NULL"))
    damaged = counts.get("damaged", 0) + (_of_bad_addresses(connection) if unknown else 0)
    others = counts.get("foreign", 0)
    return Logs(
        seen=seen,
        records=good + others,
        damaged=damaged,
        skipped=counts.get("skipped", 0),
        foreign=others
        + good
        - sum(each.records for each in seen)
        - (damaged - counts.get("damaged", 0)),
        sampled=counts.get("sampled", 0) > 0,
        unread=tuple(unread),
        files=read,
    )


# Records of the same ends whose ports are alike are one at once, with the ports of one of them:
# what is kept grows with the peers, and not with the connections.
_INSERT: Final = """
    INSERT INTO records
    SELECT source, destination, protocol, ports >> 16, ports & 65535, accepted, packets, first,
           last, state, records
    FROM (
        SELECT source, destination, protocol, accepted, state,
               min((source_port::BIGINT << 16) + destination_port) AS ports,
               sum(packets)::BIGINT AS packets, min(first) AS first, max(last) AS last,
               sum(records)::BIGINT AS records
        FROM (
            SELECT * REPLACE (
                CASE WHEN state IN ('record', 'sampled') AND (protocol IS NULL OR source IS NULL
                          OR destination IS NULL OR source_port NOT BETWEEN 0 AND 65535
                          OR destination_port NOT BETWEEN 0 AND 65535
                          OR protocol NOT BETWEEN 0 AND 255)
                     THEN 'damaged' ELSE state END AS state)
            FROM ({})
        ) r
        LEFT JOIN ports p ON p.port = r.source_port
        LEFT JOIN ports q ON q.port = r.destination_port
        GROUP BY source, destination, protocol, p.class, q.class, accepted, state
    )"""


def _insert(connection: duckdb.DuckDBPyConnection, file: LogFile) -> None:
    match file.kind:
        case Kind.AWS_TEXT:
            import duckdb

            with suppress(duckdb.Error):  # nothing was inserted then
                connection.execute(_INSERT.format(_one_each(aws_whole_text(file))))
                return
            select = aws_text(file)
        case Kind.AWS_PARQUET:
            from flowbridge.providers.logs.formats import quoted

            named = connection.execute(
                f"SELECT name FROM parquet_schema({quoted(file.path)})"
            ).fetchall()
            select = aws_parquet(file, {name for (name,) in named})
        case Kind.AZURE:
            select = azure(file)
        case Kind.GOOGLE:
            select = google(file)
        case Kind.ANSWER:
            connection.execute(_INSERT.format(answer(file)))
            return
        case Kind.UNKNOWN:
            raise ValueError(file.why)
    connection.execute(_INSERT.format(_one_each(select)))


def _one_each(select: str) -> str:
    return f"SELECT *, 1 AS records FROM ({select})"


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return (row[0] or 0) if row else 0


def _of_bad_addresses(connection: duckdb.DuckDBPyConnection) -> int:
    return int(
        _one(
            connection,
            "SELECT sum(r.records)::BIGINT FROM records r JOIN places a ON a.text = r.source "
            "JOIN places b ON b.text = r.destination "
            "WHERE state IN ('record', 'sampled') AND (a.place IS NULL OR b.place IS NULL)",
        )
    )


def _ports(connection: duckdb.DuckDBPyConnection, classes: Iterable[int]) -> None:
    of_port = [0] * PORTS
    for number, mask in enumerate(classes):
        for run in port_runs(mask):
            of_port[run.first : run.last + 1] = [number] * (run.last - run.first + 1)
    connection.execute("CREATE TABLE ports (port INTEGER, class INTEGER)")
    connection.execute(
        "INSERT INTO ports SELECT unnest(range(?)), unnest(?::INTEGER[])", [PORTS, of_port]
    )


# As `ipaddress` reads it: no leading zeros, nothing around.
_OCTET: Final = r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"


def _addresses(
    connection: duckdb.DuckDBPyConnection, own: Iterable[Address], edges: Iterable[int]
) -> None:
    """Every address that occurs, once, with its class; NULL for a text that is no address.

    DuckDB places those of IPv4, of which there may be millions.
    """
    ours = {address_index(address) for address in own}
    cuts = sorted({*edges, *(point for at in ours for point in (at, at + 1))})
    connection.execute(
        "CREATE TABLE texts AS SELECT DISTINCT source AS text FROM records "
        "UNION SELECT DISTINCT destination FROM records"
    )
    connection.execute("CREATE TABLE places (text VARCHAR, place INTEGER, ours BOOLEAN)")
    connection.execute("CREATE TABLE cuts (cut BIGINT, place INTEGER, ours BOOLEAN)")
    low = [(cut, at, cut in ours) for at, cut in enumerate(cuts, 1) if cut < _IPV6]
    connection.executemany("INSERT INTO cuts VALUES (?, ?, ?)", [(-1, 0, False), *low])
    connection.execute(
        f"""
        INSERT INTO places
        SELECT t.text, c.place, c.ours
        FROM (SELECT text, string_split(text, '.')::BIGINT[] AS p FROM texts
              WHERE regexp_full_match(text, '{_OCTET}(\\.{_OCTET}){{3}}')) t
        ASOF JOIN cuts c ON p[1] * 16777216 + p[2] * 65536 + p[3] * 256 + p[4] >= c.cut
        """
    )
    placed: list[tuple[str, int | None, bool]] = []
    for (text,) in connection.execute(
        "SELECT text FROM texts WHERE text NOT IN (SELECT text FROM places)"
    ).fetchall():
        try:
            point = address_index(ip_address(text))
        except ValueError:
            placed.append((text, None, False))
        else:
            placed.append((text, bisect_right(cuts, point), point in ours))
    for start in range(0, len(placed), 10_000):
        part = placed[start : start + 10_000]
        connection.execute(
            "INSERT INTO places SELECT unnest(?::VARCHAR[]), unnest(?::INTEGER[]), "
            "unnest(?::BOOLEAN[])",
            [[row[0] for row in part], [row[1] for row in part], [row[2] for row in part]],
        )


def _seen(connection: duckdb.DuckDBPyConnection) -> Iterator[Seen]:
    """Classes in which one end at least is ours."""
    rows = connection.execute(
        """
        WITH classes AS (
            SELECT min(r.rowid) AS one, sum(r.records)::BIGINT AS records,
                   sum(r.packets)::BIGINT AS packets,
                   min(r.first) AS first, max(r.last) AS last
            FROM records r
            JOIN places a ON a.text = r.source AND a.place IS NOT NULL
            JOIN places b ON b.text = r.destination AND b.place IS NOT NULL
            JOIN ports p ON p.port = r.source_port
            JOIN ports q ON q.port = r.destination_port
            WHERE r.state IN ('record', 'sampled') AND (a.ours OR b.ours)
                  AND r.protocol BETWEEN 0 AND 255
            GROUP BY a.place, b.place, r.protocol, p.class, q.class, r.accepted
        )
        SELECT r.source, r.destination, r.source_port, r.destination_port, r.protocol, r.accepted,
               c.records, c.packets, c.first, c.last
        FROM classes c JOIN records r ON r.rowid = c.one
        ORDER BY ALL
        """
    ).fetchall()
    for row in rows:
        yield Seen(
            source=ip_address(row[0]),
            destination=ip_address(row[1]),
            source_port=row[2],
            destination_port=row[3],
            protocol=row[4],
            accepted=row[5],
            records=row[6],
            packets=row[7],
            first=row[8],
            last=row[9],
        )
