"""A deployment as a Terraform module: what belongs to the caller's side becomes variables.

A module has no provider and no backend, so that `count`, `for_each` and `depends_on` work on it.
Its variables default to what the file says; what the file does not say has to be given.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never

from flowbridge.deployment.file.site import Cloud, GcpSite, Site
from flowbridge.providers.provider import TerraformJson
from flowbridge.stacks.pipeline import Built
from flowbridge.stacks.plain.attachments import open_attachments
from flowbridge.stacks.plain.late_addresses import late_addresses

# `lookup` with three arguments and `startswith` (1.3); no feature is newer.
REQUIRED_VERSION: Final = ">= 1.3"


@dataclass(frozen=True, slots=True)
class Variable:
    """One input. `default` None: it has to be given. `keys`: the only ones that a map may have."""

    name: str
    type: str
    description: str
    default: Any = None
    keys: tuple[str, ...] | None = None

    def block(self) -> TerraformJson:
        """As `variable.<name>` of Terraform JSON."""
        block: TerraformJson = {"description": self.description, "type": self.type}
        if self.default is not None:
            block["default"] = self.default
        if self.keys is not None:
            listed = json.dumps(list(self.keys), ensure_ascii=False)
            block["validation"] = [
                {
                    "condition": f"${{length(setsubtract(keys(var.{self.name}), {listed})) == 0}}",
                    "error_message": f"{self.name}: write no other keys than "
                    f"{', '.join(self.keys) or 'none'}.",
                }
            ]
        return block


@dataclass(frozen=True, slots=True)
class Module:
    """`files`: what is written, by name, as Terraform JSON."""

    variables: tuple[Variable, ...]
    files: Mapping[str, TerraformJson]

    @property
    def outputs(self) -> Mapping[str, Any]:
        outputs: Mapping[str, Any] = self.files["outputs.tf.json"].get("output", {})
        return outputs


_Change = Callable[[str, str], str]  # of a text and the argument that holds it


def module_of(built: Built) -> Module:
    """The module of a deployment, which was built with the file's own values."""
    site, document = built.resolution.site, built.document
    attachments = open_attachments(site.cloud, document)
    variables = [*_scalars(site, document), *_joined(attachments.joined)]
    resources: Any = attachments.resources
    networks = _google_networks(resources)
    if networks:
        variables.append(
            Variable(
                "networks",
                "map(string)",
                "Networks that take the place of the file's, by the file's name, as a name or a "
                "self link.",
                {},
                networks,
            )
        )
        resources = _with_networks(resources, networks)
    for change in _replaced(site):
        resources = _each_text(resources, change)
    addresses = late_addresses(built.resolution, resources)
    if addresses:
        variables.append(
            Variable(
                "addresses",
                "map(string)",
                "Addresses that take the place of the file's, by the file's address: for those "
                "that Terraform allocates. Each must be of the same tier or the same outside.",
                {},
                addresses,
            )
        )
        resources = _each_text(resources, _looked_up(addresses))
    main = {"resource": resources}
    if "data" in document:
        main["data"] = document["data"]
    outputs = dict(document.get("output", {}))
    if networks and "networks" in outputs:
        looked_up = _network_names(networks)
        outputs["networks"] = _each_text(outputs["networks"], lambda text, _: looked_up(text))
    needed = document["terraform"]["required_providers"]
    return Module(
        tuple(variables),
        {
            "main.tf.json": main,
            "variables.tf.json": {"variable": {each.name: each.block() for each in variables}},
            "outputs.tf.json": {"output": outputs},
            "versions.tf.json": {
                "terraform": {"required_version": REQUIRED_VERSION, "required_providers": needed}
            },
        },
    )


def _scalars(site: Site, document: TerraformJson) -> Iterator[Variable]:
    match site.cloud:
        case Cloud.AWS:
            yield Variable("vpc_id", "string", "Id of the VPC.", site.network.id)
        case Cloud.AZURE:
            group = next(_values_of("resource_group_name", document["resource"]), None)
            yield Variable(
                "resource_group_name", "string", "Resource group of what is made.", group
            )
            yield Variable("location", "string", "Azure region.", site.region)
        case Cloud.GCP:
            project = GcpSite.of(site).network.project
            yield Variable("project", "string", "Google Cloud project id.", project)
        case _:
            assert_never(site.cloud)


def _replaced(site: Site) -> Iterator[_Change]:
    """Variables that stand for a value of the file wherever its argument has it."""
    match site.cloud:
        case Cloud.AWS:
            yield _argument("vpc_id")
        case Cloud.AZURE:
            for name in ("resource_group_name", "location"):
                yield _argument(name)
        case Cloud.GCP:
            if project := GcpSite.of(site).network.project:
                yield _project(project)
        case _:
            assert_never(site.cloud)


def _joined(joined: Mapping[str, Mapping[str, list[str]]]) -> Iterator[Variable]:
    words = {
        "subnets": "Ids of the subnets that take the rules, by tier.",
        "cards": "Ids of the network cards that take the rules, by interface. A new card may name "
        "the groups of the outputs itself instead.",
    }
    for name, ids in joined.items():
        default = {key: value for key, value in ids.items() if value}
        yield Variable(name, "map(list(string))", words[name], default, tuple(sorted(ids)))


def _each_text(value: Any, change: _Change, key: str = "") -> Any:
    match value:
        case str():
            return change(value, key)
        case Mapping():
            return {k: _each_text(each, change, k) for k, each in value.items()}
        case list():
            return [_each_text(each, change, key) for each in value]
    return value


def _argument(name: str) -> _Change:
    return lambda text, key: f"${{var.{name}}}" if key == name else text


def _project(value: str) -> _Change:
    # Google's ids of networks, tags and policies have the project in them.
    project = re.compile(rf"(?<![\w-]){re.escape(value)}(?![\w-])")
    places = {"project", "parent", "attachment_target", "network"}
    return lambda text, key: (
        project.sub("${var.project}", text) if key in places and not text.startswith("$") else text
    )


def _looked_up(addresses: tuple[str, ...]) -> _Change:
    hosts = {f"{each}/{128 if ':' in each else 32}": each for each in addresses}

    def change(text: str, key: str) -> str:
        if text not in hosts or key in ("description", "name"):
            return text
        host = hosts[text]
        return text.replace(host, f'${{lookup(var.addresses, "{host}", "{host}")}}')

    return change


def _values_of(argument: str, resources: Mapping[str, Any]) -> Iterator[str]:
    for named in resources.values():
        for body in named.values():
            if isinstance(body.get(argument), str):
                yield body[argument]


def _google_networks(resources: Mapping[str, Any]) -> tuple[str, ...]:
    rules = {"google_compute_firewall": resources.get("google_compute_firewall", {})}
    return tuple(sorted(set(_values_of("network", rules))))


def _with_networks(resources: TerraformJson, networks: tuple[str, ...]) -> TerraformJson:
    looked_up = _network_names(networks)
    rules = {
        name: {**body, "network": looked_up(body["network"])}
        for name, body in resources.get("google_compute_firewall", {}).items()
    }
    return {**resources, "google_compute_firewall": rules} if rules else resources


def _network_names(networks: tuple[str, ...]) -> Callable[[str], str]:
    return lambda text: (
        f'${{lookup(var.networks, "{text}", "{text}")}}' if text in networks else text
    )
