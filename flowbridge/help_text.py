"""Examples at the end of a command's `--help`, each on a line of its own."""

from __future__ import annotations


def examples(*lines: str) -> str:
    """The epilog of a command. `\\b` keeps click from joining the lines."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
