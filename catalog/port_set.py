"""Sets of ports as bit masks: bit N of an integer is port N, so parity costs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from flowbridge.catalog.ports import HIGHEST_PORT, Parity, PortRange

PORTS: Final = HIGHEST_PORT + 1
ALL_PORTS: Final = (1 << PORTS) - 1
EVEN_PORTS: Final = ALL_PORTS // 3  # ...0101: bit 0, 2, 4, ...


def port_mask(ports: Iterable[PortRange]) -> int:
    """The bit mask of all the ports in `ports`."""
    mask = 0
    for span in ports:
        bits = ((1 << (span.last - span.first + 1)) - 1) << span.first
        if span.parity is not None:
            bits &= EVEN_PORTS if span.parity is Parity.EVEN else EVEN_PORTS << 1
        mask |= bits
    return mask


@lru_cache(maxsize=4096)
def port_runs(mask: int) -> tuple[PortRange, ...]:
    """The maximal runs of neighbouring ports in `mask`, in rising order."""
    return tuple(PortRange(run.start(), run.end() - 1) for run in _RUN.finditer(_bits(mask)))


@lru_cache(maxsize=4096)
def port_ranges(mask: int) -> tuple[PortRange, ...]:
    """`mask` as few readable ranges, `36000-36010 even` instead of six single ports."""
    return tuple(
        PortRange(
            found.start(),
            found.end() - 1,
            (Parity.ODD if found.start() % 2 else Parity.EVEN) if found[1] else None,
        )
        for found in _READABLE.finditer(_bits(mask))
    )


def _bits(mask: int) -> str:
    """One character a port, from port 0 up: text is searched much faster than a large number."""
    return f"{mask:b}"[::-1]


_RUN: Final = re.compile("1+")
# Every second port, at least two of them and no neighbours; else a run.
_READABLE: Final = re.compile("(10(?:10)*1(?!1))|1+")
