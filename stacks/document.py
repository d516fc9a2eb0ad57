"""The content of `cdk.tf.json`, made without the engine.

The engine adds its own metadata under `//` and nothing else; `tests/stacks` holds it to that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.providers.provider import Lowered, Provider, TerraformJson
from flowbridge.stacks.backends import backend_kinds
from flowbridge.stacks.provenance import provenance

MADE_BY: Final = "flowbridge"
"""The output that names the versions. A tag on each group would say the same, and every release of
the catalog would then touch every group."""
_MADE_BY: Final = "The versions of the program and of the catalog that made this"


def render(site: Site, provider: Provider, lowered: Lowered) -> TerraformJson:
    """`terraform`, `provider`, `resource`, `data` and `output` blocks of one deployment."""
    backend: TerraformJson = {"terraform": backend_kinds()[site.backend.type].block(site)}
    made: TerraformJson = {"output": {MADE_BY: {"value": provenance(), "description": _MADE_BY}}}
    return merged(merged(merged(backend, provider.settings(site)), lowered.terraform), made)


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
