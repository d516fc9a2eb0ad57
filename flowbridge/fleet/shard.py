"""Shares of many deployments, judged on machines of their own, and their answers put together.

    flowbridge check sites/ --shard 1/4 > 1.json        # and 2/4, 3/4, 4/4 elsewhere
    flowbridge merge 1.json 2.json 3.json 4.json        # what `flowbridge check sites/` says

An answer holds what every file says by itself. What is said of several together is found when they
are merged, where the files have to be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.reading import cache_folder
from flowbridge.fleet.parts import Part, program_digest

_SHARD: Final = re.compile(r"([1-9]\d{0,4})/([1-9]\d{0,4})")


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """The `number`-th of `count` shares, from 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`2/4`. ValueError for anything else."""
        match = _SHARD.fullmatch(text)
        if match is None or int(match[1]) > int(match[2]):
            raise ValueError("write I/N, such as 2/4: the second of four shares")
        return cls(int(match[1]), int(match[2]))

    def of(self, files: Sequence[Path]) -> tuple[Path, ...]:
        """Its share: every `count`-th file."""
        return tuple(files[self.number - 1 :: self.count])

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardAnswer:
    """`files` are all of the run; `parts` those of this shard, and `contents` the digests of their
    files. `program` and `day` say by what and when it was made."""

    shard: Shard
    files: tuple[str, ...]
    parts: tuple[Part, ...]
    contents: Mapping[str, str]
    program: str = ""
    day: str = ""

    @classmethod
    def from_plain(cls, data: Any) -> ShardAnswer:
        """ValueError for what `flowbridge check --shard` has not written."""
        if not isinstance(data, Mapping) or "shard" not in data or "parts" not in data:
            raise ValueError("this is no answer of `flowbridge check --shard I/N`")
        try:
            return cls(
                shard=Shard.parse(data["shard"]),
                files=tuple(data["files"]),
                parts=tuple(map(Part.from_plain, data["parts"])),
                contents=dict(data["contents"]),
                program=data["program"],
                day=data["day"],
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this answer of a shard is not whole ({error})") from None

    def as_plain(self) -> dict[str, Any]:
        from flowbridge.deployment.checks.accepted import today

        return {
            "shard": str(self.shard),
            "files": list(self.files),
            "parts": [part.as_plain() for part in self.parts],
            "contents": dict(self.contents),
            "program": self.program or program_digest(),
            "day": self.day or str(today()),
        }


def together_of(answers: Sequence[ShardAnswer]) -> tuple[tuple[str, ...], Mapping[str, Part]]:
    """All files of a run, and the part of each. ValueError where the answers are not of one run of
    this program, or a share is missing or there twice."""
    from flowbridge.deployment.checks.accepted import today

    first = answers[0]
    for each in answers:
        if each.files != first.files or each.shard.count != first.shard.count:
            raise ValueError(f"shard {each.shard} is of other files than shard {first.shard}")
        if each.program != program_digest():
            raise ValueError(
                f"shard {each.shard} was judged by another version of the program; use one for all"
            )
        if each.day != str(today()):
            raise ValueError(f"shard {each.shard} was judged on {each.day}; judge it again")
    for name, content in (item for each in answers for item in each.contents.items()):
        if content_of(name) != content:
            raise ValueError(f"{name} is not here, or not as it was when its shard was judged")
    there = sorted(each.shard.number for each in answers)
    if there != list(range(1, first.shard.count + 1)):
        due = ", ".join(str(Shard(n, first.shard.count)) for n in range(1, first.shard.count + 1))
        raise ValueError(f"the shards {due} are needed, each once; there are {there}")
    by_file = {name: part for each in answers for part in each.parts for name in part.files}
    if missing := [name for name in first.files if name not in by_file]:
        raise ValueError(f"no shard has {missing[0]}")
    return first.files, by_file


def content_of(file: str) -> str:
    """The digest of a file; nothing where it cannot be read, and is told of elsewhere."""
    try:
        return cache_folder.digest(Path(file).read_bytes())
    except (OSError, ValueError):
        return ""
