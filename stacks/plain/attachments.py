"""What joins the subnets and cards of others with what a deployment makes, as a module has it.

A root configuration has one resource for each subnet and card that the file names. A module has
one with `for_each` for each network ACL, group or NSG, and its caller says what is joined: also
where the file names none, and also ids that Terraform learns only when it applies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from flowbridge.deployment.file.site import Cloud
from flowbridge.providers.provider import TerraformJson
from flowbridge.providers.terraform.address import TerraformAddress

_REFERENCE: Final = re.compile(r"\$\{\w+\.(?P<name>[\w-]+)\.id}")
# The end of an id whose beginning Terraform reads from the credentials.
_LATE_ID: Final = re.compile(r"(?P<before>/.*\$\{.*/)(?P<name>[^/]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A resource type that joins: `theirs` is the argument for the subnet or card, `ours` for what
    the output `output` refers to by tier or by interface."""

    resource: str
    theirs: str
    ours: str
    output: str
    variable: str
    replaced_first: bool = False  # `create_before_destroy`
    after: tuple[str, str] | None = None  # rules that come first: their type, and its reference


def _kinds(cloud: Cloud) -> tuple[_Kind, ...]:
    match cloud:
        case Cloud.AWS:
            return (
                _Kind(
                    resource="aws_network_acl_association",
                    theirs="subnet_id",
                    ours="network_acl_id",
                    output="network_acl_ids",
                    variable="subnets",
                    replaced_first=True,
                    after=("aws_network_acl_rule", "network_acl_id"),
                ),
                _Kind(
                    resource="aws_network_interface_sg_attachment",
                    theirs="network_interface_id",
                    ours="security_group_id",
                    output="security_group_ids",
                    variable="cards",
                ),
            )
        case Cloud.AZURE:
            return (
                _Kind(
                    resource="azurerm_subnet_network_security_group_association",
                    theirs="subnet_id",
                    ours="network_security_group_id",
                    output="network_security_group_ids",
                    variable="subnets",
                ),
                _Kind(
                    resource="azurerm_network_interface_application_security_group_association",
                    theirs="network_interface_id",
                    ours="application_security_group_id",
                    output="application_security_group_ids",
                    variable="cards",
                    replaced_first=True,
                ),
            )
        case Cloud.GCP:
            return ()  # rules name their targets themselves
        case _:
            assert_never(cloud)


@dataclass(slots=True)
class Attachments:
    """`resources` of a module; `joined`: ids of the file by variable and tier or interface."""

    resources: TerraformJson
    joined: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def open_attachments(cloud: Cloud, document: TerraformJson) -> Attachments:
    """The resources of `document` with one joining resource for each of our groups and filters."""
    found = Attachments({kind: dict(named) for kind, named in document["resource"].items()})
    moved: dict[str, str] = {}
    for kind in _kinds(cloud):
        value = document.get("output", {}).get(kind.output, {}).get("value", {})
        if value:
            old = found.resources.pop(kind.resource, {})
            found.joined[kind.variable] = joined = {}
            new = {}
            for key, references in value.items():
                for reference in references if isinstance(references, list) else [references]:
                    there = {k: b for k, b in old.items() if b[kind.ours] == reference}
                    name, body, ids = _open(kind, key, reference, there, found.resources)
                    moved |= {f"{kind.resource}.{k}": f"{kind.resource}.{name}" for k in there}
                    new[name] = body
                    joined[key] = ids
            found.resources[kind.resource] = dict(sorted(new.items()))
    found.resources = {
        kind: {name: _depending(body, moved) for name, body in named.items()}
        for kind, named in sorted(found.resources.items())
    }
    return found


def _open(
    kind: _Kind,
    key: str,
    reference: str,
    there: Mapping[str, Any],
    resources: TerraformJson,
) -> tuple[str, dict[str, Any], list[str]]:
    """Name and body of the joining resource for one of ours, and the ids that the file joins."""
    ids = [str(body[kind.theirs]) for body in there.values()]
    late = next((found for each in ids if (found := _LATE_ID.fullmatch(each))), None)
    joined = "${each.value}"
    if late is not None:
        ids = [each.removeprefix(late["before"]) for each in ids]
        joined = (
            f'${{startswith(each.value, "/") ? each.value : "{late["before"]}${{each.value}}"}}'
        )
    body: dict[str, Any] = {
        "for_each": f'${{ {{ for i, id in lookup(var.{kind.variable}, "{key}", []) : '
        "tostring(i) => id } }",
        kind.ours: reference,
        kind.theirs: joined,
    }
    if kind.replaced_first:
        body["lifecycle"] = {"create_before_destroy": True}
    if kind.after is not None:
        body["depends_on"] = list(_rules_of(reference, kind.after, resources))
    for each in there.values():
        body |= {k: v for k, v in each.items() if k not in (kind.ours, kind.theirs)}
    named = _REFERENCE.fullmatch(reference)
    assert named is not None, reference  # noqa: S101 - our own outputs
    return named["name"], body, ids


def _rules_of(
    reference: str, after: tuple[str, str], resources: Mapping[str, Any]
) -> Iterator[str]:
    kind, argument = after
    for name, body in resources.get(kind, {}).items():
        if body[argument] == reference:
            yield TerraformAddress.of(kind, name)


def _depending(body: dict[str, Any], moved: Mapping[str, str]) -> dict[str, Any]:
    if "depends_on" not in body:
        return body
    addresses = dict.fromkeys(moved.get(each, each) for each in body["depends_on"])
    return {**body, "depends_on": list(addresses)}
