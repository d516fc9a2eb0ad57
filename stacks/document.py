"""The content of `cdk.tf.json`, made without the engine.

The engine adds its own metadata under `//` and nothing else; `tests/stacks` holds it to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.providers.provider import Lowered, Provider, TerraformJson

# From cdktf.out/stacks/<name>/ up to the project, so that the state outlives the output folder.
_STATE_FOLDER = "../../.."

_REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "local": (),
    "s3": ("bucket",),
    "azurerm": ("storage_account_name", "container_name"),
    "gcs": ("bucket",),
}


def render(site: Site, provider: Provider, lowered: Lowered) -> TerraformJson:
    """`terraform`, `provider`, `resource`, `data` and `output` blocks of one deployment."""
    backend: TerraformJson = {"terraform": {"backend": {site.backend.type: backend_settings(site)}}}
    return merged(merged(backend, provider.settings(site)), lowered.terraform)


def backend_settings(site: Site) -> dict[str, str | bool]:
    """The backend's arguments; each deployment keeps a state of its own unless told otherwise."""
    own: dict[str, dict[str, str | bool]] = {
        "local": {"path": f"{_STATE_FOLDER}/terraform.{site.name}.tfstate"},
        "s3": {"key": f"flowbridge/{site.name}.tfstate"},
        "azurerm": {"key": f"flowbridge/{site.name}.tfstate"},
        "gcs": {"prefix": f"flowbridge/{site.name}"},
    }
    return own[site.backend.type] | site.backend.settings


def backend_gaps(site: Site) -> Iterator[Finding]:
    """A refusal for each argument that the backend cannot do without."""
    for name in _REQUIRED[site.backend.type]:
        if name not in site.backend.settings:
            yield Finding(
                id="stacks/backend-incomplete",
                severity=Severity.REFUSAL,
                message=f"the {site.backend.type} backend needs {name}: "
                f"write `backend: {{type: {site.backend.type}, settings: {{{name}: ...}}}}`",
                source=f"Terraform, backend type {site.backend.type}",
                key=f"backend.settings.{name}",
            )


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
