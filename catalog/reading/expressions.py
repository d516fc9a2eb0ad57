"""Texts that would not stay texts: what Terraform, or the engine, would evaluate.

`${file("...")}` in a tag runs on the machine that plans, with the rights of whoever plans, and a
deployment file may come from anybody who can open a pull request. No key of a file needs an
expression: an app of the user's own passes its tokens to the construct.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from flowbridge.catalog.reading.located_yaml import Data, LocatedYaml, Location, Problem

_EVALUATED: Final = re.compile(r"[$%]\{|TfToken\[")


def expressions(located: LocatedYaml) -> Iterator[Problem]:
    """A problem for each key and value in which an expression begins."""
    for location, text in _texts(located.data, ()):
        if found := _EVALUATED.search(text):
            message = (
                f"{found[0]!r} begins an expression, which Terraform would evaluate; write the "
                "plain text that it stands for"
            )
            yield located.problem(location, message)


def _texts(data: Data, here: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(data, str):
        yield here, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield (*here, key), key
            yield from _texts(value, (*here, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _texts(value, (*here, index))
