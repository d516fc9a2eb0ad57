"""The reference of the deployment file says every key, and only what is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowbridge.catalog.load import load
from flowbridge.deployment.file.site import site_of_data
from flowbridge.deployment.pages.reference import reference_text, sections
from flowbridge.deployment.pages.schema import deployment_schema
from flowbridge.deployment.selection.parties import CLUSTER_PARTIES

PAGE = Path(__file__).parents[2] / "docs" / "deployment.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def parts() -> dict[str, str]:
    """The text below each heading that names a section of the file."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.split(r"^#+ (.*)$", text, flags=re.MULTILINE)
    headings = {"The file": "", "`options`: settings and switches": "options"}
    return {
        headings.get(heading, heading.split(":")[0].strip("`")): body
        for heading, body in zip(found[1::2], found[2::2], strict=True)
    }


def test_the_committed_reference_is_that_of_the_model() -> None:
    """After a change: `python -m flowbridge.deployment.pages.reference > docs/deployment.md`."""
    assert PAGE.read_text(encoding="utf-8") == reference_text(load())


def test_every_key_stands_in_the_part_of_its_section() -> None:
    found = parts()
    for path, section in sections(deployment_schema(load())):
        for name in section["properties"]:
            assert f"\n| `{name}` | " in found[path], f"{path}.{name}"


def test_every_service_system_and_port_name_has_a_line() -> None:
    catalog, text = load(), PAGE.read_text(encoding="utf-8")
    for name in (*catalog.services, *catalog.parties):
        assert (f"\n| `{name}` | " in text) == (name not in CLUSTER_PARTIES), name


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split(":")[0].split("\n")[-1])
def test_examples_can_be_written_so(example: str) -> None:
    """Each in the place of the same keys of the first, which is whole."""
    whole: dict[str, Any] = yaml.safe_load(EXAMPLES[0])
    keys = yaml.safe_load(example)
    if "project" in keys.get("network", {}):
        keys["cloud"] = "gcp"
    site_of_data({**whole, **keys})
