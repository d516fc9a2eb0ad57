"""The deployment that is applied: a pair with dual NIC, for calls and for MRA."""

from __future__ import annotations

from collections.abc import Sequence

import yaml


def deployment(
    endpoint: str,
    vpc: str,
    subnets: list[str],
    *,
    size: str = "medium",
    services: Sequence[str] = ("traversal-pair", "sip-calls", "mra"),
    shuffled: bool = False,
    network_acls: bool = True,
) -> str:
    """The file's text. `shuffled` says the same in another order."""
    data: object = {
        "name": "edge",
        "cloud": "aws",
        "region": "eu-west-1",
        "size": size,
        "network": {
            "id": vpc,
            "tiers": {
                "dmz": {"cidrs": ["10.0.1.0/24", "10.0.2.0/24"], "subnets": subnets[:2]},
                "internal": {"cidrs": ["10.0.10.0/24"], "subnets": subnets[2:]},
            },
        },
        "expressway_e": {
            "tier": "dmz",
            "peers": [
                {"external": f"10.0.1.{n}", "internal": f"10.0.2.{n}", "public": f"203.0.113.{n}"}
                for n in (11,)
            ],
        },
        "expressway_c": {
            "tier": "internal",
            "peers": [{"address": "10.0.10.11"}],
        },
        "systems": {
            "cucm": {"tier": "internal", "addresses": ["10.0.10.21", "10.0.10.22"]},
            "imp": {"addresses": ["10.20.0.31"]},
            "admin-pc": {"addresses": ["10.9.0.0/24", "10.9.4.0/24"]},
            "dns": {"addresses": ["10.0.10.2"]},
            "ntp": {"addresses": ["10.0.10.3"]},
        },
        "services": list(services),
        **({} if network_acls else {"options": {"aws": {"network_acl": "none"}}}),
        "provider": {"endpoints": {"ec2": endpoint, "sts": endpoint}},
    }
    if shuffled:
        data = _reversed(data)
    return yaml.safe_dump(data, sort_keys=False)


def _reversed(value: object) -> object:
    """Every list and mapping the other way round; the meaning of a deployment stays."""
    if isinstance(value, dict):
        return {key: _reversed(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [_reversed(item) for item in reversed(value)]
    return value
