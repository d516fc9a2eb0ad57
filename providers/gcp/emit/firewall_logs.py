"""Firewall rules logging: which rules write down the connections that they decide."""

from __future__ import annotations

from typing import Any, Final

from flowbridge.deployment.file.options import GcpLogging
from flowbridge.providers.gcp.emit.network_policy import POLICY
from flowbridge.providers.gcp.emit.vpc_rules import FIREWALL
from flowbridge.providers.provider import TerraformJson

_METADATA: Final = {True: "INCLUDE_ALL_METADATA", False: "EXCLUDE_ALL_METADATA"}


def add_logging(resources: TerraformJson, logging: GcpLogging) -> None:
    """Switch it on in the rules that `logging` asks for. No name or priority changes by it."""
    if logging.rules == "none":
        return
    for body in resources.get(FIREWALL, {}).values():
        if logging.rules == "all" or "deny" in body:
            body["log_config"] = {"metadata": _METADATA[logging.metadata]}
    for policy in resources.get(POLICY, {}).values():
        rules: list[dict[str, Any]] = policy["rule"]
        for rule in rules:
            if logging.rules == "all" or rule["action"] == "deny":
                rule["enable_logging"] = True
