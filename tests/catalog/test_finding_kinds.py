"""Every id under which something is found has its sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from flowbridge.catalog.finding_kind import finding_kinds, help_address

ROOT = Path(__file__).parents[2]
ID = re.compile(r'(?<=")(?:accept|check|deployment|stacks|aws|azure|gcp)/[a-z0-9/-]*[a-z0-9](?=")')


def ids() -> Iterator[str]:
    for room in ("deployment", "providers", "stacks"):
        for module in (ROOT / room).rglob("*.py"):
            yield from (found[0] for found in ID.finditer(module.read_text("utf-8")))
        for table in (ROOT / room).rglob("obligations.yaml"):
            yield from (entry["id"] for entry in yaml.safe_load(table.read_text("utf-8")))


def test_every_id_has_a_sentence() -> None:
    assert sorted(set(ids()) - set(finding_kinds())) == []


def test_help_is_a_public_page() -> None:
    assert str(help_address("guide/no-alg")).startswith("https://www.cisco.com/")
    assert "vpc-network-acls" in str(help_address("aws/network-acl-widened"))
    assert help_address("deployment/cut-off") is None
