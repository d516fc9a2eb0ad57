"""Many log files as few classes of records that a policy treats alike.

DuckDB reads and groups. Addresses and ports are replaced by the class that no rule and no flow
tells apart inside, so that a hundred million records become some thousand classes, each with one
record for an example.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowbridge.catalog.port_set import PORTS, port_runs
from flowbridge.policy.packets.line import address_index
from flowbridge.policy.packets.packet import Address
from flowbridge.providers.logs.formats import (
    Kind,
    LogFile,
    aws_parquet,
    aws_text,
    azure,
    google,
    recognise,
)

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Records that are treated alike; addresses and ports are those of one of them.

    `records` and `packets` count them, `sources` and `destinations` their different addresses;
    `first` and `last` are seconds since 1970, None where the log does not say.
    """

    source: Address
    destination: Address
    protocol: int
    source_port: int
    destination_port: int
    accepted: bool
    records: int
    packets: int
    sources: int
    destinations: int
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
        "first BIGINT, last BIGINT, state VARCHAR)"
    )
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
    _ports(connection, port_classes)
    _addresses(connection, own, address_edges)
    counts: dict[str, int] = dict(
        connection.execute(
            "SELECT CASE WHEN state IN ('record', 'sampled') AND (protocol IS NULL OR "
            "source IS NULL OR destination IS NULL OR source_port NOT BETWEEN 0 AND 65535 OR "
            "destination_port NOT BETWEEN 0 AND 65535 OR protocol NOT BETWEEN 0 AND 255) "
            "THEN 'damaged' ELSE state END, count(*) FROM records GROUP BY 1"
        ).fetchall()
    )
    seen = tuple(_seen(connection))
    good = counts.get("record", 0) + counts.get("sampled", 0)
    unknown = int(_one(connection, "SELECT count(*) FROM places WHERE place IS NULL"))
    damaged = counts.get("damaged", 0) + (_of_bad_addresses(connection) if unknown else 0)
    return Logs(
        seen=seen,
        records=good,
        damaged=damaged,
        skipped=counts.get("skipped", 0),
        foreign=good - sum(each.records for each in seen) - (damaged - counts.get("damaged", 0)),
        sampled=counts.get("sampled", 0) > 0,
        unread=tuple(unread),
        files=read,
    )


def _insert(connection: duckdb.DuckDBPyConnection, file: LogFile) -> None:
    match file.kind:
        case Kind.AWS_TEXT:
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
        case Kind.UNKNOWN:
            raise ValueError(file.why)
    connection.execute(f"INSERT INTO records {select}")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else 0


def _of_bad_addresses(connection: duckdb.DuckDBPyConnection) -> int:
    return int(
        _one(
            connection,
            "SELECT count(*) FROM records r JOIN places a ON a.text = r.source "
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


def _addresses(
    connection: duckdb.DuckDBPyConnection, own: Iterable[Address], edges: Iterable[int]
) -> None:
    """Every address that occurs, once, with its class; NULL for a text that is no address."""
    ours = {address_index(address) for address in own}
    cuts = sorted({*edges, *(point for at in ours for point in (at, at + 1))})
    rows = connection.execute(
        "SELECT DISTINCT source FROM records UNION SELECT DISTINCT destination FROM records"
    ).fetchall()
    connection.execute("CREATE TABLE places (text VARCHAR, place INTEGER, ours BOOLEAN)")
    placed: list[tuple[str, int | None, bool]] = []
    for (text,) in rows:
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
        SELECT min({'s': r.source, 'd': r.destination, 'sp': r.source_port,
                    'dp': r.destination_port}) AS one, r.protocol, r.accepted, count(*),
               sum(r.packets)::BIGINT,
               approx_count_distinct(r.source), approx_count_distinct(r.destination),
               min(r.first), max(r.last)
        FROM records r
        JOIN places a ON a.text = r.source AND a.place IS NOT NULL
        JOIN places b ON b.text = r.destination AND b.place IS NOT NULL
        JOIN ports p ON p.port = r.source_port
        JOIN ports q ON q.port = r.destination_port
        WHERE r.state IN ('record', 'sampled') AND (a.ours OR b.ours)
              AND r.protocol BETWEEN 0 AND 255
        GROUP BY a.place, b.place, r.protocol, p.class, q.class, r.accepted
        ORDER BY ALL
        """
    ).fetchall()
    for row in rows:
        yield Seen(
            source=ip_address(row[0]["s"]),
            destination=ip_address(row[0]["d"]),
            source_port=row[0]["sp"],
            destination_port=row[0]["dp"],
            protocol=row[1],
            accepted=row[2],
            records=row[3],
            packets=row[4],
            sources=row[5],
            destinations=row[6],
            first=row[7],
            last=row[8],
        )
