"""What the deployment's cloud has to know of the network, by its own module in `clouds`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, assert_never

from flowbridge.deployment.clouds.aws import aws_mistakes
from flowbridge.deployment.clouds.azure import azure_mistakes
from flowbridge.deployment.clouds.gcp import gcp_mistakes
from flowbridge.deployment.clouds.named_ids import named_twice
from flowbridge.deployment.file.site import AwsSite, AzureSite, Cloud, GcpSite, Site
from flowbridge.deployment.mistake import Mistake

# The form alone: which regions there are changes faster than any list here. Azure's are also known
# by their names for people ("West Europe").
_REGION: Final = re.compile(r"[A-Za-z0-9]+(?:[ -][A-Za-z0-9]+)*")


def network_mistakes(site: Site, *, network_id_elsewhere: bool = False) -> Iterator[Mistake]:
    """What the cloud needs and the file does not say, and ids of the wrong form.

    `network_id_elsewhere`: an app of the user's own passes the network's id in.
    """
    if not _REGION.fullmatch(site.region):
        example = example_region(site.cloud)
        yield Mistake(("region",), f"{site.region!r} is no region: write one like {example}")
    yield from named_twice(site)
    match site.cloud:
        case Cloud.AWS:
            yield from aws_mistakes(AwsSite.of(site), network_id_elsewhere=network_id_elsewhere)
        case Cloud.AZURE:
            yield from azure_mistakes(AzureSite.of(site), network_id_elsewhere=network_id_elsewhere)
        case Cloud.GCP:
            yield from gcp_mistakes(GcpSite.of(site), network_id_elsewhere=network_id_elsewhere)
        case _:
            assert_never(site.cloud)


def example_region(cloud: Cloud) -> str:
    """A region, as an example."""
    match cloud:
        case Cloud.AWS:
            return "eu-west-1"
        case Cloud.AZURE:
            return "westeurope"
        case Cloud.GCP:
            return "europe-west1"
        case _:
            assert_never(cloud)
