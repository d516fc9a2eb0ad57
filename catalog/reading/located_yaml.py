"""YAML read safely, with the line of every key.

Only plain data is built (no tags, no Python objects). A file is refused when it is larger than
`MAX_BYTES`, expands through aliases to more than `MAX_NODES` values, or repeats a key: each a
way to make a file mean something other than what its reader sees.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final, NoReturn

import yaml

from flowbridge.catalog.reading.recorded import record_read

MAX_BYTES: Final = 1_000_000
MAX_NODES: Final = 100_000
MAX_DEPTH: Final = 50
SAFE_DEPTH: Final = 5_000
# YAML 1.1 reads 0443 as octal and 1:30 as sexagesimal, which no reader of the file expects: text.
_NOT_DECIMAL: Final = re.compile(r"[-+]?(0[0-9_bx]|[0-9]+[_:])[0-9a-fA-F_:]*")

# What to do about two of the parser's own sentences.
_HINTS: Final = {
    "did not find expected key": "; indent this line like its neighbours",
    "mapping values are not allowed in this context": "; indent this line like its neighbours, or "
    "put a value that contains a colon and a space in quotes",
}

Scalar = str | int | float | bool | None
Data = Scalar | list["Data"] | dict[str, "Data"]
Location = tuple[str | int, ...]

# What YAML 1.1 takes in no place (its "c-printable", turned round).
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)

SAFE_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where, what, and what to write instead."""

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class BadFileError(Exception):
    """A file that cannot be used. `problems` is never empty; str() is fit for a user."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, kw_only=True)
class LocatedYaml:
    """The data of one file and the line (from 1) on which each key or list item starts."""

    file: str
    data: Data
    lines: dict[Location, int] = field(repr=False)
    #: Keys that do not stand in the file, and where they were set instead (`--set`).
    elsewhere: dict[Location, str] = field(default_factory=dict, repr=False)
    #: Keys that stand in another file, whose line `lines` has, and that file.
    files: dict[Location, str] = field(default_factory=dict, repr=False)
    #: Keys that take the place of another file's, and that place (`common.yaml:12`).
    covers: dict[Location, str] = field(default_factory=dict, repr=False)
    #: Files of which nothing is shown, and what is said instead.
    hidden: dict[str, str] = field(default_factory=dict, repr=False)
    #: Where keys of `data` stand in the file, where that is not where they stand in `data`.
    moved: Mapping[Location, Location] = field(default_factory=dict, repr=False)

    def in_file(self, location: Location) -> Location:
        """Where `location` of `data` stands in the file."""
        for end in range(len(location), 0, -1) if self.moved else ():
            if (place := self.moved.get(location[:end])) is not None:
                return (*place, *location[end:])
        return location

    def line_of(self, location: Location) -> int | None:
        """The line of `location`, or of the nearest enclosing key that is in the file."""
        return self.place_of(location)[1]

    def place_of(self, location: Location) -> tuple[str, int | None]:
        """The file and the line of `location`, or of the nearest enclosing key."""
        return self._line(self.in_file(location))

    def _line(self, location: Location) -> tuple[str, int | None]:
        """The same of a location in the file."""
        for end in range(len(location), -1, -1):
            if location[:end] in self.lines:
                here = location[:end]
                return self.files.get(here, self.file), self.lines[here]
        return self.file, None

    def problem(self, location: Location, message: str) -> Problem:
        """`message` at `location`, with its line and its key in dotted form."""
        location = self.in_file(location)
        for end in range(len(location), 0, -1):
            if (place := self.elsewhere.get(location[:end])) is not None:
                return Problem(place, None, dotted(location), message)
        file, line = self._line(location)
        if file in self.hidden:
            return Problem(file, None, "", self.hidden[file])
        if file != self.file:
            message += f" ({self.file} is read with this file)"
        for end in range(len(location), 0, -1):
            if (covered := self.covers.get(location[:end])) is not None:
                message += f" (this stands in the place of {covered})"
                break
        return Problem(file, line, dotted(location), message)


def dotted(location: Location) -> str:
    """`('expressway_e', 'peers', 0, 'public')` as `expressway_e.peers[0].public`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def read_yaml(path: Path) -> LocatedYaml:
    """Read `path`. Raises BadFileError, with the line, for all that is not plain YAML data."""
    return parse_yaml(read_text(path), str(path))


def read_text(path: Path, *, max_bytes: int = MAX_BYTES) -> str:
    """The text of a file. Raises BadFileError where there is none, or it is too large."""
    file = str(path)
    try:
        if path.is_dir():
            raise _refusal(file, "this is a folder; name a YAML file")
        if _waits(path):
            raise _refusal(file, "this is a pipe or a socket, which may never end; name a file")
        with path.open("rb") as stream:
            # Never more than that: a device or a pipe has no size, and may have no end.
            content = stream.read(max_bytes + 1)
        if len(content) > max_bytes:
            size = path.stat().st_size
            has = f"has {size:,} bytes" if size > max_bytes else "goes on"
            raise _refusal(
                file,
                f"the file {has}; at most {max_bytes:,} bytes are read. "
                "Check that this is the file you mean",
            )
        record_read(file, content)
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise _refusal(file, f"there is no such file; {_near(path)}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refusal(
            file, f"this is not UTF-8 text (byte {error.start}); save it as UTF-8", line
        ) from None
    except OSError as error:
        raise _refusal(file, f"the file cannot be read: {error.strerror}") from None


def _near(path: Path) -> str:
    """The file that was meant, where one beside it has nearly the name."""
    try:
        names = [each.name for each in path.parent.iterdir() if each.is_file()]
    except OSError:
        names = []
    near = get_close_matches(path.name, names, n=1, cutoff=0.8)
    return f"did you mean {path.with_name(near[0])}?" if near else "check the path"


