"""The content of `cdk.tf.json`, made without the engine.

The engine adds its own metadata under `//` and nothing else; `tests/stacks` holds it to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowbridge.deployment.file.site import Site
from flowbridge.providers.provider import Lowered, Provider, TerraformJson
from flowbridge.stacks.backends import backend_kinds


def render(site: Site, provider: Provider, lowered: Lowered) -> TerraformJson:
    """`terraform`, `provider`, `resource`, `data` and `output` blocks of one deployment."""
    backend: TerraformJson = {"terraform": backend_kinds()[site.backend.type].block(site)}
    return merged(merged(backend, provider.settings(site)), lowered.terraform)


def merged(left: Mapping[str, Any], right: Mapping[str, Any]) -> TerraformJson:
    """`left` with `right` laid over it, mapping by mapping."""
    out = dict(left)
    for key, value in right.items():
        mine = out.get(key)
        if isinstance(mine, Mapping) and isinstance(value, Mapping):
            out[key] = merged(mine, value)
        else:
            out[key] = value
    return out
