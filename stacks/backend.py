"""Where Terraform keeps the state: the deployment's backend as the engine's own construct."""

from __future__ import annotations

import inspect
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.stacks.backends import backend_kinds
from flowbridge.stacks.engine import Construct, engine

_BACKENDS: Final = {
    "local": engine.LocalBackend,
    "s3": engine.S3Backend,
    "azurerm": engine.AzurermBackend,
    "gcs": engine.GcsBackend,
}


class _AsItStands(engine.TerraformBackend):
    """A backend that the engine has no arguments for, or other ones than today's Terraform."""

    def __init__(self, scope: Construct, name: str, block: dict[str, Any]) -> None:
        super().__init__(scope, "backend", name)
        self._block = block

    def to_terraform(self) -> Any:
        return {"terraform": self._block}

    def get_remote_state_data_source(self, scope: Construct, name: str, from_stack: str) -> Any:
        message = f"another stack cannot read outputs of {from_stack} from this backend ({name})"
        raise NotImplementedError(message)


def declare_backend(scope: Construct, site: Site) -> None:
    """Declare the backend of `site` in the stack `scope`.

    Arguments that the engine knows by name and type are given to it, since it hands them on to
    stacks that refer to this one; newer ones are written into the JSON as they stand.
    """
    backend_kind = backend_kinds()[site.backend.type]
    if backend_kind.name not in _BACKENDS:
        _AsItStands(scope, backend_kind.name, backend_kind.block(site))
        return
    kind: Any = _BACKENDS[backend_kind.name]
    parameters = inspect.signature(kind.__init__).parameters
    settings = backend_kind.settings(site)
    known = {
        name: value
        for name, value in settings.items()
        if isinstance(value, str | bool)
        and name in parameters
        and type(value).__name__ in str(parameters[name].annotation)
    }
    backend = kind(scope, **known)
    for name in settings.keys() - known.keys():
        backend.add_override(name, settings[name])
