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
    low, text = _bits(mask)
    return tuple(PortRange(low + run.start(), low + run.end() - 1) for run in _RUN.finditer(text))


@lru_cache(maxsize=4096)
def port_ranges(mask: int) -> tuple[PortRange, ...]:
    """`mask` as few readable ranges, `36000-36010 even` instead of six single ports."""
    low, text = _bits(mask)
    return tuple(
        PortRange(
            low + found.start(),
            low + found.end() - 1,
            (Parity.ODD if (low + found.start()) % 2 else Parity.EVEN) if found[1] else None,
        )
        for found in _READABLE.finditer(text)
    )


def _bits(mask: int) -> tuple[int, str]:
    """The lowest port, and from there up one character a port: text is searched much faster than
    a large number."""
    low = max(0, (mask & -mask).bit_length() - 1)
    return low, f"{mask >> low:b}"[::-1]


_RUN: Final = re.compile("1+")
# Every second port, at least two of them and no neighbours; else a run.
_READABLE: Final = re.compile("1(?:(0(?:10)*1(?!1))|1*)")
