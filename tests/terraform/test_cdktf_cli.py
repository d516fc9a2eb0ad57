"""The engine's own command line, as a user runs it: synth, diff, deploy and destroy."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.terraform.conftest import REPOSITORY
from tests.terraform.deployment import deployment
from tests.terraform.emulated_ec2 import EmulatedEc2
from tests.terraform.run import PATIENCE

pytestmark = pytest.mark.slow

_COLOUR = re.compile(r"\x1b\[\d*m")
# Locking for other platforms asks the public registry, which this suite never does.
LOCAL = "--skip-provider-lock"


@pytest.fixture(scope="session")
def cli() -> Path:
    """`cdktf` from the lock; installed once into the repository's cache."""
    home = REPOSITORY / ".cache" / "cdktf-cli"
    program = home / "node_modules" / ".bin" / "cdktf"
    locked = (REPOSITORY / "package-lock.json").read_bytes()
    installed = home / "package-lock.json"
    if not program.exists() or installed.read_bytes() != locked:
        if shutil.which("npm") is None:
            pytest.skip("NOT RUN: there is no npm to install the locked cdktf-cli with")
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(REPOSITORY / name, home / name)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.skip(f"NOT RUN: `npm ci` of cdktf-cli failed: {done.stderr[-300:]}")
    return program


class Project:
    """A user's folder: `cdktf.json` and a deployment file."""

    def __init__(self, folder: Path, cli: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._cli = cli
        self._environment = environment

    def cdktf(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(self._cli), *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                **self._environment,
                "CHECKPOINT_DISABLE": "1",
                "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",  # a cache of its own in the home folder
                "CI": "1",
                "NO_COLOR": "1",
                "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return _COLOUR.sub("", done.stdout)


def test_synth_diff_deploy_and_destroy(
    tmp_path: Path, cli: Path, ec2: EmulatedEc2, offline: dict[str, str]
) -> None:
    vpc, subnets = ec2.network("10.0.1.0/24", "10.0.2.0/24", "10.0.10.0/24")
    text = deployment(ec2.url, vpc, subnets, services=["traversal-pair"])
    (tmp_path / "edge.yaml").write_text(text, "utf-8")
    settings = {
        "language": "python",
        "app": f"{sys.executable} {REPOSITORY / 'main.py'}",
        "projectId": "flowbridge-test",
        "sendCrashReports": "false",
        "context": {"deployments": "*.yaml"},
    }
    (tmp_path / "cdktf.json").write_text(json.dumps(settings), "utf-8")
    project = Project(tmp_path, cli, offline)

    project.cdktf("synth")
    stack = tmp_path / "cdktf.out" / "stacks" / "edge"
    document = json.loads((stack / "cdk.tf.json").read_text("utf-8"))
    expected = sum(len(named) for named in document["resource"].values())

    assert _planned(project.cdktf("diff", "edge", LOCAL)) == (expected, 0, 0)

    project.cdktf("deploy", "edge", "--auto-approve", "--skip-synth", LOCAL)
    mine = [{"Name": "vpc-id", "Values": [vpc]}]
    groups = ec2.client.describe_security_groups(Filters=mine)["SecurityGroups"]
    ours = len(document["resource"]["aws_security_group"])
    assert len(groups) == ours + 1, "ours and the default group"
    assert (tmp_path / "terraform.edge.tfstate").exists(), "the state outlives cdktf.out"

    project.cdktf("destroy", "edge", "--auto-approve", "--skip-synth", LOCAL)
    left = ec2.client.describe_security_groups(Filters=mine)["SecurityGroups"]
    assert [group["GroupName"] for group in left] == ["default"]


def _planned(output: str) -> tuple[int, int, int]:
    """Resources to add, to change and to destroy."""
    found = re.search(r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy", output)
    assert found is not None, output[-2000:]
    return int(found[1]), int(found[2]), int(found[3])
