"""Pages as their reader follows them: files are written, commands run, answers compared.

A fence `yaml title="NAME"` is a file. Each line of a fence `sh` is run; `# exit code 1` behind it
says how it ends where that is not 0. A fence `text` behind it is what they say, line by line in
that order, where a line `...` stands for others and ` ...` for the rest of one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from flowbridge.cli import flowbridge

ROOT: Final = Path(__file__).parents[1]
_FENCE: Final = re.compile(
    r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
_ENDS: Final = re.compile(r"\s+#\s*(?:.*exit code (?P<code>\d))?.*$")


@dataclass(frozen=True)
class Fence:
    """A block of code of a page."""

    language: str
    title: str | None
    text: str


def fences(page: str) -> Iterator[Fence]:
    """The blocks of a page, by its path in the repository."""
    for language, title, text in _FENCE.findall((ROOT / page).read_text("utf-8")):
        yield Fence(language, title or None, text)


@dataclass
class Reader:
    """Somebody who does what a page says, in the folder where this process stands.

    `programs` are what other programs than flowbridge do; a command of one that is not there is a
    fault of the page. `extra` are words that a command needs here, by its name. `ids` stand in the
    place of the example's.
    """

    programs: Mapping[str, Callable[[list[str]], None]]
    extra: Mapping[str, tuple[str, ...]]
    ids: Mapping[str, str]

    def follow(self, page: str) -> list[str]:
        """Everything that was run."""
        said, ran = "", []
        for fence in fences(page):
            if fence.title is not None:
                Path(fence.title).write_text(self._own(fence.text), "utf-8")
            elif fence.language == "sh":
                said = ""
                for line in fence.text.replace("\\\n", " ").splitlines():
                    if line and not line.startswith("#"):
                        said += self._run(line)
                        ran.append(line)
            elif fence.language == "text":
                self._compare(page, fence.text, said)
        return ran

    def _run(self, line: str) -> str:
        ends = _ENDS.search(line)
        code = int(ends["code"] or 0) if ends else 0
        program, *words = shlex.split(line[: ends.start()] if ends else line)
        if program != "flowbridge":
            self.programs[program](words)
            return ""
        for name in list(self.ids):
            for file in Path().glob("*.yaml"):
                file.write_text(file.read_text("utf-8").replace(name, self.ids[name]), "utf-8")
        result = CliRunner().invoke(flowbridge, [*words, *self.extra.get(words[0], ())])
        assert result.exit_code == code, f"{line}\n{result.output}"
        return result.stdout

    def _own(self, text: str) -> str:
        for name, own in self.ids.items():
            text = text.replace(name, own)
        return text

    def _compare(self, page: str, told: str, said: str) -> None:
        """Each line stands in what was said, in its order."""
        lines = iter(" ".join(self._own(line).split()) for line in said.splitlines())
        for line in told.splitlines():
            if line.strip() == "...":
                continue
            start, dots, _ = " ".join(self._own(line).split()).partition(" ...")
            found = any(each.startswith(start) if dots else each == start for each in lines)
            assert found, f"{page} says “{line}”, and nobody says it there:\n{said}"