def _waits(path: Path) -> bool:
    """Whether to open `path` may wait for ever; what a shell hands over (`<(...)`) has a writer."""
    mode = path.stat().st_mode
    handed = str(path).startswith(("/dev/fd/", "/dev/stdin", "/proc/self/fd/"))
    return (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) and not handed


def parse_yaml(text: str, file: str) -> LocatedYaml:
    """Parse `text`; `file` is the name used in messages. Raises BadFileError."""
    if (line := _too_deep(text)) is not None:
        raise _refusal(file, f"values are nested more than {MAX_DEPTH} deep", line)
    loader = SAFE_LOADER(text)
    builder = _Builder(loader, file)
    try:
        root = loader.get_single_node()
        data = None if root is None else builder.build(root, ())
    except yaml.MarkedYAMLError as error:
        said, mark = _instead(error, text)
        line = mark.line + 1 if mark else None
        raise _refusal(file, f"this is not YAML: {said}", line) from None
    except (yaml.YAMLError, RecursionError) as error:
        unprintable = _UNPRINTABLE.search(text)
        line = text.count("\n", 0, unprintable.start()) + 1 if unprintable else None
        raise _refusal(file, f"this is not YAML: {str(error).splitlines()[0]}", line) from None
    finally:
        loader.dispose()
    return LocatedYaml(file=file, data=data, lines=builder.lines)


def _instead(error: yaml.MarkedYAMLError, text: str) -> tuple[str, yaml.Mark | None]:
    """The parser's words, or better ones for what people run into, and where to change it."""
    said, within = str(error.problem or error.context), str(error.context)
    mark, begun = error.problem_mark, error.context_mark
    if "found another document" in said:
        return "a second document begins here (`---`); write one document a file", mark
    lines = text.splitlines()
    near = lines[max(mark.line - 1, 0) : mark.line + 1] if mark else []
    if any("\t" in line for line in near):
        return f"{said}: a tab stands here; indent with spaces", mark
    if any("\u00a0" in line for line in near):
        words = "a no-break space stands here or on the line above; write a plain space"
        return f"{said}: {words}", mark
    # The parser finds these out lines later.
    if "simple key" in within and "expected ':'" in said:
        words = "a word stands here alone; write `key: value`, or `- value` in a list"
        return words, begun or mark
    if "quoted scalar" in within and "end of stream" in said:
        return "a quote opens here and is not closed; close it", begun or mark
    if "flow" in within and begun:
        return f"{said}: close the bracket that opens on line {begun.line + 1}", mark
    return f"{said}{_HINTS.get(said, '')}", mark


def _too_deep(text: str) -> int | None:
    """The line on which values are nested deeper than MAX_DEPTH, where that is possible at all.

    The parser composes nested values on the machine's stack, which a hostile file can exhaust
    before anything of ours sees a value. Brackets and line lengths bound the depth, so that no
    ordinary file is read twice.
    """
    brackets = text.count("[") + text.count("{")
    if brackets + max(map(len, text.split("\n"))) <= SAFE_DEPTH:
        return None
    depth = 0
    try:
        for event in yaml.parse(text, Loader=SAFE_LOADER):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    mark = event.start_mark
                    return mark.line + 1 if mark else 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError:
        return None  # what is wrong is said by the reader that follows
    return None


class _Builder:
    """Plain data from YAML nodes, counting them and noting their lines."""

    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self.loader = loader
        self.file = file
        self.lines: dict[Location, int] = {}
        self.nodes = 0

    def build(self, node: yaml.Node, location: Location) -> Data:
        self.nodes += 1
        line: int = node.start_mark.line + 1
        if self.nodes > MAX_NODES:
            self.refuse(f"aliases expand to more than {MAX_NODES:,} values; write them out", line)
        if len(location) > MAX_DEPTH:
            self.refuse(f"values are nested more than {MAX_DEPTH} deep", line)
        self.lines.setdefault(location, line)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*location, i)) for i, item in enumerate(node.value)]
        return self.scalar(node, line)

    def mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Data]:
        mapping: dict[str, Data] = {}
        for key_node, value_node in node.value:
            line: int = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse("a key must be plain text", line)
            if key_node.tag == "tag:yaml.org,2002:merge":
                self.refuse("merge keys (<<) are not read; write the keys out", line)
            key = str(key_node.value)
            here = (*location, key)
            if key in mapping:
                self.refuse(
                    f"the key {dotted(here)!r} stands twice (first on line {self.lines[here]}); "
                    "keep one of them",
                    line,
                )
            self.lines[here] = line
            mapping[key] = self.build(value_node, here)
        return mapping

    def scalar(self, node: yaml.Node, line: int) -> Scalar:
        if node.tag == "tag:yaml.org,2002:str":  # most values: no need to ask the constructor
            return str(node.value)
        if node.tag == "tag:yaml.org,2002:int" and _NOT_DECIMAL.fullmatch(str(node.value)):
            return str(node.value)
        try:
            value = self.loader.construct_object(node)
        except Exception:  # PyYAML's constructors fail in every way there is
            kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
            self.refuse(
                f"{str(node.value)[:40]!r} cannot be read as {kind}; write plain text or a number",
                line,
            )
        if value is None or isinstance(value, str | int | float | bool):
            return value
        return str(node.value)  # dates and the like are text here

    def refuse(self, message: str, line: int) -> NoReturn:
        raise _refusal(self.file, message, line) from None


def _refusal(file: str, message: str, line: int | None = None) -> BadFileError:
    return BadFileError([Problem(file, line, "", message)])
