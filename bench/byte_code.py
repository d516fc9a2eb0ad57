"""Programs that are measured run from compiled byte code, as any program does after its first run.

What is installed from an index comes compiled; ours is compiled when it first runs, unless the
environment forbids to keep it.
"""

from __future__ import annotations

import os


def environment() -> dict[str, str]:
    """This process's environment, in which byte code is kept."""
    return {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
