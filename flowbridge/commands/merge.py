"""`flowbridge merge`: the answers of shards as the one answer of `flowbridge check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowbridge.answer import AnyFormat, pipeline_format, refuse, refusing

if TYPE_CHECKING:
    from flowbridge.fleet.shard import ShardAnswer


@click.command(
    "merge",
    help="The answers of `flowbridge check --shard I/N` as the one answer of `flowbridge check`. "
    "Run it where the files are: those that meet others are judged together here.",
)
@click.argument("parts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    help="Text: only what fails, is cut off, or warns and is not accepted.",
)
@click.option("--keep-going", is_flag=True, help="Judge the others where a file is refused.")
@click.option("--jobs", type=click.IntRange(min=1), help="At most so many processes.")
@pipeline_format
def command(
    parts: tuple[Path, ...],
    quiet: bool,
    keep_going: bool,
    jobs: int | None,
    answer_format: AnyFormat,
) -> None:
    from flowbridge.commands.check import answer_of, say_answer
    from flowbridge.fleet.run import merged_fleet

    answers = [_read(path, answer_format) for path in parts]
    with refusing(answer_format):
        try:
            fleet = merged_fleet(answers, keep_going=keep_going, jobs=jobs or 0)
        except ValueError as error:
            refuse(answer_format, str(error))
    say_answer(answer_of(fleet), answer_format, quiet=quiet)


def _read(path: Path, form: AnyFormat) -> ShardAnswer:
    from flowbridge.catalog.reading.located_yaml import BadFileError, read_text
    from flowbridge.fleet.shard import ShardAnswer

    try:
        return ShardAnswer.from_plain(json.loads(read_text(path, max_bytes=_LARGEST)))
    except BadFileError as error:
        refuse(form, str(error))
    except (ValueError, RecursionError) as error:
        refuse(form, f"{path}: {error}")


_LARGEST = 1_000_000_000
