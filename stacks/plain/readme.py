"""The README of a module."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flowbridge.deployment.file.site import Cloud
from flowbridge.stacks.pipeline import Built
from flowbridge.stacks.plain.module import Module

_CLOUDS: Final = {Cloud.AWS: "AWS", Cloud.AZURE: "Azure", Cloud.GCP: "Google Cloud"}
_PLACES: Final = {Cloud.AWS: "VPCs", Cloud.AZURE: "resource groups", Cloud.GCP: "projects"}
# How the examples name what Terraform makes beside the module.
_MADE: Final = {
    Cloud.AWS: {
        "vpc_id": "aws_vpc.main.id",
        "subnets": "[aws_subnet.{}.id]",
        "cards": "[aws_network_interface.{}.id]",
        "addresses": "aws_eip.edge.public_ip",
    },
    Cloud.AZURE: {
        "resource_group_name": "azurerm_resource_group.main.name",
        "subnets": "[azurerm_subnet.{}.id]",
        "cards": "[azurerm_network_interface.{}.id]",
        "addresses": "azurerm_public_ip.edge.ip_address",
    },
    Cloud.GCP: {
        "project": "google_project.main.project_id",
        "networks": "google_compute_network.main.self_link",
        "addresses": "google_compute_address.edge.address",
    },
}


def readme(built: Built, module: Module) -> str:
    """The text; the same for the same file and version."""
    site = built.resolution.site
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown of our own names
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    shown = {
        each.name: _example(each.name, each.keys, _MADE[site.cloud][each.name])
        for each in module.variables
        if each.name in _MADE[site.cloud]
    }
    needed = module.files["versions.tf.json"]["terraform"]
    return templates.get_template("module.md.j2").render(
        name=site.name,
        label=site.name.replace("-", "_"),
        cloud=_CLOUDS[site.cloud],
        places=_PLACES[site.cloud],
        file=Path(built.resolution.file).name,
        version=version("flowbridge"),
        variables=module.variables,
        outputs=module.outputs,
        shown=shown,
        required_version=needed["required_version"],
        providers=needed["required_providers"],
    )


def _example(name: str, keys: tuple[str, ...] | None, made: str) -> str:
    if keys is None:
        return made
    if not keys:
        return "{}"
    first = next((key for key in keys if key.startswith(("expressway-e", "dmz"))), keys[0])
    if name == "addresses":
        first = keys[-1]
    label = first.replace("/", "_").replace("-", "_")
    return f'{{ "{first}" = {made.format(label)} }}'
