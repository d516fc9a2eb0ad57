"""What users keep is what a reviewer has seen: answers, names, priorities, descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.golden.renew import EXAMPLES, FOLDER, QUESTIONS, REPOSITORY, _answers, of_example

ADVICE = "run `make golden` and read the difference; a changed name makes users' resources anew"


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


def differing(answers: Iterator[tuple[str, str]]) -> list[str]:
    def kept(name: str) -> str:
        path = FOLDER / name
        return path.read_text("utf-8") if path.is_file() else ""

    return [name for name, content in answers if kept(name) != content]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_answers_as_before(example: Path) -> None:
    assert not differing(of_example(example)), ADVICE


@pytest.mark.parametrize("name", sorted(QUESTIONS["catalog"]))
def test_the_catalog_answers_as_before(name: str) -> None:
    assert not differing(_answers(f"catalog/{name}", QUESTIONS["catalog"][name])), ADVICE


def test_every_golden_belongs_to_an_example_or_a_question() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert folders == {example.stem for example in EXAMPLES} | {"catalog"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_a_user_applied_is_pinned(example: Path) -> None:
    """The upgrade law rests on these: every resource's address, and each rule's words and order."""
    document: dict[str, Any] = json.loads(
        (FOLDER / example.stem / "cdk.tf.json").read_text("utf-8")
    )
    resources = [
        (kind, name, block)
        for kind, named in document["resource"].items()
        for name, block in named.items()
    ]
    assert len(resources) > 10
    rules = [block for kind, _, block in resources if "rule" in kind or "firewall" in kind]
    described = [block for block in rules if "/" in str(block.get("description", block))]
    assert described
