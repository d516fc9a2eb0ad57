"""Terraform itself takes the modules: called twice, with ids that are known only later."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flowbridge.stacks.pipeline import build, load
from flowbridge.stacks.plain.form import ModuleForm
from tests.terraform.conftest import REPOSITORY
from tests.terraform.run import Terraform
from tests.terraform.test_schemas import Cloudless, cloudless

__all__ = ["cloudless"]

pytestmark = pytest.mark.slow

EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))
PROVIDERS = {
    "aws": {"aws": [{"region": "eu-west-1"}]},
    "azure": {"azurerm": [{"features": [{}]}]},
    "gcp": {"google": [{"project": "p", "region": "europe-west1"}]},
}


def write_module(example: Path, folder: Path) -> tuple[str, Any]:
    """Write the module below `folder`; its name and the deployment that it was made of."""
    form = ModuleForm()
    built = form.build(example)
    form.write((built,), folder)
    return built.resolution.site.name, built


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_a_module_is_used_twice(example: Path, cloudless: Cloudless, tmp_path: Path) -> None:
    name, built = write_module(example, tmp_path)
    cloud = str(built.resolution.site.cloud)
    root = {
        "terraform": {"required_providers": built.document["terraform"]["required_providers"]},
        "provider": PROVIDERS[cloud],
        "module": {
            "one": {"source": f"./modules/{name}", "for_each": {"a": "1", "b": "2"}},
            "counted": {"source": f"./modules/{name}", "count": 0},
        },
        "output": {"all": {"value": "${module.one}"}},
    }
    terraform = Terraform(cloudless.command, tmp_path, cloudless.environment)
    (tmp_path / "main.tf.json").write_text(json.dumps(root), "utf-8")
    terraform.init()
    assert json.loads(terraform.run("validate", "-json"))["diagnostics"] == []
    planned = terraform.plan()
    document = build(load(example)).document
    expected = {kind: 2 * len(named) for kind, named in document["resource"].items()}
    kinds = Counter(address.split('"].')[1].split(".")[0] for address in planned)
    assert kinds == expected
    assert set(planned.values()) == {"create"}


def test_ids_that_are_known_only_after_apply(cloudless: Cloudless, tmp_path: Path) -> None:
    """The subnets, cards and addresses of the module are made by the same configuration."""
    name, built = write_module(REPOSITORY / "examples" / "emea-edge.yaml", tmp_path)
    root = {
        "terraform": {"required_providers": built.document["terraform"]["required_providers"]},
        "provider": PROVIDERS["aws"],
        "resource": {
            "aws_security_group": {"late": {"name": "late"}},
            "aws_eip": {"late": {"domain": "vpc"}},
        },
        "module": {
            "edge": {
                "source": f"./modules/{name}",
                "vpc_id": "${aws_security_group.late.id}",
                "subnets": {"dmz": ["${aws_security_group.late.id}"]},
                "cards": {"expressway-e/external": ["${aws_security_group.late.id}"]},
                "addresses": {"10.20.0.31": "${aws_eip.late.public_ip}"},
            }
        },
    }
    terraform = Terraform(cloudless.command, tmp_path, cloudless.environment)
    (tmp_path / "main.tf.json").write_text(json.dumps(root), "utf-8")
    terraform.init()
    planned = terraform.plan()
    attached = [each for each in planned if "aws_network_interface_sg_attachment" in each]
    assert attached == [
        'module.edge.aws_network_interface_sg_attachment.expressway-e_external["0"]'
    ]
    assert sum("aws_network_acl_association" in each for each in planned) == 1


def test_a_key_that_the_module_does_not_know_is_refused(
    cloudless: Cloudless, tmp_path: Path
) -> None:
    name, built = write_module(REPOSITORY / "examples" / "emea-edge.yaml", tmp_path)
    root = {
        "terraform": {"required_providers": built.document["terraform"]["required_providers"]},
        "provider": PROVIDERS["aws"],
        "module": {"edge": {"source": f"./modules/{name}", "subnets": {"dmzz": []}}},
    }
    terraform = Terraform(cloudless.command, tmp_path, cloudless.environment)
    (tmp_path / "main.tf.json").write_text(json.dumps(root), "utf-8")
    terraform.init()
    said = terraform.run("plan", "-no-color", "-input=false", "-json", codes=(1,))
    assert "write no other keys than dmz, internal" in said
