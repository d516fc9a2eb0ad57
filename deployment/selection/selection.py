"""Which rows of the requested services apply to a deployment, and the flows of each.

Every row of a requested service gets an outcome and a reason in words; nothing is left out in
silence. Order never matters: neither that of the file's lists nor that of the services.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from flowbridge.catalog.condition import ALWAYS, Facts, Unmet
from flowbridge.catalog.load import Entry
from flowbridge.catalog.ports import ANY_PORT, EPHEMERAL, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.catalog.row import Disposition, PortAlternative, PortCell, Row
from flowbridge.deployment.finding import Severity
from flowbridge.deployment.flow import Flow
from flowbridge.deployment.interfaces import EDGE
from flowbridge.deployment.selection.ends import Cause, Pair, Unpaired, narrowed, pairs_of
from flowbridge.deployment.selection.facts import CARDS, UNSET
from flowbridge.deployment.selection.parameters import Ranges, ports_of
from flowbridge.deployment.selection.parties import Places
from flowbridge.deployment.selection.reflection import Reflection
from flowbridge.deployment.selection.resolution import Outcome


@dataclass(frozen=True, slots=True)
class Context:
    """What a row is judged against.

    `unmanaged`: flows between two ends that both run elsewhere are made, too.
    """

    facts: Facts
    parameters: Mapping[str, Ranges]
    places: Places
    reflection: Reflection
    unmanaged: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """A key that has to be in the deployment file for a row to become flows, and why."""

    key: str
    reason: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Choice:
    """The outcome for one row. `needs` are keys the deployment file lacks for it to work."""

    outcome: Outcome
    reason: str
    flows: tuple[Flow, ...] = ()
    needs: tuple[Need, ...] = ()


_IP_VERSIONS: Final = frozenset({4, 6})


def _never_opened(entry: Entry) -> Choice | None:
    """The fate of a row that opens nothing, whatever the deployment is; None for the others."""
    row = entry.row
    if entry.closed is not None:
        return Choice(Outcome.OFF if entry.closed.overlay else Outcome.OTHER, entry.closed.reason)
    if row.disposition is Disposition.LOCAL:
        return Choice(Outcome.LOCAL, "its packets never leave one host")
    if row.disposition is Disposition.REPLY:
        reason = (
            f"answers of row {row.reply_to}: what keeps state lets them back, and network ACLs are "
            "opened for them with that row"
        )
        return Choice(Outcome.REPLY, reason)
    return None


def choose(entry: Entry, context: Context) -> Choice:
    """What becomes of the row of `entry`, as printed or with its errata applied."""
    row = entry.row
    never = _never_opened(entry)
    if never is not None:
        return never
    unmet = (*entry.table.when.unmet(context.facts), *row.when.unmet(context.facts))
    if unmet:
        return _not_for_here(unmet)
    if not (row.source.parties and row.destination.parties and row.protocol.l4):
        return Choice(Outcome.UNPRINTED, f"the document prints no {_blank(row)} in this row")
    protocols = _protocols(row, context.facts)
    if isinstance(protocols, Choice):
        return protocols
    found = list(pairs_of(row, context.places, context.reflection, unmanaged=context.unmanaged))
    pairs = [pair for pair in found if isinstance(pair, Pair)]
    unpaired = [pair for pair in found if isinstance(pair, Unpaired)]
    needs = _needs(unpaired)
    reasons = "; ".join(sorted({part.reason for part in unpaired}))
    if not pairs:
        causes = {part.cause for part in unpaired}
        outcome = next(outcome for cause, outcome in _OUTCOMES.items() if cause in causes)
        return Choice(outcome, reasons, (), needs)
    source_ports = _source_ports(row, context)
    if isinstance(source_ports, Choice):
        return source_ports
    flows: tuple[Flow, ...] = ()
    refused: list[Choice] = []
    for own, cell in _by_protocol(row.destination_ports, protocols):
        destination_ports = _ports(cell, row, context)
        if isinstance(destination_ports, Choice):
            refused.append(destination_ports)
            continue
        flows += tuple(_flows(entry.id, row, pairs, own, source_ports, destination_ports))
    # A port that lacks its number is asked for; one that is switched off leaves the others.
    lacking = next((choice for choice in refused if choice.needs or not flows), None)
    if lacking is not None:
        return lacking
    if not flows:
        return Choice(Outcome.OTHER, _in_another_version(protocols, pairs), (), needs)
    return Choice(Outcome.CARRIED, reasons and f"in part: {reasons}", flows, needs)


def _by_protocol(
    cell: PortCell, protocols: tuple[Protocol, ...]
) -> Iterator[tuple[tuple[Protocol, ...], PortCell]]:
    """The parts of a cell of ports, each with the protocols it is for."""
    plain = tuple(part for part in cell.alternatives if not part.l4)
    if plain or not cell.alternatives:
        yield protocols, PortCell(printed=cell.printed, alternatives=plain)
    for l4 in dict.fromkeys(part.l4 for part in cell.alternatives if part.l4):
        alike = tuple(part for part in cell.alternatives if part.l4 == l4)
        yield l4, PortCell(printed=cell.printed, alternatives=alike)


def _in_another_version(protocols: Iterable[Protocol], pairs: Iterable[Pair]) -> str:
    """Of a row whose protocols do not exist in the IP version of its ends."""
    names = " and ".join(protocol.label for protocol in protocols)
    own = _named({version for protocol in protocols for version in protocol.ip_versions})
    shared = _named({network.version for pair in pairs for network in pair.source.addresses})
    return f"{names} is of {own}, and the ends of this row have {shared} in common"


def _named(versions: Iterable[int]) -> str:
    return " and ".join(f"IPv{version}" for version in sorted(versions))


def _protocols(row: Row, facts: Facts) -> tuple[Protocol, ...] | Choice:
    """The protocols that a row uses here, or why it uses none."""
    unmet: list[Unmet] = []
    used: list[Protocol] = []
    for protocol in row.protocol.l4:
        condition = row.protocol.when.get(protocol.label, ALWAYS)
        reasons = condition.unmet(facts)
        unmet.extend(reasons)
        if not reasons:
            used.append(protocol)
    return tuple(used) or _not_for_here(tuple(unmet))


def _flows(
    row_id: str,
    row: Row,
    pairs: Iterable[Pair],
    protocols: Iterable[Protocol],
    sources: Ranges,
    destinations: Ranges,
) -> Iterator[Flow]:
    for pair in pairs:
        for versions, translated in _by_translation(pair, sources):
            for protocol in protocols:
                ends = narrowed(pair, protocol.ip_versions & versions)
                if not all(end.addresses or end.sets for end in (ends.source, ends.destination)):
                    continue
                yield Flow(
                    ends.source,
                    ends.destination,
                    protocol,
                    sources,
                    destinations,
                    (row_id,),
                    management=row.management,
                    signalling=row.signalling,
                    translated_ports=translated,
                )


def _by_translation(pair: Pair, sources: Ranges) -> Iterator[tuple[frozenset[int], Ranges]]:
    """IP versions that share the fate of `sources` on the way, and what a NAT makes of them."""
    behind = pair.ports_translated
    arriving = _retranslated(sources)
    if not behind or arriving == sources:
        yield _IP_VERSIONS, ()
        return
    yield behind, arriving
    yield _IP_VERSIONS - behind, ()


def _retranslated(sources: Ranges) -> Ranges:
    """Source ports behind a NAT gateway, which takes any from 1024 on in the place of the host's.

    AWS NAT gateways, Azure NAT gateways and Cloud NAT all do.
    """
    return joined((*(span for span in sources if span.first < EPHEMERAL.first), EPHEMERAL))


def _needs(unpaired: Iterable[Unpaired]) -> tuple[Need, ...]:
    """The keys of what the file lacks; without an unknown public address no flow can be written."""
    needs = (
        Need(
            part.key,
            part.reason,
            Severity.REFUSAL if part.cause == "unknown-nat" else Severity.WARNING,
        )
        for part in unpaired
        if part.key
    )
    return tuple(dict.fromkeys(needs))


# The first that occurs decides: what the user can act on comes first.
_OUTCOMES: Final[Mapping[Cause, Outcome]] = {
    "unknown-nat": Outcome.ABSENT,
    "private-instead": Outcome.ABSENT,
    "absent": Outcome.ABSENT,
    "off": Outcome.OFF,
    "elsewhere": Outcome.ELSEWHERE,
    "local": Outcome.LOCAL,
}


def _source_ports(row: Row, context: Context) -> Ranges | Choice:
    """The ports that the source of a row sends from, as `options.source_ports` wants them."""
    printed = _ports(row.source_ports, row, context)
    wish = context.facts["option.source_ports"]
    if isinstance(printed, Choice) or not any(each.has_ports for each in row.protocol.l4):
        return printed
    if wish == "any":
        return (ANY_PORT,)
    believed = wish == "printed" or context.facts["option.errata"] == "printed"
    if row.doubtful_source_ports is None or believed:
        return printed
    return _retranslated(printed)


def _ports(cell: PortCell, row: Row, context: Context) -> Ranges | Choice:
    """The ports that a cell means here, or why it means none."""
    if not (cell.alternatives and any(each.has_numbers for each in row.protocol.l4)):
        return (ANY_PORT,)
    ranges: list[PortRange] = []
    unmet: list[Unmet] = []
    for alternative in cell.alternatives:
        if reasons := alternative.when.unmet(context.facts):
            unmet.extend(reasons)
            continue
        ports = ports_of(alternative, context.parameters)
        if ports is None:
            key = f"options.ports.{alternative.parameter}"
            reason = f"the document {_says(alternative)} ({cell.printed}): give your ports in {key}"
            return Choice(Outcome.ABSENT, reason, (), (Need(key, reason, Severity.REFUSAL),))
        ranges.extend(ports)
    return joined(ranges) if ranges else _not_for_here(tuple(unmet))


def _says(alternative: PortAlternative) -> str:
    return "prints an example only" if alternative.example else "names this port without a number"


def joined(ranges: Iterable[PortRange]) -> Ranges:
    """The ranges in order, each once; neighbours of the same parity-free kind joined."""
    out: list[PortRange] = []
    for span in sorted(set(ranges), key=lambda span: (span.first, span.last, span.parity or "")):
        last = out[-1] if out else None
        if last and last.parity is span.parity is None and span.first <= last.last + 1:
            out[-1] = PortRange(last.first, max(last.last, span.last))
        else:
            out.append(span)
    return tuple(out)


def _not_for_here(unmet: tuple[Unmet, ...]) -> Choice:
    """Off where only switches are in the way; else the row is for another kind of deployment."""
    switches = all(part.fact.startswith("option.") for part in unmet)
    words = "; ".join(dict.fromkeys(in_words(part) for part in unmet))
    return Choice(Outcome.OFF if switches else Outcome.OTHER, words)


def in_words(unmet: Unmet) -> str:
    """One fact in the way, as a reason: `options.sip_tcp is false; the row needs true`."""
    name = _key(unmet)
    ways = (" and ".join(f"{_key(u)} {u.wanted}" for u in way) for way in unmet.instead)
    instead = "".join(f" (or {way})" for way in ways)
    if unmet.fact == CARDS and unmet.actual == UNSET:
        return f"systems.{EDGE}.nics is not given; the row is for {unmet.wanted}{instead}"
    needs = "needs" if unmet.fact.startswith("option.") else "is for"
    return f"{name} is {unmet.actual}; the row {needs} {unmet.wanted}{instead}"


def wanted_in_words(unmet: Unmet) -> str:
    """What would have to be: `options.sip_tcp is true (or options.sip_tcp_inside is true)`."""
    ways = (" and ".join(f"{_key(u)} is {u.wanted}" for u in way) for way in unmet.instead)
    return f"{_key(unmet)} is {unmet.wanted}" + "".join(f" (or {way})" for way in ways)


def _key(unmet: Unmet) -> str:
    """The key of the deployment file that says the fact."""
    if unmet.fact == CARDS:
        return "nics"
    option = unmet.fact.removeprefix("option.")
    return unmet.fact if option == unmet.fact else f"options.{option}"


def _blank(row: Row) -> str:
    blank = {
        "source": not row.source.parties,
        "destination": not row.destination.parties,
        "protocol": not row.protocol.l4,
    }
    return " and no ".join(name for name, missing in blank.items() if missing)
