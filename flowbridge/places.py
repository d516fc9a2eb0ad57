"""`--place`: which stack of a file with several places a command is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from flowbridge.answer import AnyFormat, refuse

if TYPE_CHECKING:
    from flowbridge.stacks.pipeline import Built

place_option = click.option(
    "--place", metavar="NAME", help="Of a file with several places: whose stack it is about."
)


def of_place(built: Sequence[Built], place: str | None, form: AnyFormat) -> Built:
    """The stack of `place`, or the only one. Exit code 2 where that is not told or not there."""
    known = [each.resolution.place or each.resolution.site.name for each in built]
    if place is None:
        if len(built) == 1:
            return built[0]
        refuse(
            form,
            f"this file has several places, and this is about one stack: add --place with one of "
            f"{', '.join(known)}",
        )
    found = next((each for each in built if each.resolution.place == place), None)
    if found is None:
        refuse(form, f"--place {place!r}: there is no such place; write one of {', '.join(known)}")
    return found
