"""One stack for one deployment: its backend, its providers, its rules, its outputs."""

from __future__ import annotations

import importlib
from typing import assert_never

from flowbridge.deployment.file.site import Cloud
from flowbridge.stacks.annotations import annotate
from flowbridge.stacks.backend import declare_backend
from flowbridge.stacks.engine import Construct, engine
from flowbridge.stacks.exports import Exports
from flowbridge.stacks.fragment import crossing
from flowbridge.stacks.pipeline import Built


class SiteStack(engine.TerraformStack, Exports):
    """The stack of one built deployment, named as the deployment is.

    Its JSON is laid over the empty stack instead of being an element of it, so that it crosses to
    node once and not three times. What overrides cannot carry is tokens, and a deployment file
    has none; a firewall with tokens is a `Firewall`.
    """

    def __init__(self, scope: Construct, built: Built) -> None:
        self.built = built
        site = built.resolution.site
        super().__init__(scope, site.name)
        declare_backend(self, site)
        for block, content in built.document.items():
            if block == "terraform":
                content = {
                    key: each for key, each in content.items() if key not in ("backend", "cloud")
                }
            self.add_override(block, crossing(content))
        annotate(self, built)


def stack_for(scope: Construct, built: Built) -> SiteStack:
    """The stack of the deployment's cloud: the `STACK` of its module."""
    module = importlib.import_module(_module(built.resolution.site.cloud))
    stack: SiteStack = module.STACK(scope, built)
    return stack


def _module(cloud: Cloud) -> str:
    match cloud:
        case Cloud.AWS:
            return "flowbridge.stacks.aws"
        case Cloud.AZURE:
            return "flowbridge.stacks.azure"
        case Cloud.GCP:
            return "flowbridge.stacks.gcp"
        case _:
            assert_never(cloud)
