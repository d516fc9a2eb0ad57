"""The README of a module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import assert_never

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flowbridge.deployment.file.other_clouds import title
from flowbridge.deployment.file.site import Cloud
from flowbridge.stacks.pipeline import Built
from flowbridge.stacks.plain.module import Module


@dataclass(frozen=True, slots=True)
class _Words:
    """What a module is put into, and how the examples name what Terraform makes beside it."""

    places: str
    made: Mapping[str, str]


def _words(cloud: Cloud) -> _Words:
    match cloud:
        case Cloud.AWS:
            return _Words(
                "VPCs",
                {
                    "vpc_id": "aws_vpc.main.id",
                    "subnets": "[aws_subnet.{}.id]",
                    "cards": "[aws_network_interface.{}.id]",
                    "addresses": "aws_eip.edge.public_ip",
                },
            )
        case Cloud.AZURE:
            return _Words(
                "resource groups",
                {
                    "resource_group_name": "azurerm_resource_group.main.name",
                    "subnets": "[azurerm_subnet.{}.id]",
                    "cards": "[azurerm_network_interface.{}.id]",
                    "addresses": "azurerm_public_ip.edge.ip_address",
                },
            )
        case Cloud.GCP:
            return _Words(
                "projects",
                {
                    "project": "google_project.main.project_id",
                    "networks": "google_compute_network.main.self_link",
                    "addresses": "google_compute_address.edge.address",
                },
            )
        case _:
            assert_never(cloud)


def readme(built: Built, module: Module) -> str:
    """The text; the same for the same file and version."""
    site = built.resolution.site
    words = _words(site.cloud)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown of our own names
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    shown = {
        each.name: _example(each.name, each.keys, words.made[each.name])
        for each in module.variables
        if each.name in words.made
    }
    needed = module.files["versions.tf.json"]["terraform"]
    return templates.get_template("module.md.j2").render(
        name=site.name,
        label=site.name.replace("-", "_"),
        cloud=title(site.cloud),
        places=words.places,
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
