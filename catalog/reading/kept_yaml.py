"""The data of our own YAML files, kept parsed: JSON, found by the digest of its text.

Parsing YAML is most of what reading the catalog costs. The YAML stays the truth: its text is read
at every start, and what is kept of another text is not found. JSON because reading it runs no
code. Models are validated each time, as without it.

One file holds all: a line of JSON with the place of each text's data, then the data.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import yaml

from flowbridge.catalog.reading import cache_folder
from flowbridge.catalog.reading.located_yaml import SAFE_LOADER, Data, parse_yaml, read_text

# What is kept under another name is not found: to be changed with what a text is parsed to.
_NAME: Final = "yaml-1"
# Enough for several editions of our files; with more, the oldest are not those of this program.
_MOST_BYTES: Final = 8_000_000
_OURS: Final = str(Path(__file__).parents[2]) + "/"


def is_ours(path: Path) -> bool:
    """Whether a file belongs to the program."""
    return str(path).startswith(_OURS)


def read_kept(path: Path) -> Data:
    """The data of one of our files, without its lines. BadFileError as `read_yaml` has it."""
    return cast("Data", _kept(path, "strict", lambda text: parse_yaml(text, str(path)).data))


def read_plain(path: Path) -> Any:
    """The data of one of our tables by YAML's own rules (merge keys): a test proves its form."""
    return _kept(path, "plain", lambda text: yaml.load(text, Loader=SAFE_LOADER))  # noqa: S506


def _kept(path: Path, way: str, parse: Callable[[str], Any]) -> Any:
    text = read_text(path)
    name = f"{way}-{cache_folder.digest(text.encode())}"
    store = _store()
    if (body := store.body(name)) is not None:
        return json.loads(body)
    data = parse(text)
    store.add(name, data)
    return data


def keeps() -> bool:
    """Whether what is parsed now will be found at the next start."""
    return cache_folder.cache_folder() is not None


class _Store:
    """What was kept, and what this run adds to it."""

    def __init__(self) -> None:
        whole = cache_folder.kept(_NAME) or b"{}\n"
        head, _, self._bodies = whole.partition(b"\n")
        self._places: dict[str, list[int]] = json.loads(head)
        self._added: dict[str, bytes] = {}

    def body(self, name: str) -> bytes | None:
        """The JSON of the text with this digest."""
        if (place := self._places.get(name)) is None:
            return self._added.get(name)
        return self._bodies[place[0] : place[1]]

    def add(self, name: str, data: Any) -> None:
        if not self._added:
            atexit.register(self._write)
        self._added[name] = json.dumps(data, ensure_ascii=False).encode()

    def _write(self) -> None:
        bodies = {name: self._bodies[start:end] for name, (start, end) in self._places.items()}
        if len(self._bodies) > _MOST_BYTES:
            bodies = {}
        bodies |= self._added
        at, places = 0, {}
        for name, body in bodies.items():
            places[name] = at, at + len(body)
            at += len(body)
        cache_folder.keep(_NAME, json.dumps(places).encode() + b"\n" + b"".join(bodies.values()))


@cache
def _store() -> _Store:
    return _Store()
