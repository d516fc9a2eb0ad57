"""Each provider's oldest, middle and newest version takes what is emitted, by its own schema.

`schemas/` itself is a middle version of each, where test_schemas plans and applies; here Terraform
validates the same documents for the others (`schemas/floor`, `schemas/middle`, `schemas/newest`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from flowbridge.stacks.pipeline import Built, build, load
from tests.providers import jabber_guest
from tests.terraform.conftest import REPOSITORY
from tests.terraform.memory_provider import SCHEMAS, memory_providers
from tests.terraform.run import Terraform
from tests.terraform.test_schemas import SHORT, VARIANTS

pytestmark = pytest.mark.slow

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
FOLDERS = ("floor", "middle", "newest")


def version_of(schema: Path) -> Version:
    """The provider's version: `from` ends with it."""
    made_from = json.loads(schema.read_text("utf-8"))["from"]
    return Version(made_from.rpartition(" ")[2])


def ranges(built: Built) -> SpecifierSet:
    """What the document asks for, without the upper end."""
    [needed] = built.document["terraform"]["required_providers"].values()
    return SpecifierSet(needed["version"])


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Built]]:
    """Every example and every form of what a cloud can be told to emit, by name."""
    found = [(path.stem, build(load(path))) for path in EXAMPLES]
    owning = {"options.aws.exclusive": "true"}  # a type that came with 6.29
    found.append(("sole owner", build(load(REPOSITORY / "examples" / "emea-edge.yaml", owning))))
    for name, (cloud, deployment) in VARIANTS.items():
        found.append((name, deployment.built(cloud, tmp_path_factory.mktemp("variant"))))
    for cloud in jabber_guest.FILES:
        folder = tmp_path_factory.mktemp("balancer")
        found.append(
            (f"jabber guest {cloud}", jabber_guest.built(folder, jabber_guest.deployment(cloud)))
        )
    return found


@pytest.fixture(scope="module", params=FOLDERS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, dict[str, str]]]:
    folder = SCHEMAS / str(request.param)
    settings = tmp_path_factory.mktemp("settings") / "terraform.rc"
    settings.write_text("", "utf-8")
    with memory_providers(folder) as (attached, _):
        environment = {"TF_CLI_CONFIG_FILE": str(settings), "TF_PLUGIN_CACHE_DIR": ""}
        yield folder, {**environment, **attached}


def test_the_version_takes_every_document(
    served: tuple[Path, dict[str, str]],
    documents: list[tuple[str, Built]],
    terraform_command: tuple[str, ...],
    tmp_path: Path,
) -> None:
    folder, environment = served
    wrong: dict[str, Any] = {}
    taken = 0
    for name, built in documents:
        schema = folder / f"{SHORT[built.resolution.site.cloud]}.json"
        if not schema.exists():
            continue
        stack = tmp_path / re.sub(r"\W+", "-", name)
        stack.mkdir()
        (stack / "cdk.tf.json").write_text(json.dumps(built.document), "utf-8")
        terraform = Terraform(terraform_command, stack, environment)
        terraform.init()
        found = json.loads(terraform.run("validate", "-json", codes=(0, 1)))["diagnostics"]
        old = not ranges(built).contains(version_of(schema))
        if found and not (old and folder.name == "floor"):
            wrong[name] = [f"{each['summary']}: {each['detail']}" for each in found]
        taken += not found
    assert not wrong, json.dumps(wrong, indent=1)
    assert taken > 2


def test_the_ranges_say_what_was_tried(documents: list[tuple[str, Built]]) -> None:
    """The newest version is inside each range, and a major version that nobody tried is not."""
    for name, built in documents:
        newest = version_of(SCHEMAS / "newest" / f"{SHORT[built.resolution.site.cloud]}.json")
        assert ranges(built).contains(newest), name
        assert not ranges(built).contains(Version(f"{newest.major + 1}.0.0")), name
