"""The deployment files that a command is about: paths, folders, globs, or the app's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from flowbridge.answer import AnyFormat, refusing

Function = TypeVar("Function", bound=Callable[..., Any])
Item = TypeVar("Item")

# From so many on a command answers a line each.
MANY: Final = 5


def sites_argument(function: Function) -> Function:
    """`[FILE]...` as the parameter `files`; `named_sites` says which they are."""
    argument = click.argument(
        "files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path)
    )
    return argument(function)


def no_cache_option(function: Function) -> Function:
    """`--no-cache`: nothing that an earlier start kept is used, and nothing is kept."""

    def switch_off(_: click.Context, __: click.Parameter, asked: bool) -> None:
        if asked:
            from flowbridge.catalog.reading.cache_folder import OFF, VARIABLE

            os.environ[VARIABLE] = OFF

    option = click.option(
        "--no-cache",
        is_flag=True,
        expose_value=False,
        callback=switch_off,
        help="Work everything out anew; the answer is the same.",
    )
    return option(function)


def named_sites(
    files: Iterable[Path], answer_format: AnyFormat, command: str = "check"
) -> tuple[Path, ...]:
    """The files that the arguments name: a folder stands for the deployments in it and below, a
    glob for what it matches; no argument for the deployments of the app. Exit code 2 for none.
    """
    from flowbridge.stacks.pipeline import deployment_files
    from flowbridge.stacks.project import read_project
    from flowbridge.synth import files_of

    named = [str(file) for file in files]
    with refusing(answer_format, command):
        if named:
            return deployment_files(named, Path(), "the command line")
        return files_of(read_project(Path()))


def with_bar(items: Iterable[Item], doing: str, total: int | None = None) -> Iterator[Item]:
    """`items` one after the other; of many, with a bar on stderr where it is a terminal. `total`
    is their number, where they are not a list."""
    from flowbridge.terminal import console

    number = len(items) if isinstance(items, Sequence) else total or 0
    if number < MANY or not console(stderr=True).is_terminal:
        yield from items
        return
    import sys

    from rich.console import Console
    from rich.progress import track

    # The bar moves the cursor, which sys.stderr lets nobody do.
    moving = Console(file=sys.__stderr__, highlight=False)
    yield from track(items, doing, total=number, console=moving, transient=True)
