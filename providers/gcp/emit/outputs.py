"""What others need to put the rules into force: networks, tags and the machines named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowbridge.policy.compiled import Policy
from flowbridge.providers.gcp.emit.network_policy import TAG_VALUE
from flowbridge.providers.gcp.emit.targets import Target, TargetKind
from flowbridge.providers.provider import TerraformJson


def outputs(
    policy: Policy,
    networks: Mapping[str, str],
    targets: Mapping[str, Target],
    resources: TerraformJson,
) -> TerraformJson:
    """By interface: its network, its tag (a network tag, or the id of a secure tag), and the
    machines that the deployment names."""
    values = {body["short_name"]: name for name, body in resources.get(TAG_VALUE, {}).items()}
    network_tags: dict[str, str] = {}
    secure_tags: dict[str, str] = {}
    instances: dict[str, list[str]] = {}
    for interface in policy.interfaces:
        target = targets[interface.key]
        if target.kind is TargetKind.NETWORK_TAG:
            network_tags[interface.key] = target.value
        elif target.kind is TargetKind.SECURE_TAG:
            secure_tags[interface.key] = f"${{{TAG_VALUE}.{values[target.value]}.id}}"
        named = [member.attachment for member in interface.members if member.attachment]
        if named:
            instances[interface.key] = named
    described: dict[str, tuple[str, dict[str, Any]]] = {
        "networks": ("VPC network of each workload interface", dict(networks)),
        "network_tags": ("Network tag of the machines of each workload interface", network_tags),
        "secure_tags": ("Secure tag of the machines of each workload interface", secure_tags),
        "instances": ("Machines named for each workload interface", instances),
    }
    return {
        name: {"description": text, "value": dict(sorted(value.items()))}
        for name, (text, value) in described.items()
        if value
    }
