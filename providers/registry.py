"""The clouds by name. A cloud's folder is imported when that cloud is asked for, not before."""

from __future__ import annotations

import importlib
from typing import assert_never

from flowbridge.deployment.file.site import Cloud
from flowbridge.providers.provider import Provider


def provider_for(cloud: Cloud | str) -> Provider:
    """The provider of `cloud`: the `PROVIDER` of its folder's `cloud` module.

    ValueError for a name that no folder answers to.
    """
    module = importlib.import_module(_module(Cloud(cloud)))
    provider: Provider = module.PROVIDER
    return provider


def _module(cloud: Cloud) -> str:
    match cloud:
        case Cloud.AWS:
            return "flowbridge.providers.aws.cloud"
        case Cloud.AZURE:
            return "flowbridge.providers.azure.cloud"
        case Cloud.GCP:
            return "flowbridge.providers.gcp.cloud"
        case _:
            assert_never(cloud)
