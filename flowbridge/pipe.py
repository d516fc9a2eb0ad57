"""A reader of stdout that goes away (`flowbridge rules FILE | head`) changes no answer.

Python raises BrokenPipeError at some later write, and the command would end there with an exit
code that says nothing of the deployment. What nobody reads is dropped instead.
"""

from __future__ import annotations

import io
import sys

from flowbridge.legible import Legible


class _Pipe(io.FileIO):
    """A file descriptor that swallows what is written to it once nobody reads it.

    Any other failure is raised once; the rest of the buffer then follows into nothing, so that the
    interpreter has nothing to complain of when it ends.
    """

    left = False

    def write(self, data: object, /) -> int:
        if not self.left:
            try:
                return super().write(data) or 0  # type: ignore[arg-type]
            except BrokenPipeError:
                self.left = True
            except OSError:
                self.left = True
                raise
        return memoryview(data).nbytes  # type: ignore[arg-type]


def tolerate_a_reader_that_leaves() -> None:
    """Make stdout such a pipe, where it is one of the process's own, and both streams legible."""
    stream = sys.stdout
    if hasattr(sys.stderr, "buffer"):
        sys.stderr = Legible(
            sys.stderr.buffer, sys.stderr.encoding, sys.stderr.errors, line_buffering=True
        )
    try:
        raw = _Pipe(stream.fileno(), "wb", closefd=False)
    except (AttributeError, OSError, ValueError):
        return  # closed, or not a file at all
    sys.stdout = Legible(
        io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=raw.isatty(),
    )


def reader_left() -> bool:
    """Whether nobody reads stdout any more."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return isinstance(raw, _Pipe) and raw.left
