"""Terraform resources gathered by type and name."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flowbridge.providers.provider import TerraformJson
from flowbridge.providers.terraform.address import TerraformAddress


class ResourceSet:
    """Resources by type and name. A name that is used twice is a fault of ours: AssertionError."""

    def __init__(self) -> None:
        self._blocks: defaultdict[str, dict[str, Any]] = defaultdict(dict)

    def add(self, kind: str, name: str, body: dict[str, Any]) -> str:
        """Add a resource; its address."""
        if name in self._blocks[kind]:
            raise AssertionError(f"two resources are called {kind}.{name}")
        self._blocks[kind][name] = body
        return TerraformAddress.of(kind, name)

    def json(self) -> TerraformJson:
        """All of them in the order of their names."""
        return {
            kind: {name: self._blocks[kind][name] for name in sorted(self._blocks[kind])}
            for kind in sorted(self._blocks)
        }
