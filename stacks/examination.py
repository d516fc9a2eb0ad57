"""Rehearsals shown to the clouds: witnesses as inputs of their own analysers, and verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flowbridge.policy.questions.witness import witnesses
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.examination import (
    Asked,
    Beside,
    Check,
    Unasked,
    Verdict,
    examiner_for,
    price_of,
)
from flowbridge.stacks.pipeline import Built
from flowbridge.stacks.rehearsal import Rehearsal, conversations_of

INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Examination:
    """What is asked of the analyser of one deployment's cloud."""

    built: Built
    asked: tuple[Asked, ...]
    beside: Beside

    @property
    def name(self) -> str:
        return self.built.resolution.site.name

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(each for each in self.asked if isinstance(each, Check))

    @property
    def ready(self) -> tuple[Check, ...]:
        """Those that can be sent as they are."""
        return tuple(check for check in self.checks if not check.needs)

    @property
    def unasked(self) -> tuple[Unasked, ...]:
        return tuple(each for each in self.asked if isinstance(each, Unasked))

    @property
    def tool(self) -> str:
        return price_of(self.built.resolution.site.cloud).tool

    @property
    def cost(self) -> str:
        return price_of(self.built.resolution.site.cloud).of(len(self.ready))

    def files(self) -> dict[str, str]:
        """The inputs, by the path of their file: `edge/expressway-16-1-1f3a9c.path.json`."""
        return {
            f"{self.name}/{check.name}.{request.file}.json": _text(dict(request.body))
            for check in self.checks
            for request in check.requests
        }

    def run(self, access: Access) -> Iterator[Verdict]:
        """The verdicts, one after the other. Each costs what `price_of` says; what lacks an id is
        not sent."""
        site = self.built.resolution.site
        yield from examiner_for(site.cloud).examine(site, access, self.ready)
        for check in self.checks:
            if check.needs:
                yield Verdict(check, None, f"not asked without {', '.join(check.needs)}")

    def as_plain(self) -> dict[str, Any]:
        return {
            "deployment": self.name,
            "cloud": str(self.built.resolution.site.cloud),
            "tool": self.tool,
            "cost": self.cost,
            "checks": [
                {
                    **check.witness.as_plain(),
                    "covers": check.covers,
                    "needs": list(check.needs),
                    "calls": [
                        {"call": r.call, "file": f"{self.name}/{check.name}.{r.file}.json"}
                        for r in check.requests
                    ],
                }
                for check in self.checks
            ],
            "not_asked": [{**each.witness.as_plain(), "why": each.why} for each in self.unasked],
            "unread": [each.as_plain() for each in self.beside.unread],
        }


def examination(
    built: Built,
    rehearsal: Rehearsal,
    services: Iterable[str],
    answers: Any = None,
    beside: Beside | None = None,
) -> Examination:
    """What to ask about the features of `rehearsal`, at the cards of `built`."""
    site = built.resolution.site
    examiner = examiner_for(site.cloud)
    known = beside or Beside()
    played = conversations_of(built, services)
    found = witnesses(site.name, rehearsal.features, played)
    asked = (each for one in found for each in examiner.checks(one, site, answers, known))
    return Examination(built, tuple(asked), known)


def index_of(examinations: Sequence[Examination]) -> str:
    """The contents of a folder of inputs: what each is for, expects and still needs."""
    files = [name for each in examinations for name in each.files()]
    return _text(
        {
            "made_by": "flowbridge rehearse --witness",
            "files": files,
            "deployments": [each.as_plain() for each in examinations],
        }
    )


def _text(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
