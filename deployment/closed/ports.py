"""Ports that a carried row prints and the settings of this deployment leave closed, and why.

A row whose ports hang on the size (`3478-3483` on a large system), on a configured port (`5022`)
or on a count (7002 for the second traversal zone) opens some of what it prints and not the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import attrgetter, itemgetter
from typing import Final

from flowbridge.catalog.condition import Condition, Facts, Unmet
from flowbridge.catalog.port_set import port_mask, port_ranges
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.row import PortAlternative
from flowbridge.deployment.checks.names import OPTION_OF
from flowbridge.deployment.file.options import MOST_ZONES, Options
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.selection.parameters import Ranges
from flowbridge.deployment.selection.resolution import Outcome, Selected
from flowbridge.deployment.selection.selection import in_words

ZONES: Final = "options.traversal_zones"
PAIR: Final = "options.multiplexed_media"
MEDIA: Final = "options.media_ports"
PAIR_FACT: Final = "multiplexed_media"
SIZE_FACT: Final = "size"


@dataclass(frozen=True, slots=True)
class Unopened:
    """Ports of a row, and in words which settings keep them closed."""

    ports: Ranges
    outcome: Outcome
    reason: str


def unopened_ports(selected: Selected, site: Site, facts: Facts) -> Iterator[Unopened]:
    """What the destination cell of a carried row prints beyond what is open.

    Each port once, with the fewest settings that would have to be others.
    """
    known = port_mask(span for flow in selected.flows for span in flow.destination_ports)
    closed: list[tuple[int, Unopened]] = []
    for alternative in selected.row.destination_ports.alternatives:
        if words := in_the_way(alternative, site, facts):
            outcome = outcome_of(alternative.when.unmet(facts))
            found = Unopened(printed_ports(alternative), outcome, "; ".join(words))
            closed.append((len(words), found))
    for _, found in sorted(closed, key=itemgetter(0)):
        mine = port_mask(found.ports)
        if rest := port_ranges(mine & ~known):
            yield replace(found, ports=rest)
        known |= mine


def printed_ports(alternative: PortAlternative) -> Ranges:
    """The ports of an alternative, those that it counts up to among them."""
    if _option(alternative) != ZONES:
        return alternative.ports
    first = alternative.ports[0].first
    return (PortRange(first, first + MOST_ZONES - 1),)


def settings_for(when: Condition, site: Site, facts: Facts) -> tuple[str, ...]:
    """The settings that are not as `when` needs them, in words."""
    unmet = when.unmet(facts)
    # Another size chooses anew between the pair and the first media ports.
    resized = any(part.fact == SIZE_FACT for part in unmet)
    words = (_words(part, site) for part in unmet if not (resized and part.fact == PAIR_FACT))
    return tuple(dict.fromkeys(words))


def in_the_way(alternative: PortAlternative, site: Site, facts: Facts) -> tuple[str, ...]:
    """The settings that are not as the alternative needs them, or that move its ports."""
    words = list(settings_for(alternative.when, site, facts))
    option = _option(alternative)
    if option == ZONES:
        words.append(f"{ZONES} is {site.options.traversal_zones}; each zone has the next port")
    elif option is not None and (moved := _moved(option, site)):
        words.append(f"{moved}; the row prints {_shown(alternative.ports)}")
    return tuple(dict.fromkeys(words))


def _option(alternative: PortAlternative) -> str | None:
    """The key of the setting that moves the ports of this alternative."""
    name = alternative.parameter
    if name is None:
        return None
    option = OPTION_OF.get(name, f"options.ports.{name}")
    # The first ports of the media range move with it; only a pair of its own is a setting.
    first_of_media = any(span.first in Options().media_ports for span in alternative.ports)
    return MEDIA if option == PAIR and first_of_media else option


def _moved(option: str, site: Site) -> str:
    """`options.turn.port is 4478`, where that is not the printed default."""
    path = option.removeprefix("options.")
    if path.startswith("ports."):
        given = site.options.ports.get(path.removeprefix("ports."))
        return f"{option} is {_shown(given)}" if given else ""
    value = attrgetter(path)(site.options)
    return f"{option} is {value}" if value != attrgetter(path)(Options()) else ""


def _words(unmet: Unmet, site: Site) -> str:
    if unmet.fact == PAIR_FACT:
        return f"{PAIR} is {site.options.multiplexed_media}"
    return in_words(unmet)


def outcome_of(unmet: tuple[Unmet, ...]) -> Outcome:
    """Off where options alone decide; else it is for another kind of deployment."""
    options = all(part.fact == PAIR_FACT or part.fact.startswith("option.") for part in unmet)
    return Outcome.OFF if options else Outcome.OTHER


def _shown(ports: Ranges) -> str:
    return ", ".join(map(str, ports))
