"""Places that take the rules of one deployment only, and are named in two files of one run.

Neither file is wrong alone, and Terraform never sees both: it would only show in the clouds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.providers.provider import Lowered

SHARED: Final = "stacks/shared-place"


def shared_places(
    deployments: Iterable[tuple[Resolution, Lowered]],
) -> Iterator[tuple[str, Finding]]:
    """The label of the later one of two deployments, with a refusal for each key of it."""
    first: dict[tuple[str, str], str] = {}
    for resolution, lowered in deployments:
        found: dict[tuple[str, str, str], list[str]] = {}
        for place, name, key, reason in lowered.occupied:
            owner = first.setdefault((resolution.site.cloud, place), resolution.label)
            if owner != resolution.label:
                found.setdefault((owner, key, reason), []).append(name)
        for (owner, key, reason), names in found.items():
            yield (
                resolution.label,
                Finding(
                    id=SHARED,
                    severity=Severity.REFUSAL,
                    message=f"{owner} has {', '.join(names)} too, and {reason}",
                    source="two deployments of one run",
                    key=key,
                ),
            )
