"""Files that a command writes: whole or not there, never through a link."""

from __future__ import annotations

import sys
from pathlib import Path

from flowbridge.answer import Format, refuse


def write_whole(target: Path, content: str | bytes, answer_format: Format) -> None:
    """Put `content` into `target`, or on stdout for `-`. Exit code 2 where it cannot be written."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    if str(target) == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    if not target.name:
        refuse(answer_format, "-o names no file")
    try:
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)  # never through a link that lies there
        with part.open("xb") as draft:
            draft.write(data)
        part.replace(target)
    except OSError as error:
        refuse(answer_format, f"{target} cannot be written: {error.strerror}")
    sys.stderr.write(f"Wrote {target}.\n")
