"""How the command was called, so that what it prints can be copied into the same shell."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path


def own_command() -> str:
    """`flowbridge` where the shell finds it, else the path or module by which it was started."""
    started = Path(sys.argv[0])
    if started.name in ("__main__.py", "-m", "-c"):
        return f"{shlex.quote(_short(Path(sys.executable)))} -m flowbridge"
    found = shutil.which(started.name)
    if found is None or not _same(Path(found), started):
        return shlex.quote(_short(started))
    return started.name


def file_argument(path: Path) -> str:
    """`path` as a shell and the command take it for a file."""
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _short(path: Path) -> str:
    """Relative to the current folder where that is below it; never through its links."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() leaves a venv by its link
    here = Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)
