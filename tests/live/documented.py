"""The permissions that docs/permissions.md lets people copy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

_PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"


def aws_actions() -> set[str]:
    """What the policy for the accounts that are read allows."""
    return {
        action
        for policy in _blocks("json")
        for statement in policy.get("Statement", ())
        if statement.get("Sid", "").startswith("Flowbridge")
        for action in statement["Action"]
    }


def azure_actions() -> set[str]:
    return {action for role in _blocks("json") for action in role.get("Actions", ())}


def gcp_permissions() -> set[str]:
    [role] = [role for role in _blocks("yaml") if "includedPermissions" in role]
    return set(role["includedPermissions"])


def _blocks(language: str) -> list[Any]:
    texts = re.findall(rf"```{language}\n(.*?)```", _PAGE.read_text("utf-8"), re.DOTALL)
    return [json.loads(text) if language == "json" else yaml.safe_load(text) for text in texts]
