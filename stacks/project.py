"""What `cdktf.json` says of this project: its context keys and where the output goes.

The command line of the engine hands the same file over in `CDKTF_CONTEXT_JSON` and
`CDKTF_OUTDIR`; a plain `python main.py` has neither, so both ways lead through here.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flowbridge.catalog.reading.located_yaml import BadFileError, Problem

PROJECT_FILE: Final = "cdktf.json"
ENGINES: Final = ("cdktf", "cdktn")
ENGINE_VARIABLE: Final = "FLOWBRIDGE_ENGINE"


@dataclass(frozen=True, slots=True)
class Project:
    """The project's folder, its context and the folder that synthesis writes to."""

    root: Path
    outdir: Path
    context: dict[str, Any] = field(default_factory=dict)

    @property
    def engine(self) -> str:
        """`cdktf` or `cdktn`. BadFileError names the setting that holds anything else."""
        name, place, key = os.environ.get(ENGINE_VARIABLE), ENGINE_VARIABLE, ""
        if not name:
            name, place, key = self.context.get("engine", "cdktf"), PROJECT_FILE, "context.engine"
        if name not in ENGINES:
            message = f"{name!r} is not an engine; write {' or '.join(ENGINES)}"
            raise BadFileError([Problem(place, None, key, message)])
        return str(name)


def read_project(root: Path) -> Project:
    """Read `cdktf.json` in `root`. The engine's own variables win over the file.

    BadFileError where the file or a variable is not a JSON object.
    """
    file = root / PROJECT_FILE
    settings = _json_object(_text(file), PROJECT_FILE) if file.is_file() else {}
    context = settings.get("context") or {}
    if not isinstance(context, dict):
        raise _refusal("context", "write a JSON object: { ... }")
    handed = os.environ.get("CDKTF_CONTEXT_JSON")
    if handed:
        context = context | _json_object(handed, "CDKTF_CONTEXT_JSON")
    outdir = os.environ.get("CDKTF_OUTDIR") or settings.get("output") or "cdktf.out"
    if not isinstance(outdir, str):
        raise _refusal("output", f"{outdir!r} is no folder; write its path, such as cdktf.out")
    if "\0" in outdir:
        raise _refusal("output", f"{outdir!r} is no path: it holds a NUL")
    return Project(root, root / outdir, context)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise _refusal("", "this is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise _refusal("", f"the file cannot be read: {error.strerror}") from None


def _refusal(key: str, message: str) -> BadFileError:
    return BadFileError([Problem(PROJECT_FILE, None, key, message)])


def _json_object(text: str, name: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadFileError([Problem(name, error.lineno, "", f"not JSON: {error.msg}")]) from None
    except RecursionError:
        raise BadFileError([Problem(name, None, "", "values are nested too deep")]) from None
    if not isinstance(data, dict):
        raise BadFileError([Problem(name, 1, "", "write a JSON object: { ... }")])
    return data
