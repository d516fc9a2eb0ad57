"""The options of every command that talks to a cloud, and its progress on stderr."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from flowbridge.answer import AnyFormat, refuse

if TYPE_CHECKING:
    from flowbridge.providers.live.contract import Access
    from flowbridge.stacks.live import Live
    from flowbridge.stacks.pipeline import Built

Function = TypeVar("Function", bound=Callable[..., Any])


def reaching(function: Function) -> Function:
    """`--endpoint-url`, `--timeout`, `--attempts` and `--at-once`, as the parameter `reach`."""
    options = (
        click.option(
            "--endpoint-url",
            metavar="URL",
            help="Talk to this server in place of the cloud's own (an emulator, a private one).",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0.1),
            default=30.0,
            show_default=True,
            metavar="SECONDS",
            help="For one answer; a whole place has ten times as long.",
        ),
        click.option(
            "--attempts",
            type=click.IntRange(min=1),
            default=10,
            show_default=True,
            help="Tries of one call that is throttled or fails on the cloud's side.",
        ),
        click.option(
            "--at-once",
            type=click.IntRange(min=1),
            default=8,
            show_default=True,
            help="Accounts and regions read at a time.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def access_for(
    endpoint_url: str | None,
    timeout: float,
    attempts: int,
    placed: dict[str, tuple[str, ...]] | None = None,
) -> Access:
    """The `Access` that the options ask for."""
    from flowbridge.providers.live.contract import Access

    return Access(
        endpoint_url=endpoint_url,
        connect_timeout=min(10.0, timeout),
        read_timeout=timeout,
        deadline=10 * timeout,
        attempts=attempts,
        placed=placed or {},
    )


def checked_url(endpoint_url: str | None, form: AnyFormat) -> None:
    """Refuse an endpoint that is no http or https URL."""
    if endpoint_url is not None and not re.match(r"https?://[^/\s]+", endpoint_url):
        from flowbridge.legible import without_passwords

        shown = without_passwords(endpoint_url)
        refuse(form, f"--endpoint-url {shown!r}: write http://HOST:PORT or https://HOST")


def with_progress(
    every: Sequence[Built], access: Access, *, asides: bool, at_once: int
) -> Iterator[Live]:
    """`stacks.live.fetched`, one deployment at a time, told on stderr.

    A bar on a terminal; elsewhere a line for each place.
    """
    from flowbridge.legible import legible, one_line
    from flowbridge.stacks.live import fetched
    from flowbridge.terminal import console

    screen = console(stderr=True)
    rounds = fetched(every, access, asides=asides, at_once=at_once)
    if screen.is_terminal:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        described = TextColumn("{task.description}", markup=False)
        # The bar moves the cursor, which sys.stderr lets nobody do.
        moving = Console(file=sys.__stderr__, highlight=False)
        columns = (described, BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=moving, transient=True) as bar:
            task = bar.add_task("reading the live cloud", total=len(every))
            for place in rounds:
                bar.update(task, description=one_line(legible(place[0].scope)))
                for live in place:
                    yield live
                    bar.advance(task)
        return
    done = 0
    for place in rounds:
        done += len(place)
        names = ", ".join(live.built.resolution.site.name for live in place)
        click.echo(f"asked {done} of {len(every)}: {one_line(place[0].scope)} ({names})", err=True)
        yield from place
