"""The clouds by name. A cloud's folder is imported when that cloud is asked for, not before."""

from __future__ import annotations

import importlib
from typing import Final

from deployment.site import Cloud
from providers.provider import Provider

_CLOUDS: Final = {
    Cloud.AWS: "providers.aws.cloud",
    Cloud.AZURE: "providers.azure.cloud",
    Cloud.GCP: "providers.gcp.cloud",
}


def provider_for(cloud: Cloud | str) -> Provider:
    """The provider of `cloud`: the `PROVIDER` of its folder's `cloud` module.

    ValueError for a name that no folder answers to.
    """
    module = importlib.import_module(_CLOUDS[Cloud(cloud)])
    provider: Provider = module.PROVIDER
    return provider
