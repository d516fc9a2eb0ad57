"""The page of commands, from the commands themselves: what each `--help` says."""

from __future__ import annotations

from collections.abc import Iterator

import click

from flowbridge.cli import COMMANDS, flowbridge

_WIDTH = 80


def commands_page() -> str:
    """Every command, and below it those of a group, as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Commands\n\nWhat `flowbridge COMMAND --help` says of each."
    yield "Exit codes: 0 holds, 1 a finding, 2 bad input."
    yield "Every answer is JSON as well: [JSON answers](answers.md).\n"
    yield "| command | answers |\n|---|---|"
    for name, sentence in COMMANDS.items():
        yield f"| [`flowbridge {name}`](#flowbridge-{name}) | {sentence} |"
    context = click.Context(flowbridge, info_name="flowbridge", max_content_width=_WIDTH)
    for name in COMMANDS:
        command = flowbridge.get_command(context, name)
        if command is not None:
            yield from _of(command, name, context)


def _of(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(
        command,
        parent=parent,
        info_name=name,
        terminal_width=_WIDTH,
        help_option_names=["-h", "--help"],
    )
    level = "##" if parent.parent is None else "###"
    path = context.command_path
    yield f"\n{level} {path} {{: #{path.replace(' ', '-')} }}\n"
    yield f"```text\n{command.get_help(context)}\n```"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            if found is not None:
                yield from _of(found, inner, context)
