"""A firewall's configuration with its proof: what is written is read back and compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from flowbridge.deployment.file.firewalls import FirewallOnTheWay
from flowbridge.deployment.file.site import Site
from flowbridge.deployment.flow import Flow
from flowbridge.policy.crossing.crossing import Crossing, crossings_of
from flowbridge.policy.crossing.path_set import PathPacket, PathRule, PathSet
from flowbridge.policy.crossing.plan import Term, planned, terms_of
from flowbridge.policy.crossing.zones import zones_of
from flowbridge.providers.firewalls.kinds import Kind, kinds
from flowbridge.providers.firewalls.meaning.rule import Place


@dataclass(frozen=True, slots=True)
class Refused:
    """A flow that this kind has no rule for."""

    term: Term
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What one firewall has to let through.

    `terms` are in the order of the rules. `excess` is what passes and no flow asks for, because
    the kind cannot say less. `missing` and `unexplained` have to be empty. `untold` and
    `elsewhere` as in `Crossings`.
    """

    name: str
    firewall: FirewallOnTheWay
    kind: Kind
    text: str
    terms: tuple[Term, ...]
    refused: tuple[Refused, ...]
    untold: tuple[str, ...]
    elsewhere: tuple[str, ...]
    excess: Mapping[Place, PathSet]
    missing: Mapping[Place, PathSet]
    unexplained: Mapping[Place, PathSet]

    @property
    def file_name(self) -> str:
        return f"{self.name}.{self.kind.suffix}"

    @property
    def holds(self) -> bool:
        """Whether exactly what can be said is said, and nothing had to be left out or open."""
        return not (self.missing or self.unexplained or self.refused or self.untold)


def configure(site: Site, name: str, flows: Iterable[Flow]) -> Configuration:
    """The configuration of the firewall `name`. Needs a validated site.

    ValueError where it cannot be written (an extra is missing) or read back.
    """
    firewall = site.firewalls[name]
    kind = kinds()[firewall.kind]
    found = crossings_of(flows, firewall, zones_of(site, firewall))
    placed = [
        replace(each, from_zone=place[0], to_zone=place[1])
        for each in found.found
        for place in kind.places_of(firewall, each.from_zone, each.to_zone)
    ]
    wanted = terms_of(placed, met=kind.met)
    refused = tuple(
        Refused(term, why) for term in wanted if (why := kind.cannot(term)) and term.allow
    )
    terms = _each_once(kind.widened(term) for term in wanted if kind.cannot(term) is None)
    text = kind.emit(name, firewall, terms) if terms else ""
    read = kind.read(text, firewall) if text else {}
    asked, meant = _asked(placed, kind), planned(terms)
    enforced = {place: PathSet.allowed(rules) for place, rules in read.items()}
    left_out = planned([each.term for each in refused])
    places = sorted(asked.keys() | meant.keys() | enforced.keys())

    def differences(
        some: Mapping[Place, PathSet], others: Mapping[Place, PathSet]
    ) -> dict[Place, PathSet]:
        found = {p: some.get(p, PathSet()) - others.get(p, PathSet()) for p in places}
        return {place: packets for place, packets in found.items() if packets}

    missing = differences(differences(asked, enforced), left_out)
    return Configuration(
        name=name,
        firewall=firewall,
        kind=kind,
        text=text,
        terms=terms,
        refused=refused,
        untold=found.untold,
        elsewhere=found.elsewhere,
        excess=differences(meant, asked),
        missing=missing,
        unexplained=differences(enforced, meant),
    )


def _each_once(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Terms that widening made alike as one, at the place of the first, with the rows of all."""
    rows: dict[Term, set[str]] = {}
    for term in terms:
        rows.setdefault(replace(term, rows=()), set()).update(term.rows)
    return tuple(replace(term, rows=tuple(sorted(mine))) for term, mine in rows.items())


def judged(configuration: Configuration, text: str) -> tuple[PathPacket | None, PathPacket | None]:
    """A packet that `text` lets not through though it should, and one that it should not.

    None: there is no such packet. ValueError where `text` cannot be read.
    """
    meant = planned(configuration.terms)
    read = configuration.kind.read(text, configuration.firewall)
    enforced = {place: PathSet.allowed(rules) for place, rules in read.items()}
    return _first(meant, enforced), _first(enforced, meant)


def _first(some: Mapping[Place, PathSet], others: Mapping[Place, PathSet]) -> PathPacket | None:
    for place, packets in sorted(some.items()):
        example = (packets - others.get(place, PathSet())).example()
        if example is not None:
            return example
    return None


def _asked(crossings: Iterable[Crossing], kind: Kind) -> Mapping[Place, PathSet]:
    rules: dict[Place, list[PathRule]] = {}
    for each in crossings:
        to = each.met if kind.met else each.destinations
        rule = PathRule(True, each.sources, to, int(each.protocol), each.ports)
        rules.setdefault((each.from_zone, each.to_zone), []).append(rule)
    return {place: PathSet.allowed(listed) for place, listed in rules.items()}
