"""Writes the schemas of the answers and their page: `python -m flowbridge.answers.publish`.

The current folder has to be the repository: `schemas/answers/*.schema.json` and `docs/answers.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flowbridge.answers.contract import CONTRACTS, answer_schema_text
from flowbridge.answers.page import answers_page

SCHEMAS: Final = Path("schemas/answers")


def published() -> Iterator[tuple[Path, str]]:
    """Every file and its text."""
    for name in CONTRACTS:
        yield SCHEMAS / f"{name}.schema.json", answer_schema_text(name)
    yield Path("docs/answers.md"), answers_page()


def publish() -> None:
    """Write them; a schema of no answer goes."""
    files = dict(published())
    SCHEMAS.mkdir(parents=True, exist_ok=True)
    for path in {*SCHEMAS.glob("*.schema.json")} - {*files}:
        path.unlink()
    for path, text in files.items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    publish()
