"""What users keep is what a reviewer has seen: answers, names, priorities, descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.golden.renew import EXAMPLES, FOLDER, QUESTIONS, REPOSITORY, answers, of_example

ADVICE = "run `make golden` and read the difference; a changed name makes users' resources anew"


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


def differing(answered: Iterator[tuple[str, str]]) -> list[str]:
    def kept(name: str) -> str:
        path = FOLDER / name
        return path.read_text("utf-8") if path.is_file() else ""

    return [name for name, content in answered if kept(name) != content]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_exampleanswers_as_before(example: Path) -> None:
    assert not differing(of_example(example)), ADVICE


@pytest.mark.parametrize("name", sorted(QUESTIONS["catalog"]))
def test_the_cataloganswers_as_before(name: str) -> None:
    assert not differing(answers(f"catalog/{name}", QUESTIONS["catalog"][name])), ADVICE


def test_every_golden_belongs_to_an_example_or_a_question() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders == {example.stem for example in EXAMPLES} | {"catalog"}
