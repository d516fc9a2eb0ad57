"""The deployment files that a command is about: paths, folders, globs, or the app's own."""

from __future__ import annotations

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


def with_bar(items: Sequence[Item], doing: str) -> Iterator[Item]:
    """`items` one after the other; of many, with a bar on stderr where it is a terminal."""
    from flowbridge.terminal import console

    if len(items) < MANY or not console(stderr=True).is_terminal:
        yield from items
        return
    import sys

    from rich.console import Console
    from rich.progress import track

    # The bar moves the cursor, which sys.stderr lets nobody do.
    moving = Console(file=sys.__stderr__, highlight=False)
    yield from track(items, description=doing, console=moving, transient=True)
