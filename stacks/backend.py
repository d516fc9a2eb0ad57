"""Where Terraform keeps the state: the deployment's backend as the engine's own construct."""

from __future__ import annotations

import inspect
from typing import Any, Final

from flowbridge.deployment.file.site import Site
from flowbridge.stacks.document import backend_settings
from flowbridge.stacks.engine import Construct, engine

_BACKENDS: Final = {
    "local": engine.LocalBackend,
    "s3": engine.S3Backend,
    "azurerm": engine.AzurermBackend,
    "gcs": engine.GcsBackend,
}


def declare_backend(scope: Construct, site: Site) -> None:
    """Declare the backend of `site` in the stack `scope`.

    Arguments that the engine knows by name and type are given to it, since it hands them on to
    stacks that refer to this one; newer ones are written into the JSON as they stand.
    """
    kind: Any = _BACKENDS[site.backend.type]
    parameters = inspect.signature(kind.__init__).parameters
    settings = backend_settings(site)
    known = {
        name: value
        for name, value in settings.items()
        if name in parameters and type(value).__name__ in str(parameters[name].annotation)
    }
    backend = kind(scope, **known)
    for name in settings.keys() - known.keys():
        backend.add_override(name, settings[name])
