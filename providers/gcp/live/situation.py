"""The answers of one place seen from one deployment: what is whose, and what sits where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flowbridge.deployment.file.site import Site
from flowbridge.policy.compiled import Policy
from flowbridge.providers.gcp.live.answers import Answers
from flowbridge.providers.gcp.live.as_terraform import (
    LiveDocument,
    live_document,
)
from flowbridge.providers.gcp.live.identity import Identity, identify
from flowbridge.providers.gcp.live.placement import (
    Placement,
    place,
)
from flowbridge.providers.live.contract import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that the parts of an estate are made from."""

    answers: Answers
    policy: Policy
    site: Site
    planned: Mapping[str, Any]
    identity: Identity
    placement: Placement
    live: LiveDocument

    @classmethod
    def of(
        cls,
        answers: Answers,
        policy: Policy,
        site: Site,
        planned: Mapping[str, Any],
        access: Access,
    ) -> Situation:
        return cls(
            answers=answers,
            policy=policy,
            site=site,
            planned=planned,
            identity=identify(answers, site, planned),
            placement=place(answers, policy, site, access.placed),
            live=live_document(answers),
        )
