"""The tutorial for AWS with real Terraform: what it plans is what the stack has, all of it new."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.documented_pages import Reader
from tests.terraform.emulated_ec2 import EmulatedEc2
from tests.terraform.run import Terraform

pytestmark = pytest.mark.slow

STACK = Path("cdktf.out/stacks/my-edge")


class EnoughError(Exception):
    """What the tutorial plans is planned."""


def test_from_nothing_to_a_plan(
    ec2: EmulatedEc2,
    offline: dict[str, str],
    terraform_command: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    vpc, subnets = ec2.network("10.0.1.0/24", "10.0.2.0/24", "10.0.10.0/24")
    examples = ("aaaaaaaaaaaaaaa1", "aaaaaaaaaaaaaaa2", "bbbbbbbbbbbbbbb1")
    ids = {f"subnet-0{name}": own for name, own in zip(examples, subnets, strict=True)}
    folder = tmp_path / STACK
    here = {**offline, "AWS_ENDPOINT_URL": ec2.url}
    terraform = Terraform(terraform_command, folder, here)
    planned: dict[str, str] = {}

    def run(words: list[str]) -> None:
        assert words[0] == f"-chdir={STACK}"
        if words[1] == "init":
            terraform.init()
        elif words[1] == "plan":
            planned.update(terraform.plan())
        else:
            raise EnoughError

    reader = Reader(
        {"pip": lambda _: None, "terraform": run}, {}, {"vpc-0a1b2c3d4e5f60718": vpc, **ids}
    )
    with pytest.raises(EnoughError):
        reader.follow("docs/tutorials/aws.md")
    document = json.loads((folder / "cdk.tf.json").read_text("utf-8"))
    resources = {f"{kind}.{name}" for kind, named in document["resource"].items() for name in named}
    assert set(planned) == resources
    assert set(planned.values()) == {"create"}
