"""Where what has been worked out is kept from one start of the program to the next.

`FLOWBRIDGE_CACHE` names the folder, or is `off`; else it is `flowbridge` in the user's folder for
such files (`XDG_CACHE_HOME`, `LOCALAPPDATA` on Windows, `~/.cache`). Nothing that is kept decides
by its age or its name: each entry is found by the content that it was made from, and carries a
digest of its own, so that what is stale, cut off or changed is not found. A folder that cannot be
made, or that others may write to, is not used; nothing here ever fails.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

VARIABLE: Final = "FLOWBRIDGE_CACHE"
OFF: Final = "off"
# Every file begins with the digest of what follows.
_DIGEST: Final = hashlib.sha256().digest_size


def digest(content: bytes) -> str:
    """The name of what was made from `content`."""
    return hashlib.sha256(content).hexdigest()


def cache_folder() -> Path | None:
    """The folder, made where it is missing; None where nothing is to be kept."""
    named = os.environ.get(VARIABLE, "")
    if named == OFF:
        return None
    folder = Path(named) if named else _of_the_user()
    if folder is None:
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if _is_ours_alone(folder) else None
    except (OSError, ValueError):
        return None


def _of_the_user() -> Path | None:
    """None where the system knows no home for this user."""
    variable = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    if os.path.isabs(named := os.environ.get(variable, "")):  # noqa: PTH117 - may be no path at all
        return Path(named) / "flowbridge"
    with suppress(RuntimeError):
        return Path.home() / ".cache" / "flowbridge"
    return None


def _is_ours_alone(folder: Path) -> bool:
    """What another user could write here would be taken for our own."""
    if sys.platform == "win32":
        return True
    about = folder.stat()
    return about.st_uid == os.geteuid() and not about.st_mode & 0o022


def kept(name: str) -> bytes | None:
    """What is kept as `name`; None where there is nothing, or it is not whole."""
    folder = cache_folder()
    if folder is None:
        return None
    try:
        content = (folder / name).read_bytes()
    except (OSError, ValueError):
        return None
    body = content[_DIGEST:]
    return body if hashlib.sha256(body).digest() == content[:_DIGEST] else None


def keep(name: str, body: bytes) -> None:
    """Keep `body` as `name`: all of it or nothing, also where two programs do so at once."""
    folder = cache_folder()
    if folder is None:
        return
    with suppress(OSError, ValueError):
        handle, draft = tempfile.mkstemp(prefix=".draft-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(hashlib.sha256(body).digest() + body)
            Path(draft).replace(folder / name)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise


def prune(prefix: str, most: int) -> None:
    """Keep the newest three quarters of the entries whose names begin so, where there are more than
    `most`."""
    folder = cache_folder()
    if folder is None:
        return
    with suppress(OSError):
        entries = [entry for entry in os.scandir(folder) if entry.name.startswith(prefix)]
        if len(entries) > most:
            entries.sort(key=lambda entry: entry.stat().st_mtime)
            for entry in entries[: len(entries) - most * 3 // 4]:
                Path(entry.path).unlink(missing_ok=True)
