"""Several deployments held against each other (`policy.questions.between_deployments`)."""

from __future__ import annotations

from collections.abc import Iterable

from flowbridge.deployment.addresses import of_families
from flowbridge.deployment.selection.parties import without_public
from flowbridge.policy.questions.between_deployments import Deployment, Disagreement, disagreements
from flowbridge.stacks.pipeline import Built


def disagreements_of(built: Iterable[Built]) -> tuple[Disagreement, ...]:
    """What one deployment opens towards a workload of another, and the other does not."""
    return disagreements([_deployment(each) for each in built])


def _deployment(built: Built) -> Deployment:
    resolution = built.resolution
    tiers = resolution.site.network.tiers
    return Deployment(
        resolution.site.name,
        built.policy,
        {
            interface.key: of_families(tiers[interface.tier].nat, without_public(interface))
            for interface in resolution.interfaces
        },
        {row.id: "" if row.flows else row.reason for row in resolution.selected},
    )
