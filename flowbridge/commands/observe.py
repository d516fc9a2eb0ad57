"""`flowbridge observe`: what flow logs show of a deployment's rows."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowbridge.answer import (
    BAD_INPUT,
    FINDING,
    HOLDS,
    Format,
    answer_format,
    refuse,
    refusing,
    say_json,
)

if TYPE_CHECKING:
    from flowbridge.policy.questions.evidence import Evidence
    from flowbridge.policy.questions.observation import Observation, Tally
    from flowbridge.providers.logs.gather import Logs

_NOISE_SHOWN = 10


@click.command("observe")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--logs",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A log file or a folder of them. Repeatable.",
)
@click.option(
    "--sampled",
    is_flag=True,
    help="The log is sampled or aggregated: what is not in it may be used all the same.",
)
@click.option(
    "--sql",
    type=click.Choice(["athena", "bigquery", "bigquery-firewall"]),
    help="Print the question for logs that stay in the cloud; its answer, saved as CSV, is a file "
    "for --logs.",
)
@click.option("--table", help="The table that --sql asks; default: the name that its cloud gives.")
@answer_format
def command(
    file: Path,
    paths: tuple[Path, ...],
    sampled: bool,
    sql: str | None,
    table: str | None,
    answer_format: Format,
) -> None:
    """What flow logs show: used, never seen, refused though documented, let in though not.

    Reads flow logs of AWS (VPC and transit gateway, text and Parquet, any fields), Azure (virtual
    network and NSG) and Google Cloud (VPC flow logs, firewall rule logs), also compressed, from
    files on this machine. Exit codes: 1 where something documented was refused or something
    undocumented let in; 2 where nothing was found and not every file could be read.

    \b
    flowbridge observe site.yaml --logs logs/
    flowbridge observe site.yaml --logs export.log.gz --format json
    flowbridge observe site.yaml --sql athena --table vpc_flow_logs > question.sql
    flowbridge observe site.yaml --logs answer.csv
    """
    if sql is None and not paths:
        refuse(answer_format, "--logs is missing: name log files or folders, or --sql athena")
    if sql is not None:
        _ask(file, sql, table, answer_format)
        return
    from flowbridge.policy.questions.evidence import evidence
    from flowbridge.policy.questions.observation import Observer, address_edges, port_classes
    from flowbridge.policy.questions.rehearsal import Answer
    from flowbridge.stacks.pipeline import build_all, judge
    from flowbridge.stacks.seen import in_place, seen

    try:
        import duckdb  # noqa: F401  (the extra is asked for before anything is read)

        from flowbridge.providers.logs.gather import gather, log_files
    except ModuleNotFoundError:
        refuse(answer_format, "DuckDB reads the logs and is not installed: add flowbridge[observe]")
    with refusing(answer_format):
        stacks = [judge(each) for each in build_all([file])]
        deployment = seen(stacks)
    policy, enforcement = deployment.policy, deployment.enforcement
    observer = Observer(policy, enforcement)
    try:
        logs = gather(
            log_files(paths),
            observer.addresses,
            address_edges(policy, enforcement),
            port_classes(policy, enforcement),
            _progress,
        )
    except FileNotFoundError as error:
        refuse(answer_format, f"--logs {error}: there is no such file or folder")
    whole = not (sampled or logs.sampled or logs.skipped or logs.damaged or logs.unread)
    found = observer.observe(logs.seen, conclusive=whole and logs.records > 0)
    shown = evidence(
        found,
        policy,
        {
            each.id: [step.rows for step in each.steps]
            for checked in stacks
            for each in checked.features
            if each.answer is not Answer.NOT_HERE
        },
        [
            (
                rule.address,
                in_place(rule.scope, checked.built.resolution.place),
                rule.direction,
                rule.rows,
            )
            for checked in stacks
            for rule in checked.built.lowered.rules
            if rule.action == "allow"
        ],
    )
    purposes = {each.id: each.row.purpose.en for each in deployment.resolution.selected}
    plain = _plain(found, logs, purposes, shown, sampled=sampled or logs.sampled)
    if answer_format == "json":
        say_json(plain, "observe")
    else:
        _print(plain)
    if plain["refused"] or plain["let_in"]:
        sys.exit(FINDING)
    sys.exit(BAD_INPUT if logs.unread or not logs.records else HOLDS)


def _ask(file: Path, sql: str, table: str | None, answer_format: Format) -> None:
    """Prints the question in the SQL of the engine that has the logs."""
    from flowbridge.policy.questions.observation import Observer, address_edges, port_classes
    from flowbridge.providers.logs.questions import Dialect, question
    from flowbridge.stacks.pipeline import build_all, judge
    from flowbridge.stacks.seen import seen

    with refusing(answer_format):
        deployment = seen([judge(each) for each in build_all([file])])
    policy, enforcement = deployment.policy, deployment.enforcement
    try:
        text = question(
            Dialect(sql),
            Observer(policy, enforcement).addresses,
            address_edges(policy, enforcement),
            port_classes(policy, enforcement),
            table,
        )
    except ValueError as error:
        refuse(answer_format, f"--table {error}: write DATABASE.TABLE")
    if answer_format == "json":
        say_json({"dialect": sql, "sql": text}, "observe")
    else:
        click.echo(text, nl=False)


def _progress(path: Path) -> None:
    if sys.stderr.isatty():
        click.echo(f"reading {path}", err=True)


def _plain(
    found: Observation, logs: Logs, purposes: dict[str, str], shown: Evidence, *, sampled: bool
) -> dict[str, Any]:
    from flowbridge.policy.questions.observation import Fate

    times = [t for each in logs.seen for t in (each.first, each.last) if t is not None]
    noise = sorted(found.of(Fate.NOISE), key=lambda tally: -tally.records)
    return {
        "period": {
            "first": _time(min(times, default=None)),
            "last": _time(max(times, default=None)),
        },
        "log": {
            "files": logs.files,
            "records": logs.records,
            "of_others": logs.foreign,
            "damaged": logs.damaged,
            "skipped": logs.skipped,
            "sampled": sampled,
            "unread": list(logs.unread),
        },
        "conclusive": found.conclusive,
        "used": [
            {"row": row, "purpose": purposes.get(row, ""), "records": count, **_last(found, row)}
            for row, count in sorted(found.used_rows.items())
        ],
        "never_seen": [{"row": row, "purpose": purposes.get(row, "")} for row in shown.never_seen],
        "not_told": [{"row": row, "purpose": purposes.get(row, "")} for row in shown.untold_rows],
        "features": [
            {
                "id": each.id,
                "sighting": str(each.sighting),
                "seen": list(each.seen),
                "unseen": list(each.unseen),
            }
            for each in shown.features
        ],
        "could_be_closed": [
            {
                "rule": each.rule,
                "interface": each.interface,
                "direction": each.direction,
                "rows": list(each.rows),
                "records_of_its_interface": each.records,
            }
            for each in shown.closable
        ],
        "silent": list(shown.silent),
        "refused": [_tally(each) for each in found.of(Fate.REFUSED)],
        "let_in": [
            {
                **_tally(each),
                "by": "excess of our rules" if each.emitted else "no rule of ours",
            }
            for each in found.of(Fate.LET_IN)
        ],
        "noise": {
            "records": sum(each.records for each in noise),
            "most": [_tally(each) for each in noise[:_NOISE_SHOWN]],
        },
    }


def _last(found: Observation, row: str) -> dict[str, Any]:
    mine = [each for each in found.tallies if row in each.rows and each.fate == "used"]
    last = max((each.last for each in mine if each.last is not None), default=None)
    peers = sorted({peer for each in mine for peer in each.peers})
    return {"last": _time(last), "peers": peers[:5]}


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "interface": tally.point.interface,
        "direction": str(tally.point.direction),
        "rows": list(tally.rows),
        "reply": tally.reply,
        "records": tally.records,
        "first": _time(tally.first),
        "last": _time(tally.last),
        "example": str(tally.example),
        "peers": sorted(tally.peers)[:5],
    }


def _time(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _print(plain: dict[str, Any]) -> None:
    log, period = plain["log"], plain["period"]
    click.echo(
        f"{log['records']} records of {log['files']} files, {period['first'] or 'no time'} to "
        f"{period['last'] or 'no time'}; {log['of_others']} between others."
    )
    for name, what in (
        ("damaged", "records are damaged and say nothing"),
        ("skipped", "intervals were skipped by the cloud"),
    ):
        if log[name]:
            click.secho(f"{log[name]} {what}.", fg="yellow")
    for text in log["unread"]:
        click.secho(f"not read: {text}", fg="yellow")
    _print_tallies("Refused though documented:", plain["refused"], "red")
    _print_tallies("Let in though undocumented:", plain["let_in"], "red")
    if plain["used"]:
        click.secho("Used:", bold=True)
    for each in plain["used"]:
        click.echo(
            f"  {each['row']}  {each['records']} records, last {each['last']}  {each['purpose']}"
        )
    _print_unseen(plain)
    _print_evidence(plain)
    noise = plain["noise"]
    click.echo(f"{noise['records']} records of noise were refused, and nobody asks for them.")


def _print_unseen(plain: dict[str, Any]) -> None:
    for name, title in (
        ("never_seen", "Never seen"),
        ("not_told", "Not in this log, which is no proof"),
    ):
        if plain[name]:
            click.secho(f"{title}:", bold=True)
        for each in plain[name]:
            click.echo(f"  {each['row']}  {each['purpose']}")
    if plain["silent"]:
        click.secho(f"Without records: {', '.join(plain['silent'])}.", fg="yellow")


def _print_evidence(plain: dict[str, Any]) -> None:
    if plain["features"]:
        click.secho("Features:", bold=True)
    for each in plain["features"]:
        unseen = f" (not seen: {', '.join(each['unseen'])})" if each["seen"] else ""
        click.echo(f"  {each['id']}: {each['sighting']}{unseen if each['unseen'] else ''}")
    if plain["could_be_closed"]:
        click.secho(
            "Nothing used these rules; where the period is long enough, close them:", bold=True
        )
    for each in plain["could_be_closed"]:
        click.echo(
            f"  {each['rule']} ({', '.join(each['rows'])}): none of "
            f"{each['records_of_its_interface']} records of {each['interface']}"
        )


def _print_tallies(title: str, tallies: list[dict[str, Any]], colour: str) -> None:
    if tallies:
        click.secho(title, fg=colour, bold=True)
    for each in tallies:
        rows = f" ({', '.join(each['rows'])})" if each["rows"] else ""
        by = f", by {each['by']}" if "by" in each else ""
        what = "reply " if each["reply"] else ""
        click.echo(
            f"  {each['interface']} {each['direction']}: {what}{each['example']}{rows}: "
            f"{each['records']} records{by}"
        )
