"""Who else stands in the subnets whose filters are ours, and what those filters take from them.

A network ACL or a subnet's NSG decides for every host of its subnet. What a bystander loses is what
it may do by the filters that are in force now and may no longer do by those of the plan, told as
conversations: packets whose answers pass as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flowbridge.catalog.ports import EPHEMERAL, PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.addresses import PRIVATE, UNUSABLE, shown
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.interface import Network
from flowbridge.policy.filter import Filter, passes
from flowbridge.policy.packets.as_json import plain_packets
from flowbridge.policy.packets.packet import protocol_label
from flowbridge.policy.packets.packet_set import ALL, EMPTY, EVERY_ADDRESS, PacketSet
from flowbridge.policy.packets.relation import WITH_PORTS
from flowbridge.policy.point import Direction
from flowbridge.policy.questions.reach import answered
from flowbridge.policy.surrounding import Surrounding

Filters = Mapping[Direction, tuple[Filter, ...]]

# More rules of a card's own than these are no advice that anybody reads.
_MOST_NEEDS: Final = 8
_WIDE: Final = 1 << 15  # ports of a rule that names no service


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a bystander has to be let do. `ports` are those of the end that is called; `what` says
    it in words; `sure` False: the ports stand for others that are not known. `internet`: `peers`
    are every public address."""

    direction: Direction
    protocol: int
    ports: tuple[PortRange, ...]
    peers: tuple[Network, ...]
    what: str
    sure: bool = True
    internet: bool = False

    @property
    def packets(self) -> PacketSet:
        """Calls as programs make them, from ports of their own."""
        asked = PacketSet.of(self.peers, self.protocol, [EPHEMERAL], self.ports)
        return asked - PacketSet.of((*PRIVATE, *UNUSABLE), None) if self.internet else asked

    def __str__(self) -> str:
        way = "from" if self.direction is Direction.INGRESS else "to"
        ports = ", ".join(map(str, self.ports)) + ("" if self.sure else " (or whatever it uses)")
        peers = ", ".join(map(shown, self.peers[:4])) + (" ..." if len(self.peers) > 4 else "")
        peers = "the internet" if self.internet else peers
        return f"{protocol_label(self.protocol)} {ports} {way} {peers}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bystander:
    """One thing in a network of ours that no interface of the deployment is.

    `kind` in words (`NAT gateway`), `id` and `text` as the cloud has them. `stands_in` are the
    addresses of its subnet, by which its filters are found. `own` are filters of its own that stand
    beside those of the subnet (its groups). `spared` says why no filter of ours meets it; `met_by`
    are filters of the plan that meet it otherwise than by its subnet (a tag of ours that it wears).
    `unseen` says why nothing is known of it but that it may be there.
    """

    kind: str
    id: str
    text: str
    subnet: str
    addresses: tuple[Network, ...]
    stands_in: tuple[Network, ...]
    own: Filters = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    source: str = ""
    spared: str = ""
    met_by: Filters | None = None
    unseen: str = ""

    @property
    def name(self) -> str:
        said = f"{self.kind} {self.id}"
        where = ", ".join([*map(shown, self.addresses[:3]), self.subnet])
        return f"{said} ({where}; {self.text})" if self.text else f"{said} ({where})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A bystander with what it loses and keeps, by direction: whom it lets in, whom it may call.

    `filter` decides for it after the apply. `compared` False: what is in force now was not read,
    and what is lost is held against its own filters alone. `cut` are the needs that fail then.
    """

    bystander: Bystander
    tier: str
    filter: str
    lost: Mapping[Direction, PacketSet]
    kept: Mapping[Direction, PacketSet]
    compared: bool
    cut: tuple[Need, ...]

    @property
    def loses(self) -> bool:
        return any(self.lost.values())

    def __str__(self) -> str:
        """In one sentence, without what would keep it."""
        who = self.bystander
        if who.unseen:
            return f"{who.name}: what an apply takes from them cannot be told: {who.unseen}"
        if who.spared:
            return f"{who.name}: loses nothing: {who.spared}"
        if not self.loses:
            return f"{who.name}: loses nothing by {self.filter}"
        parts = list(filter(None, (self._loss(way) for way in Direction)))
        now = "" if self.compared else "; what is in force now could not be compared"
        cut = "".join(f"; cut: {each.what} ({each})" for each in self.cut)
        tier = f" (tier {self.tier})" if self.tier else ""
        return f"{who.name}: {self.filter}{tier} takes from it {' and '.join(parts)}{now}{cut}"

    def _loss(self, way: Direction) -> str:
        if not self.lost[way]:
            return ""
        what = "calls that it takes" if way is Direction.INGRESS else "calls that it makes"
        if not self.kept[way]:
            return f"all {what}"
        return f"{what} (such as {_example(self.lost[way])})"

    @property
    def advice(self) -> str:
        """What would keep it, in a sentence; empty where nothing is lost."""
        if self.bystander.spared or not self.loses:
            return ""
        own = f"put it into a subnet that tier {self.tier} does not name"
        if not self.cut:
            return f"where it needs any of that, give it rows by an overlay, or {own}"
        return (
            f"to keep it, list it as the system {system_name(self.bystander)} of tier "
            f"{self.tier} with rows of its own ({'; '.join(map(str, self.cut))}), or {own}; "
            "--format json has the overlay"
        )

    def as_plain(self) -> dict[str, Any]:
        who = self.bystander
        return {
            "kind": who.kind,
            "id": who.id,
            "text": who.text,
            "subnet": who.subnet,
            "addresses": [str(each) for each in who.addresses],
            "tier": self.tier,
            "filter": self.filter,
            "spared": who.spared,
            "unseen": who.unseen,
            "compared": self.compared,
            "loses": {str(way): plain_packets(lost) for way, lost in self.lost.items()},
            "keeps": {str(way): kept.count() for way, kept in self.kept.items()},
            "cut": [{"what": each.what, "packets": str(each)} for each in self.cut],
            "source": who.source,
            "advice": self.advice,
            "systems": _systems(self) if self.cut else {},
            "overlay": _overlay(self) if self.cut else {},
        }


def affected(
    bystanders: Iterable[Bystander],
    filters: Iterable[Surrounding],
    live: Iterable[Surrounding] | None,
) -> tuple[Affected, ...]:
    """The bystanders that stand in subnets of ours, by what they lose: most first.

    `filters` are those of our subnets that are judged, `live` those in force before; None: what
    `filters` take is held against no filter at all.
    """
    after, now = tuple(filters), None if live is None else tuple(live)
    found = [
        one
        for each in sorted(bystanders, key=lambda one: (one.kind, one.id))
        if (one := _affected(each, after, now)) is not None
    ]
    return tuple(sorted(found, key=lambda one: (not one.cut, not one.loses)))


def _affected(
    who: Bystander, planned: tuple[Surrounding, ...], live: tuple[Surrounding, ...] | None
) -> Affected | None:
    nothing = dict.fromkeys(Direction, EMPTY)
    if who.spared or who.unseen:
        return Affected(
            bystander=who,
            tier="",
            filter="",
            lost=nothing,
            kept=nothing,
            compared=not who.unseen,
            cut=(),
        )
    place = _place(who, planned)
    met = who.met_by if who.met_by is not None else place.filters if place else None
    if met is None:
        return None
    before = _place(who, live or ())
    kept = _conversations(who.own, met)
    had = _conversations(who.own, before.filters if before else {})
    versions = {network.version for network in (*who.addresses, *who.stands_in)}
    spoken = PacketSet.of((n for n in EVERY_ADDRESS if n.version in versions), None)
    lost = {way: (had[way] - kept[way]) & spoken for way in Direction}
    names = dict.fromkeys(stage.name for way in Direction for stage in met.get(way, ()))
    wanted = who.needs or tuple(_by_own_rules(who, lost))
    cut = tuple(each for each in wanted if each.packets & lost[each.direction])
    tier = place.anyone.tier if place else ""
    return Affected(
        bystander=who,
        tier=tier,
        filter=" and ".join(names),
        lost=lost,
        kept=kept,
        compared=live is None or before is not None,
        cut=cut[:_MOST_NEEDS],
    )


def _place(who: Bystander, around: tuple[Surrounding, ...]) -> Surrounding | None:
    """The subnet that the bystander stands in; by its own addresses where one subnet of a list
    says more than another."""
    for told in (who.addresses, who.stands_in):
        for each in around:
            if any(
                mine.version == theirs.version and mine.overlaps(theirs)
                for mine in told
                for theirs in each.anyone.private
            ):
                return each
    return None


def _conversations(own: Filters, subnet: Filters) -> dict[Direction, PacketSet]:
    """What passes both, each way, with answers that pass."""
    stages = {way: (*own.get(way, ()), *subnet.get(way, ())) for way in Direction}
    found: dict[Direction, PacketSet] = {}
    for way in Direction:
        back = passes(stage for stage in stages[way.opposite] if not stage.stateful)
        through = passes(stages[way])
        found[way] = through if back == ALL else answered(through, back)
    return found


def _by_own_rules(who: Bystander, lost: Mapping[Direction, PacketSet]) -> Iterator[Need]:
    """What its own groups were made for: what they name ports of. A rule for everything says
    nothing of what is needed."""
    for way, filters in who.own.items():
        for rule in (rule for stage in filters for rule in stage.rules):
            for box in rule.packets.boxes() if rule.packets & lost[way] else ():
                wide = sum(p.last - p.first + 1 for p in box.destination_ports) > _WIDE
                if box.protocol in WITH_PORTS and box.protocol is not None and not wide:
                    what = f"what its own rule {rule.name} is for"
                    yield Need(
                        direction=way,
                        protocol=box.protocol,
                        ports=box.destination_ports,
                        peers=box.peers,
                        what=what,
                    )


def _example(packets: PacketSet) -> str:
    """One packet, rather of a service that everybody knows."""
    known = PacketSet.of(EVERY_ADDRESS, Protocol.TCP, [EPHEMERAL], [PortRange(443, 443)])
    found = (packets & known).example() or packets.example()
    return str(found) if found else ""


BYSTANDER: Final = "live/bystander"
_SOURCE: Final = "read from the account"
_NAMED: Final = 12


def findings_of(found: Iterable[Affected]) -> Iterator[Finding]:
    """A warning for each bystander that loses something, or of which nothing can be told; a note
    that names the others."""
    every = tuple(found)
    for each in every:
        if each.bystander.unseen:
            yield Finding(
                id=BYSTANDER,
                severity=Severity.WARNING,
                message=str(each),
                source=_SOURCE,
                key="network.tiers",
            )
        elif each.loses:
            said = f"{each}; {each.advice}"
            source = each.bystander.source or _SOURCE
            yield Finding(
                id=BYSTANDER,
                severity=Severity.WARNING,
                message=said,
                source=source,
                key="network.tiers",
            )
    untouched = [each for each in every if not (each.loses or each.bystander.unseen)]
    for why in dict.fromkeys(each.bystander.spared for each in untouched):
        names = [each.bystander.name for each in untouched if each.bystander.spared == why]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        because = f": {why}" if why else ""
        told = f"an apply takes nothing from {', '.join(names[:_NAMED])}{more}{because}"
        yield Finding(
            id=BYSTANDER, severity=Severity.NOTE, message=told, source=_SOURCE, key="network.tiers"
        )


def system_name(who: Bystander) -> str:
    """A name for the system that a bystander would be in a deployment file."""
    plain = "".join(c if c.isalnum() else "-" for c in f"{who.kind} {who.id}".lower())
    return "-".join(filter(None, plain.split("-")))[-40:].strip("-")


def _systems(one: Affected) -> dict[str, Any]:
    """The sections under `systems` that go with the overlay."""
    name = system_name(one.bystander)
    found: dict[str, Any] = {
        name: {"tier": one.tier, "addresses": [shown(n) for n in one.bystander.addresses]}
    }
    for number, each in enumerate(one.cut, 1):
        if not each.internet:
            found[f"{name}-peer-{number}"] = {"addresses": [shown(n) for n in each.peers]}
    return found


def _overlay(one: Affected) -> dict[str, Any]:
    """The file under `overlays`, as YAML would read it; its service is that of the system."""
    name = system_name(one.bystander)
    rows: list[dict[str, Any]] = []
    parties: dict[str, Any] = {name: {"en": one.bystander.name[:120], "kind": "system"}}
    for number, each in enumerate(one.cut, 1):
        peer = f"{name}-peer-{number}"
        parties[peer] = {"en": f"Peer {number} of {one.bystander.id}", "kind": "system"}
        if each.internet:
            parties[peer] |= {"kind": "internet", "default": "internet"}
        ends = (peer, name) if each.direction is Direction.INGRESS else (name, peer)
        rows.append(
            {
                "row": number,
                "purpose": {"en": each.what},
                "source": {"parties": [{"party": ends[0]}]},
                "source_ports": {"alternatives": [{"ports": "1024-65535"}]},
                "protocol": {"l4": [protocol_label(each.protocol)]},
                "destination": {"parties": [{"party": ends[1]}]},
                "destination_ports": {
                    "alternatives": [{"ports": str(ports)} for ports in each.ports]
                },
            }
        )
    table = {"table": 1, "service": name, "title": {"en": one.bystander.name[:120]}, "rows": rows}
    return {"document": name, "tables": [table], "parties": parties}
