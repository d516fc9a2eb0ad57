"""How often Python looks for cycles in what a command holds."""

from __future__ import annotations

import gc


def collect_seldom() -> None:
    """Little of ours has cycles: by default looking for them takes a tenth of every command
    (docs/benchmarks.md, "The collector"). It still happens, so that memory stays bounded."""
    gc.set_threshold(100_000, 50, 1000)
