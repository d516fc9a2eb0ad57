"""Every estate, spoilt: a rule that is gone, another, or one too many, in whatever shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from flowbridge.stacks.judging import Judged, judge_plan
from tests.stacks.judging import estates
from tests.stacks.judging.estates import RIGHT, Case
from tests.stacks.judging.sites import ASKED, built

Rule = tuple[str, str, int, str]
Asked = tuple[Rule, ...]

# Behind an ACL that refuses it a group that opens too much opens nothing.
_BEHIND_ACL: Final = ("aws_acl_inline", "aws_acl_rules")
_EXTRA: Final[dict[str, Rule]] = {
    "telnet": ("ingress", "tcp", 23, "10.9.0.0/24"),
    "the-world": ("ingress", "tcp", 22, "0.0.0.0/0"),
    "leak": ("egress", "tcp", 443, "198.51.100.0/24"),
}
_OTHER: Final[dict[str, Callable[[Rule], Rule]]] = {
    "port": lambda rule: (rule[0], rule[1], rule[2] + 1, rule[3]),
    "protocol": lambda rule: (rule[0], "udp" if rule[1] == "tcp" else "tcp", rule[2], rule[3]),
    "peer": lambda rule: (*rule[:3], "10.77.0.0/24"),
    "direction": lambda rule: ("egress" if rule[0] == "ingress" else "ingress", *rule[1:]),
}


def spoilt() -> Iterator[tuple[str, Asked, bool]]:
    """A name, the rules, and whether something is missing (else too much is open)."""
    for place, rule in enumerate(ASKED):
        rest = ASKED[:place] + ASKED[place + 1 :]
        yield f"gone-{place}", rest, True
        for name, change in _OTHER.items():
            changed = change(rule)
            # The name server is asked by both protocols.
            if changed not in rest:
                yield f"{name}-{place}", (*ASKED[:place], changed, *ASKED[place + 1 :]), True
    for name, more in _EXTRA.items():
        yield name, (*ASKED, more), False


def chosen() -> Iterator[tuple[Callable[[], Case], str, Asked, bool]]:
    """Every third of each shape, another third for the next one."""
    for number, make in enumerate(RIGHT):
        for place, (name, asked, missing) in enumerate(spoilt()):
            if (place + number) % 3 == 0 and (missing or make.__name__ not in _BEHIND_ACL):
                yield make, name, asked, missing


CHOSEN: Final = tuple(chosen())


def judged_with(asked: Asked, make: Callable[[], Case], monkeypatch: pytest.MonkeyPatch) -> Judged:
    monkeypatch.setattr(estates, "ASKED", asked)
    case = make()
    return judge_plan(built(case.cloud), case.document, case.wearing)


def test_there_are_more_than_200() -> None:
    assert len(CHOSEN) > 200


@pytest.mark.parametrize(
    ("make", "asked", "missing"),
    [(make, asked, missing) for make, _, asked, missing in CHOSEN],
    ids=[f"{make.__name__}-{name}" for make, name, _, _ in CHOSEN],
)
def test_what_is_spoilt_is_found(
    make: Callable[[], Case],
    asked: Asked,
    missing: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged = judged_with(asked, make, monkeypatch)
    assert not judged.holds
    # With a prefix list another peer is one more for all that name the list.
    assert judged.opened or (missing and judged.missing)


@pytest.mark.parametrize("make", [estates.aws_acl_inline, estates.aws_acl_rules])
@pytest.mark.parametrize("place", range(9))
def test_an_entry_of_an_acl_that_is_gone_is_found(
    make: Callable[[], Case], place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = estates._entries()
    listed = [(way, number) for way, several in entries.items() for number in range(len(several))]
    way, number = listed[place]
    del entries[way][number]
    monkeypatch.setattr(estates, "_entries", lambda: entries)
    assert judged_with(ASKED, make, monkeypatch).missing
