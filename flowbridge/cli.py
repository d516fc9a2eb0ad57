"""The command: which subcommands there are, how they answer, and with which exit code.

A subcommand's module is imported only when it is called, so that `flowbridge --help` starts
without pydantic, a catalog or a cloud SDK. Exit codes: 0 holds, 1 a finding, 2 bad input.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from itertools import pairwise
from typing import Final

import click

from flowbridge.help_text import examples

# What a shell reports of a program that Ctrl-C ended (128 + SIGINT): no answer was given.
INTERRUPTED: Final = 130

COMMANDS: Final = {
    "check": "Validate deployment files: refusals, quotas, tests and the proof.",
    "merge": "The answers of `check --shard` as one.",
    "rules": "The compiled rules with their rows.",
    "explain": "Why a port is open, or which switch would open it.",
    "trace": "The verdict on one packet, hop by hop.",
    "rehearse": "Which features work, step by step, and what cuts the others.",
    "diff": "Which packets become allowed or refused.",
    "exposure": "What the internet can reach, riskiest first; redundant rules.",
    "flows": "Every flow by address, for the firewall on the other side.",
    "request": "A change request: what to open and to close between two versions.",
    "firewall": "What each firewall on the way has to let through, in its own language.",
    "observe": "What flow logs show: used, never seen, refused though documented.",
    "audit": "Live state against intent, as packets.",
    "judge": "Any Terraform plan, state or JSON, in packets against the documents.",
    "adopt": "Terraform import blocks for what already exists.",
    "report": "A self-contained page with the connection map.",
    "synth": "Terraform JSON without Node: a root configuration or a module.",
    "opa": "Data for policies in Rego: rules, exposure, findings, features.",
    "init": "A first deployment file.",
    "schema": "The JSON Schema of the deployment file, for editors.",
    "catalog": "The documented rows: export, show, list, diff, validate.",
}


class LazyGroup(click.Group):
    """Loads `flowbridge.commands.<name>` when `<name>` is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"flowbridge.commands.{cmd_name}")
        command: click.Command = module.command
        command.epilog = command.epilog or examples(cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


def _say_version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        from flowbridge.stacks.provenance import version_line

        click.echo(version_line())
        context.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Show the versions of the code and of the catalog.",
)
@click.pass_context
def flowbridge(context: click.Context) -> None:
    """Documented Cisco UC flows as exact cloud firewall rules.

    Every command takes --format text|json. Exit codes: 0 holds, 1 a finding (drift, a failed
    test or proof, missing packets), 2 bad input or usage.
    """
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        context.color = False


def main() -> None:
    """Run the command. Never ends in a traceback (set FLOWBRIDGE_DEBUG=1 to see one)."""
    from flowbridge.collector import collect_seldom
    from flowbridge.pipe import tolerate_a_reader_that_leaves

    collect_seldom()
    tolerate_a_reader_that_leaves()
    try:
        try:
            # Not standalone: click ends an interrupted command with 1, which says "a finding".
            code = flowbridge.main(prog_name="flowbridge", standalone_mode=False)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        from flowbridge.answer import BAD_INPUT, refuse

        error = _suggested(error)
        if _asked_for_json(sys.argv[1:]):
            refuse("json", error.format_message())
        error.show()
        sys.exit(BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(INTERRUPTED)
    except OSError as error:
        click.echo(f"flowbridge: cannot write the answer: {error.strerror or error}", err=True)
        sys.exit(2)
    except Exception as error:
        _refuse_if_bad_file(error)
        if os.environ.get("FLOWBRIDGE_DEBUG"):
            raise
        click.echo(
            f"flowbridge: internal error: {type(error).__name__}: {error}\n"
            "This is a fault in Flowbridge, not in your file. Run again with FLOWBRIDGE_DEBUG=1 "
            "and report what it prints.",
            err=True,
        )
        sys.exit(2)


def _suggested(error: click.ClickException) -> click.ClickException:
    """The same error with the choice that was meant, beside all that there are."""
    if not isinstance(error, click.BadParameter) or error.param is None:
        return error
    kind = error.param.type
    given = next(iter(re.findall(r"'([^']*)' is not one of", error.message)), None)
    if isinstance(kind, click.Choice) and given is not None:
        from difflib import get_close_matches

        near = get_close_matches(given.casefold(), map(str, kind.choices), n=1)
        if near:
            told = f"{error.message} Did you mean {near[0]!r}?"
            return click.BadParameter(told, error.ctx, error.param)
    return error


def _refuse_if_bad_file(error: Exception) -> None:
    """Ends as any refusal does, where a command let one through (an extra that is missing)."""
    from flowbridge.answer import refuse_file
    from flowbridge.catalog.reading.located_yaml import BadFileError

    if isinstance(error, BadFileError):
        refuse_file("json" if _asked_for_json(sys.argv[1:]) else "text", error)


def _asked_for_json(words: list[str]) -> bool:
    """Whether the answer is for a program, although its options could not be read."""
    return "--format=json" in words or ("--format", "json") in pairwise(words)
