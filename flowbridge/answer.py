"""How every command answers: text for people, clean JSON for programs, one exit code.

stdout carries the answer and nothing else; progress and refusals go to stderr. With
`--format json` a refusal is JSON on stdout too, so that a program never has to parse prose.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, TypeVar

import click

from flowbridge.results.formats import FORMATS

if TYPE_CHECKING:
    from flowbridge.catalog.reading.located_yaml import BadFileError, Problem

HOLDS: Final = 0
FINDING: Final = 1
BAD_INPUT: Final = 2

Format = Literal["text", "json"]
TableFormat = Literal["text", "json", "csv"]
# With those for pipelines (`flowbridge.results.formats`).
AnyFormat = str
Function = TypeVar("Function", bound=Callable[..., Any])

# The names of `flowbridge.answers.contract`, which is not imported for an answer: it costs time.
AnswerName = Literal[
    "refusal",
    "check",
    "rules",
    "explain",
    "trace",
    "diff",
    "exposure",
    "rehearse",
    "audit",
    "adopt",
    "judge",
    "flows",
    "request",
    "firewall",
    "observe",
    "init",
    "report",
    "synth",
    "catalog-export",
    "catalog-list",
    "catalog-show",
    "catalog-notes",
    "catalog-errata",
    "catalog-features",
    "catalog-guide",
    "catalog-editions",
    "catalog-diff",
    "catalog-validate",
    "catalog-ingest",
]


def answer_format(function: Function) -> Function:
    """The `--format text|json` option, as the parameter `answer_format`."""
    option = click.option(
        "--format",
        "answer_format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How to answer.",
    )
    return option(function)


def pipeline_format(function: Function) -> Function:
    """The same option with the formats for pipelines."""
    option = click.option(
        "--format",
        "answer_format",
        type=click.Choice(["text", "json", *FORMATS]),
        default="text",
        show_default=True,
        help="How to answer; the others than text and json are for pipelines.",
    )
    return option(function)


def table_format(function: Function) -> Function:
    """`--format text|json|csv`, as the parameter `table_format`."""
    option = click.option(
        "--format",
        "table_format",
        type=click.Choice(["text", "json", "csv"]),
        default="text",
        show_default=True,
        help="How to answer.",
    )
    return option(function)


def say_csv(columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    """Records as CSV (RFC 4180) on stdout, a line each."""
    from flowbridge.flow_list.formats import as_csv
    from flowbridge.legible import without_passwords

    say_raw(without_passwords(as_csv(columns, records)))


def say_json(data: object, answer: AnswerName) -> None:  # noqa: ARG001 - the suite reads it
    """`json_text` on stdout.

    `answer` names the contract that it keeps (`flowbridge.answers.contract`); the suite holds every
    answer of a test to it (`tests/conftest.py`).
    """
    say_raw(json_text(data))


def json_text(data: object) -> str:
    """`data` as JSON, keys in the order given, one trailing newline: on stdout and in files.

    An object says last which code and which catalog it comes from (`provenance`).
    """
    from flowbridge.legible import escaped, without_passwords
    from flowbridge.stacks.provenance import with_provenance

    text = json.dumps(with_provenance(data), ensure_ascii=False, indent=2, default=str)
    return f"{escaped(without_passwords(text))}\n"


def say_raw(text: str) -> None:
    """`text` on stdout as it is, for programs: no filter for terminals, line ends as they stand."""
    stream = sys.stdout
    stream.flush()
    if (buffer := getattr(stream, "buffer", None)) is None:
        stream.write(text)
        return
    buffer.write(text.encode("utf-8", "surrogateescape"))
    buffer.flush()


@contextmanager
def refusing(answer_format: AnyFormat, command: str = "check") -> Iterator[None]:
    """Turns an unusable file inside the block into exit code 2 and one message a line.

    `command` names it in the formats for pipelines.
    """
    from flowbridge.catalog.reading.located_yaml import BadFileError

    try:
        yield
    except BadFileError as error:
        refuse_file(answer_format, error, command)


def refuse_file(answer_format: AnyFormat, error: BadFileError, command: str = "check") -> NoReturn:
    """Exit code 2 with one message for each problem."""
    if answer_format in FORMATS:
        from flowbridge.results.check_results import refusal_outcome
        from flowbridge.results.say import say_outcome

        say_outcome(refusal_outcome(command, error.problems), answer_format)
    elif answer_format == "json":
        say_json(
            {
                "holds": False,
                "problems": list(map(plain_problem, error.problems)),
            },
            "refusal",
        )
    else:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
    sys.exit(BAD_INPUT)


def plain_problem(problem: Problem) -> dict[str, Any]:
    """A problem for JSON."""
    return {
        "file": problem.file,
        "line": problem.line,
        "key": problem.key,
        "message": problem.message,
    }


def refuse(answer_format: AnyFormat, message: str) -> NoReturn:
    """Exit code 2 with `message`: usage that no option parser can see is wrong."""
    if answer_format == "json":
        say_json(
            {
                "holds": False,
                "problems": [{"file": None, "line": None, "key": "", "message": message}],
            },
            "refusal",
        )
    else:
        click.echo(f"error: {message}", err=True)
    sys.exit(BAD_INPUT)
