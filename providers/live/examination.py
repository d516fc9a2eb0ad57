"""What every cloud's own analyser is asked; `providers.<cloud>.live.examiner` has it as `EXAMINER`.

A witness (`policy.questions.witness`) becomes the ready inputs of the analyser's API: checks. They
are made of the deployment alone, or with what was read of the cloud, which knows the ids of cards.
Running a check costs money and, on two clouds, makes a resource for as long as it takes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, Generic, Literal

from flowbridge.catalog.reading.located_model import read_model
from flowbridge.catalog.record import Entries, Record
from flowbridge.deployment.file.site import Cloud, Site
from flowbridge.policy.audit.estate import Unread
from flowbridge.policy.questions.witness import Expected, Witness
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access, Answers

_PRICES: Final = Path(__file__).parent / "prices.yaml"


@dataclass(frozen=True, slots=True)
class Request:
    """One call of the analyser: its name as permissions spell it, and the input as it is sent."""

    file: str  # what the input is called in a folder: `path`, `analysis`
    call: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """What is asked about a witness. `needs` says what has to be filled in before it is sent;
    `covers` which part of the way it judges."""

    witness: Witness
    name: str
    covers: str
    requests: tuple[Request, ...]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unasked:
    """A witness that the analyser does not take, and why."""

    witness: Witness
    why: str


Asked = Check | Unasked


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the cloud says. `passes` is None where it cannot tell; `by` is what decided, or why
    nothing was."""

    check: Check
    passes: bool | None
    by: str

    @property
    def agrees(self) -> bool | None:
        """Whether it says what the rehearsal says; None where one of them cannot tell."""
        expected = self.check.witness.expected
        if self.passes is None or expected is Expected.UNTOLD:
            return None
        if expected is Expected.REFUSED and self.passes and self.check.covers != WHOLE:
            return None  # one end may let pass what the other refuses
        return self.passes is (expected is Expected.ALLOWED)

    def as_plain(self) -> dict[str, Any]:
        return {
            "check": self.check.name,
            "covers": self.check.covers,
            "expected": str(self.check.witness.expected),
            "passes": self.passes,
            "agrees": self.agrees,
            "by": self.by,
        }


WHOLE: Final = "the whole way"


@dataclass(frozen=True, slots=True)
class Beside:
    """Rows that only an analyser needs; `unread` where the call for them failed."""

    rows: tuple[Row, ...] = ()
    unread: tuple[Unread, ...] = ()


class Price(Record):
    """In US dollars, as the cloud lists it: `free` checks a month, then each `each`."""

    tool: str
    each: Decimal
    free: int
    source: str

    def of(self, checks: int) -> str:
        """What so many checks cost, in words."""
        most = self.each * checks
        free = f", the first {self.free:,} of a month for nothing" if self.free else ""
        return (
            f"{checks} checks by {self.tool} at {self.each} USD each{free}: at most "
            f"{most:.2f} USD ({self.source})"
        )


class _Prices(Entries[dict[Literal["aws", "azure", "gcp"], Price]]):
    """By cloud."""


@cache
def price_of(cloud: Cloud) -> Price:
    return read_model(_PRICES, _Prices).root[cloud.value]


@dataclass(frozen=True, slots=True)
class Examiner(Generic[Answers]):
    """The steps of one cloud.

    * `read`: what only the analyser needs to be known (routes, watchers), by read calls.
    * `checks`: needs no SDK and no cloud; with the answers of a fetch, and those of `read`, it
      fills in ids.
    * `examine`: sends the checks.

    None raises for a fault of the cloud.
    """

    read: Callable[[Site, Access], Beside]
    checks: Callable[[Witness, Site, Answers | None, Beside], Iterable[Asked]]
    examine: Callable[[Site, Access, Sequence[Check]], Iterator[Verdict]]


def examiner_for(cloud: Cloud) -> Examiner[Any]:
    module = importlib.import_module(f"flowbridge.providers.{cloud.value}.live.examiner")
    examiner: Examiner[Any] = module.EXAMINER
    return examiner
