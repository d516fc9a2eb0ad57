"""The goldens: what users keep of every example, and how it is renewed.

`python -m tests.golden.renew` (or `make golden`) writes them anew; the difference that git then
shows is what a reviewer reads. For each example there is its Terraform JSON without the engine's
own metadata, and the answers of the questions in `questions.yaml`, as text at 80 columns and as
JSON.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml
from click.testing import CliRunner

from flowbridge.cli import flowbridge
from flowbridge.stacks.pipeline import build, load

FOLDER: Final = Path(__file__).resolve().parent
REPOSITORY: Final = FOLDER.parents[1]
QUESTIONS: Final = yaml.safe_load((FOLDER / "questions.yaml").read_text("utf-8"))
EXAMPLES: Final = tuple(sorted((REPOSITORY / "examples").glob("*.yaml")))
_COLUMNS: Final = "80"
# A golden does not change with every version of code or data.
_VERSIONS: Final = re.compile(r'("(?:flowbridge|catalog)": )"\d+\.\d+\.\d+"')


def goldens() -> Iterator[tuple[str, str]]:
    """(path below this folder, content) of every golden, as the program answers now.

    The current folder has to be the repository: answers name files as they were asked for.
    """
    for name, words in QUESTIONS["catalog"].items():
        yield from answers(f"catalog/{name}", words)
    for example in EXAMPLES:
        yield from of_example(example)


def of_example(example: Path) -> Iterator[tuple[str, str]]:
    """The goldens of one example: its document and its answers."""
    file = example.relative_to(REPOSITORY)
    document = build(load(file)).document
    yield f"{example.stem}/cdk.tf.json", json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    for name, words in QUESTIONS["every"].items():
        yield from answers(f"{example.stem}/{name}", words.replace("FILE", str(file)))


def answers(name: str, words: str) -> Iterator[tuple[str, str]]:
    for answer_format, ending in (("text", "txt"), ("json", "json")):
        result = CliRunner(env={"COLUMNS": _COLUMNS, "NO_COLOR": "1"}).invoke(
            flowbridge, [*words.split(), "--format", answer_format]
        )
        code = result.exit_code
        if answer_format == "text":
            yield f"{name}.{ending}", f"$ flowbridge {words}\n{result.output}exit code {code}\n"
        else:
            yield f"{name}.{ending}", _VERSIONS.sub(r'\1"..."', result.stdout)


def renew() -> None:
    """Replace every golden by what the program answers now."""
    os.chdir(REPOSITORY)
    written = dict(goldens())
    for folder in {FOLDER / Path(name).parts[0] for name in written}:
        shutil.rmtree(folder, ignore_errors=True)
    for name, content in written.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")


if __name__ == "__main__":
    renew()
