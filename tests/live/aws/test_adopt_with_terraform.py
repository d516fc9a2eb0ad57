"""Real Terraform takes the import blocks: it creates nothing that exists and destroys nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from flowbridge.cli import flowbridge
from tests.live.aws.estates import LiveSite
from tests.live.aws.tampering import remove_rule, widen_by_a_port
from tests.terraform.conftest import App
from tests.terraform.emulated_ec2 import CREDENTIALS, EmulatedEc2
from tests.terraform.plugins import find_mirror, write_settings
from tests.terraform.run import find_terraform

pytestmark = pytest.mark.slow


@pytest.fixture
def app(tmp_path: Path) -> App:
    mirror, command = find_mirror(), find_terraform()
    if mirror is None or command is None:
        pytest.skip("NOT RUN: no Terraform, or no terraform-provider-aws, on this machine")
    settings = write_settings(mirror, tmp_path)
    environment = {
        "TF_CLI_CONFIG_FILE": str(settings),
        "TF_PLUGIN_CACHE_DIR": "",
        **CREDENTIALS,
    }
    return App(tmp_path, environment, tuple(command))


def test_what_was_adopted_is_all_that_terraform_then_knows(
    app: App, cloud: EmulatedEc2, edge: LiveSite
) -> None:
    """One rule is gone, one is wider, everything else is as planned."""
    remove_rule(edge)
    widen_by_a_port(edge)
    data = yaml.safe_load(edge.file.read_text("utf-8"))
    data["provider"] = {"endpoints": {"ec2": cloud.url, "sts": cloud.url}}
    terraform = app.synthesize(yaml.safe_dump(data), "edge")
    result = CliRunner().invoke(
        flowbridge,
        ["adopt", str(app.folder / "edge.yaml"), "-o", str(terraform.folder / "imports.tf")],
    )
    assert result.exit_code == 0, result.output
    terraform.init()
    planned = terraform.apply()
    by_action: dict[str, list[str]] = {}
    for address, action in planned.items():
        by_action.setdefault(action, []).append(address)
    assert by_action.keys() <= {"create", "update", "import", "noop"}, by_action
    created, gate = sorted(by_action["create"])
    assert gate == "terraform_data.flowbridge_rules_in_place"  # in no cloud
    assert created.startswith("aws_vpc_security_group_ingress_rule.expressway-e_external")
    assert any("expressway-e_external" in address for address in by_action["update"])
    assert set(terraform.plan().values()) <= {"noop"}
    assert edge.audit().verdict == "clean"
