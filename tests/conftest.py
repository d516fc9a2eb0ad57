"""The order of the suite: what takes longest starts first, so that no core waits at the end."""

from __future__ import annotations

import os

import pytest

# The programs that tests start run from kept byte code, as on any machine after the first run.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Terraform's AWS provider has a large schema, and to go through it at every turn of Go's collector
# takes a third of all its time.
os.environ.setdefault("GOGC", "400")

LONGEST_FIRST = ("lifecycle", "cdktf-cli", "validate", "schemas")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups that run real Terraform first, in this order; the rest as collected."""

    def rank(item: pytest.Item) -> int:
        marker = item.get_closest_marker("xdist_group")
        name = marker.args[0] if marker and marker.args else ""
        return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=rank)
