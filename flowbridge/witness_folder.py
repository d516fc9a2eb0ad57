"""The folder of witnesses: whole, and with nothing left over of an earlier one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NoReturn

from flowbridge.answer import Format, refuse

_INDEX = "index.json"


def write_folder(folder: Path, files: Mapping[str, str], index: str, form: Format) -> None:
    """Write `files` (by their paths in `folder`) and the index. A folder with something else in it
    is refused; the files of an earlier index go. Exit code 2 where nothing can be written."""
    try:
        for name in _earlier(folder, form):
            (folder / name).unlink(missing_ok=True)
        for name, text in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _INDEX).write_text(index, encoding="utf-8")
    except OSError as error:
        refuse(form, f"--witness {folder}: cannot be written: {error.strerror}")


def _earlier(folder: Path, form: Format) -> list[str]:
    if not folder.exists():
        return []
    if not folder.is_dir():
        refuse(form, f"--witness {folder}: is no folder; name one that is new or empty")
    if not any(folder.iterdir()):
        return []
    try:
        found = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        names = [str(name) for name in found["files"]]
    except (OSError, ValueError, KeyError, TypeError):
        _not_ours(folder, form)
    if any(
        PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in names
    ):
        _not_ours(folder, form)
    return names


def _not_ours(folder: Path, form: Format) -> NoReturn:
    refuse(form, f"--witness {folder}: holds something else; name a folder that is new or empty")
