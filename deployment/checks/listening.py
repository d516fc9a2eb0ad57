"""Two services of one machine never listen on one port, whichever keys put them there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from pydantic import BaseModel

from flowbridge.catalog.condition import Facts
from flowbridge.catalog.listener import Listener, listeners
from flowbridge.catalog.port_set import port_mask, port_ranges
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.interfaces import CORE, EDGE
from flowbridge.deployment.selection.parameters import Ranges


def listening_findings(
    site: Site, parameters: Mapping[str, Ranges], facts: Facts
) -> Iterator[Finding]:
    """A refusal for each two listeners of an Expressway that have a port in common.

    `parameters` are the ports that the deployment configures, `facts` what it says of itself.
    """
    machines = [name for name in (EDGE, CORE) if _is_there(site, name)]
    active = {
        name: (each, ports)
        for name, each in listeners().items()
        if each.when.holds(facts) and (ports := _ports(each, parameters))
    }
    for (first, (one, mine)), (second, (other, theirs)) in combinations(active.items(), 2):
        where = [name for name in machines if name in one.on and name in other.on]
        if not where or second in one.beside or first in other.beside:
            continue
        for protocol in sorted({*one.protocols} & {*other.protocols}):
            shared = port_mask(mine) & port_mask(theirs)
            if second in one.at_start_of:
                shared &= ~_start(mine, theirs)
            elif first in other.at_start_of:
                shared &= ~_start(theirs, mine)
            if shared:
                yield _refusal(site, (one, mine), (other, theirs), protocol, shared, where)
                break


def _is_there(site: Site, name: str) -> bool:
    described = site.expressway_e if name == EDGE else site.expressway_c
    return described is not None or name in site.systems


def _ports(listener: Listener, parameters: Mapping[str, Ranges]) -> Ranges:
    if listener.parameter is not None:
        return parameters.get(listener.parameter, ())
    return listener.ports


def _start(part: Ranges, whole: Ranges) -> int:
    """The ports of `part` where they are the first ones of `whole`; none where they lie inside."""
    mask, around = port_mask(part), port_mask(whole)
    first = (around & -around).bit_length() - 1
    count = mask.bit_count()
    return mask if mask == ((1 << count) - 1) << first else 0


def _refusal(
    site: Site,
    one: tuple[Listener, Ranges],
    other: tuple[Listener, Ranges],
    protocol: Protocol,
    shared: int,
    where: list[str],
) -> Finding:
    first, second = _said(one), _said(other)
    ports = ", ".join(map(str, port_ranges(shared)))
    keys = [each.key for each, _ in (one, other) if each.key]
    key = next((each for each in keys if _is_written(site, each)), keys[0] if keys else "options")
    change = " or ".join(dict.fromkeys(keys)) or "options"
    return Finding(
        id="deployment/two-listeners",
        severity=Severity.REFUSAL,
        message=f"{first} and {second} would both listen on {protocol.label} {ports} of "
        f"{' and '.join(where)}; move one of them: change {change}",
        source=f"rows {one[0].row}, {other[0].row}",
        key=key,
    )


def _said(listener: tuple[Listener, Ranges]) -> str:
    each, ports = listener
    return f"{each.what} ({', '.join(map(str, ports))})"


def _is_written(site: Site, key: str) -> bool:
    """Whether the file itself has this key, not only its default."""
    here: object = site
    for part in key.split("."):
        if isinstance(here, BaseModel):
            if part not in here.model_fields_set:
                return False
            here = getattr(here, part)
        elif isinstance(here, Mapping):
            if part not in here:
                return False
            here = here[part]
        else:
            return False
    return True
