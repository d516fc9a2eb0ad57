"""A deployment that a plan itself tells, where nobody has written one: who is who by names and
addresses, and the documents for the services that are surely there.

It is what `flowbridge init --from-plan` writes (`stacks.proposal`), taken as it stands. What it
guesses is taken for granted and said; what it does not know is an example in the file, and here
something that cannot be told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from flowbridge.deployment.places.estate import Estate
from flowbridge.deployment.read import resolve_data
from flowbridge.policy.unknown import Unknown, Why
from flowbridge.stacks.pipeline import Built, build_estate
from flowbridge.stacks.proposal import propose

# `  dns: {addresses: [10.0.10.2]}   # question: which? (an example)`
_LINE: Final = re.compile(r"^\s*(?:- )?(?P<said>[^#]*\S)\s+# (?P<why>\S.*)$")
_EXAMPLE: Final = "(an example)"
_SURE: Final = "sure"
# Where something is, which decides over no packet of a plan that is judged as it stands.
_WHEREABOUTS: Final = re.compile(r"(region|vnet|resource_group|project|id):")


@dataclass(frozen=True, slots=True)
class Proposed:
    """`guesses` are sentences, `unknown` what stands in the file for want of anything known."""

    built: Built
    guesses: tuple[str, ...]
    unknown: tuple[Unknown, ...]


def proposed_of(document: Mapping[str, Any], plan: str) -> Proposed:
    """The deployment that `document` tells. ValueError for what is no plan of a cloud we know;
    BadFileError where it does not tell enough."""
    text = propose(document, _NAME, "")
    data: dict[str, Any] = yaml.safe_load(text)
    whole = resolve_data(data, f"what {plan} tells")
    (built,) = build_estate(Estate(whole, (whole,)))
    said = [(match["said"], match["why"]) for match in map(_LINE.match, text.split("\n")) if match]
    return Proposed(
        built,
        tuple(
            f"{what} ({why})"
            for what, why in said
            if not _is_unknown(what, why) and not why.endswith(_SURE)
        ),
        tuple(Unknown(what, why, Why.MEANING) for what, why in said if _is_unknown(what, why)),
    )


_NAME: Final = "plan"


def _is_unknown(what: str, why: str) -> bool:
    """Whether a line stands there for want of anything known, and decides over packets."""
    return _EXAMPLE in why and _WHEREABOUTS.match(what) is None
