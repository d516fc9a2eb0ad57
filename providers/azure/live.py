"""Azure as `providers.live` wants it: what azure-mgmt-network reads, and what that means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from deployment.site import Site
from policy.compiled import Policy
from policy.estate import Estate
from providers.azure.live_answers import Answers, Place
from providers.azure.live_fetch import fetch
from providers.live import Access, Adoption, LiveReader, Preflight


class AzureReader:
    """See `providers.live.LiveReader`."""

    def place(self, site: Site, access: Access) -> Place:
        return Place.of(site, access)

    def fetch(self, site: Site, access: Access, *, asides: bool = False) -> Answers:
        return fetch(site, access, asides=asides)

    def estate(
        self,
        answers: Answers,
        policy: Policy,
        site: Site,
        planned: Mapping[str, Any],
        access: Access,
    ) -> Estate:
        from providers.azure.live_estate import estate

        return estate(answers, policy, site, planned, access)

    def adoption(
        self, answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any]
    ) -> Adoption:
        from providers.azure.live_adoption import adoption

        return adoption(answers, policy, site, planned)

    def preflight(
        self, answers: Answers, policy: Policy, site: Site, planned: Mapping[str, Any]
    ) -> Preflight:
        from providers.azure.live_preflight import preflight

        return preflight(answers, policy, site, planned)


READER: Final[LiveReader[Answers]] = AzureReader()
