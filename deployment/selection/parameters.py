"""The ports that a deployment configures, by the catalog's parameter names.

A row prints the default (`36000-59999`); the parameter it names (`media`) says which setting of
the system moves it. What moves with what: the media range moves the first twelve media ports
(port guide, row expressway/3/12), the number of traversal zones counts up from 7001 and 6001
(rows 3/13 and 3/14), a Large system has six TURN ports from the configured first one (row 3/7).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flowbridge.catalog.ports import HIGHEST_PORT, Parity, PortRange
from flowbridge.catalog.row import PortAlternative
from flowbridge.deployment.file.options import Options
from flowbridge.deployment.file.site import Site, Size

TURN_PORTS_LARGE: Final = 6
MULTIPLEXED_PORTS_LARGE: Final = 12
FIRST_SIP_ZONE: Final = 7001
FIRST_H323_ZONE: Final = 6001

Ranges = tuple[PortRange, ...]


def parameters_of(site: Site) -> Mapping[str, Ranges]:
    """The value of each parameter that this deployment knows; the others keep what is printed."""
    options = site.options
    rtp, rtcp = _multiplexed(site)
    values: dict[str, Ranges] = {
        "media": (options.media_ports,),
        "multiplexed-rtp": (rtp,),
        "multiplexed-rtcp": (rtcp,),
        "multiplexed-media": (PortRange(rtp.first, rtcp.last),),
        "turn": (turn_ports(site),),
        "traversal-sip": (_counted(FIRST_SIP_ZONE, options.traversal_zones),),
        "traversal-h323": (_counted(FIRST_H323_ZONE, options.traversal_zones),),
        "admin-https": (_one(options.admin.https_port),),
        "admin-ssh": (_one(options.admin.ssh_port),),
    }
    values.update(options.ports)
    return values


def first_media_pair(options: Options) -> PortRange:
    """The first two ports of the media range: the other choice of a small or medium system."""
    return PortRange(options.media_ports.first, options.media_ports.first + 1)


def turn_ports(site: Site) -> PortRange:
    """TURN listening ports: one, or six on a Large system without TURN port multiplexing."""
    turn = site.options.turn
    if site.size is Size.LARGE and not turn.multiplexed and turn.port.first == turn.port.last:
        last = min(turn.port.first + TURN_PORTS_LARGE - 1, HIGHEST_PORT)
        return PortRange(turn.port.first, last)
    return turn.port


def _multiplexed(site: Site) -> tuple[PortRange, PortRange]:
    """RTP and RTCP ports of multiplexed media."""
    if site.size is Size.LARGE:
        first = site.options.media_ports.first
        last = first + MULTIPLEXED_PORTS_LARGE - 1
        return PortRange(first, last - 1, Parity.EVEN), PortRange(first + 1, last, Parity.ODD)
    pair = site.options.multiplexed_media
    return _one(pair.first), _one(pair.last)


def _counted(first: int, count: int) -> PortRange:
    return PortRange(first, first + count - 1)


def _one(port: int) -> PortRange:
    return PortRange(port, port)


def ports_of(alternative: PortAlternative, values: Mapping[str, Ranges]) -> Ranges | None:
    """The ports an alternative means here; None where only the deployment could say and does not.

    A parity that the row prints for all its ports is kept: `36000-59998 even` with media ports
    40000-49999 is `40000-49998 even`.
    """
    if alternative.parameter is None:
        return alternative.ports
    given = values.get(alternative.parameter)
    if given is None:
        return None if alternative.example else alternative.ports or None
    parities = {span.parity for span in alternative.ports}
    parity = parities.pop() if len(parities) == 1 else None
    return given if parity is None else tuple(_every_second(span, parity) for span in given)


def _every_second(span: PortRange, parity: Parity) -> PortRange:
    """The even or odd ports of `span`, between the first and the last there are."""
    wanted = 0 if parity is Parity.EVEN else 1
    first = span.first + (span.first % 2 != wanted)
    last = span.last - (span.last % 2 != wanted)
    return PortRange(first, max(first, last), parity)
