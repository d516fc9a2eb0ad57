"""Port settings that Expressway itself would refuse, by size and platform.

Sources are rows of the port guide's table 3 and the footnotes of tables 4 to 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowbridge.catalog.ports import HIGHEST_PORT, PortRange
from flowbridge.catalog.reading.located_yaml import Location
from flowbridge.deployment.file.site import Site, Size
from flowbridge.deployment.mistake import Mistake
from flowbridge.deployment.selection.parameters import MULTIPLEXED_PORTS_LARGE, TURN_PORTS_LARGE

MEDIA: Final = PortRange(36000, 59999)
OLD_PAIR: Final = PortRange(2776, 2777)
LOWEST_FREE: Final = 1024
MEDIA_RULE: Final = "guide/media-range"
PAIR_RULE: Final = "guide/multiplexed-pair"


def port_mistakes(site: Site) -> Iterator[Mistake]:
    """Media range, multiplexed pair, TURN and SSH ports that cannot be configured."""
    yield from _media(site)
    yield from _multiplexed(site)
    yield from _turn(site)
    if site.platform == "appliance" and site.options.admin.ssh_port != 22:
        yield Mistake(
            ("options", "admin", "ssh_port"),
            "an appliance has SSH on port 22; only virtual machines can have 5022 "
            "(port guide, footnote 1 of table 4)",
            "guide/ssh-port-of-appliances",
        )


def _media(site: Site) -> Iterator[Mistake]:
    here: Location = ("options", "media_ports")
    media = site.options.media_ports
    needed = MULTIPLEXED_PORTS_LARGE if site.size is Size.LARGE else 2
    if media.parity is not None:
        yield Mistake(here, f"write the whole range, without {media.parity}", MEDIA_RULE)
    elif media.first < MEDIA.first or media.last > MEDIA.last:
        yield Mistake(
            here,
            f"{media} is not inside {MEDIA}; write a range such as 37000-38199 "
            "(port guide, table 3: 35000-36200 is not allowed)",
            MEDIA_RULE,
        )
    elif media.first % 2 or not media.last % 2:
        first, last = media.first + media.first % 2, media.last - (1 - media.last % 2)
        instead = f"write {first}-{last}" if first < last else "write a range such as 37000-38199"
        yield Mistake(
            here,
            f"{media} does not start on an even and end on an odd port, and RTP and RTCP take "
            f"ports in pairs; {instead}",
            MEDIA_RULE,
        )
    elif media.last - media.first + 1 < needed:
        yield Mistake(
            here,
            f"{media} is too small: a {site.size} system multiplexes media on the first {needed} "
            f"ports of the range; write at least {media.first}-{media.first + needed - 1}",
            MEDIA_RULE,
        )


def _multiplexed(site: Site) -> Iterator[Mistake]:
    here: Location = ("options", "multiplexed_media")
    pair = site.options.multiplexed_media
    if site.size is Size.LARGE:
        first = site.options.media_ports.first
        own = PortRange(first, first + MULTIPLEXED_PORTS_LARGE - 1)
        if pair not in (OLD_PAIR, own):
            yield Mistake(
                here,
                f"a large system multiplexes media on the first {MULTIPLEXED_PORTS_LARGE} media "
                f"ports ({own} here), which cannot be configured; leave this key out",
                "guide/multiplexed-ports-large",
            )
    elif pair.parity is not None or pair.last != pair.first + 1 or pair.first % 2:
        yield Mistake(
            here,
            f"{pair} is not a pair: write two neighbouring ports, the even one first, such as "
            f"{OLD_PAIR} or {site.options.media_ports.first}-{site.options.media_ports.first + 1}",
            PAIR_RULE,
        )
    elif pair.first < LOWEST_FREE:
        message = f"{pair} is below {LOWEST_FREE}; write a pair from {LOWEST_FREE} on"
        yield Mistake(here, message, PAIR_RULE)


def _turn(site: Site) -> Iterator[Mistake]:
    here: Location = ("options", "turn", "port")
    turn = site.options.turn
    count = turn.port.last - turn.port.first + 1
    six = site.size is Size.LARGE and not turn.multiplexed
    rule = "guide/turn-ports-large" if site.size is Size.LARGE else "guide/turn-port"
    if turn.port.parity is not None or count not in ((1, TURN_PORTS_LARGE) if six else (1,)):
        if six:
            first, last = turn.port.first, turn.port.first + TURN_PORTS_LARGE - 1
            instead = f"six ports on a large system; write {first} (or {first}-{last})"
        else:
            instead = f"one port here; write {turn.port.first}"
        yield Mistake(here, f"{turn.port} does not fit: TURN listens on {instead}", rule)
    elif turn.port.first < LOWEST_FREE and (six or turn.port.first != 443):
        allowed = "a port from 1024 on" if six else "443 or a port from 1024 on"
        yield Mistake(here, f"{turn.port.first} cannot be the TURN port; write {allowed}", rule)
    elif six and turn.port.first + TURN_PORTS_LARGE - 1 > HIGHEST_PORT:
        last = HIGHEST_PORT - TURN_PORTS_LARGE + 1
        message = f"TURN takes six ports from this one on; write a port up to {last}"
        yield Mistake(here, message, rule)
