"""Spreading the rules of one interface over as many groups as the rule quota needs.

The groups of an interface act as their union, so any spreading means the same. It is chosen so
that a new rule moves as few others as possible: a group that overflows is split in two by one
more bit of its rules' hashes (extendible hashing), all others keep what they have. Only where
that would need more groups than an interface can carry are they filled one after the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from flowbridge.policy.point import Direction
from flowbridge.providers.aws.emit.rule import Rule

# Group number to rules; number 0 is the interface's own group and always there.
Groups = Mapping[int, tuple[Rule, ...]]
_MAX_BITS = 64


def split(rules: Sequence[Rule], capacity: int, groups: int) -> Groups | None:
    """`rules` over at most `groups` groups of `capacity` per direction and address family.

    None where they do not fit.
    """
    if any(rule.peer.weight > capacity for rule in rules):
        return None
    for place in (_by_hash, _one_after_the_other):
        placed = _spread(rules, capacity, place)
        if len(placed) <= groups:
            return {number: tuple(placed[number]) for number in sorted(placed)}
    return None


def fills(rules: Sequence[Rule], capacity: int, groups: int) -> bool:
    """Whether `split` has to fill groups one after the other, so that a new rule moves others."""
    return len(_spread(rules, capacity, _by_hash)) > groups


def _spread(
    rules: Sequence[Rule],
    capacity: int,
    place: Callable[[Sequence[Rule], int], Mapping[int, Sequence[Rule]]],
) -> dict[int, list[Rule]]:
    placed: defaultdict[int, list[Rule]] = defaultdict(list, {0: []})
    for direction in Direction:
        part = [rule for rule in rules if rule.direction is direction]
        for number, members in place(part, capacity).items():
            placed[number].extend(members)
    return placed


def weight(rules: Iterable[Rule], family: int) -> int:
    """What `rules` take of the quota of one address family (4 or 6)."""
    return sum(rule.peer.weight for rule in rules if family in rule.peer.families)


def _fits(rules: Sequence[Rule], capacity: int) -> bool:
    return all(weight(rules, family) <= capacity for family in (4, 6))


def _by_hash(rules: Sequence[Rule], capacity: int) -> dict[int, list[Rule]]:
    """Split by hash bits; the half with the bit 0 keeps the group's number."""
    placed: dict[int, list[Rule]] = {}

    def place(members: Sequence[Rule], number: int, depth: int) -> None:
        if _fits(members, capacity) or depth == _MAX_BITS:
            if members:
                placed[number] = list(members)
            return
        for bit in (0, 1):
            place(
                [rule for rule in members if rule.bits >> depth & 1 == bit],
                number | bit << depth,
                depth + 1,
            )

    place(rules, 0, 0)
    return placed


def _one_after_the_other(rules: Sequence[Rule], capacity: int) -> dict[int, list[Rule]]:
    """First fit in the order of hashes: full groups, and a new rule moves one rule a group."""
    placed: dict[int, list[Rule]] = {}
    used: defaultdict[int, Counter[int]] = defaultdict(Counter)  # by group and family
    # Groups only fill: where one rule found no room, none like it finds any.
    first: defaultdict[tuple[int, tuple[int, ...]], int] = defaultdict(int)
    for rule in sorted(rules, key=lambda rule: (-rule.peer.weight, rule.bits)):
        alike = rule.peer.weight, tuple(sorted(rule.peer.families))
        number = first[alike]
        while any(used[number][f] + rule.peer.weight > capacity for f in rule.peer.families):
            number += 1
        first[alike] = number
        placed.setdefault(number, []).append(rule)
        used[number].update(dict.fromkeys(rule.peer.families, rule.peer.weight))
    return placed
