"""The clouds by name. A cloud's folder is imported when that cloud is asked for, not before."""

from __future__ import annotations

import importlib
from typing import Final

from flowbridge.deployment.file.site import Cloud
from flowbridge.providers.provider import Provider

_CLOUDS: Final = {
    Cloud.AWS: "flowbridge.providers.aws.cloud",
    Cloud.AZURE: "flowbridge.providers.azure.cloud",
    Cloud.GCP: "flowbridge.providers.gcp.cloud",
}


def provider_for(cloud: Cloud | str) -> Provider:
    """The provider of `cloud`: the `PROVIDER` of its folder's `cloud` module.

    ValueError for a name that no folder answers to.
    """
    module = importlib.import_module(_CLOUDS[Cloud(cloud)])
    provider: Provider = module.PROVIDER
    return provider
