"""`flowbridge init --topology`: a first file for each way that sites stand, which holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowbridge.commands.init import TOPOLOGIES, command
from flowbridge.deployment.file.site import Cloud
from flowbridge.stacks.pipeline import build_file, judge

STACKS = {"two-networks": 2}


def written(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [*words, "-o", str(folder / "site.yaml")])


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("cloud", list(Cloud))
def test_the_file_of_each_topology_holds(cloud: Cloud, topology: str, tmp_path: Path) -> None:
    result = written(tmp_path, "--cloud", cloud.value, "--topology", topology)
    assert result.exit_code == 0, result.output
    stacks = [judge(each) for each in build_file(tmp_path / "site.yaml")]
    assert len(stacks) == STACKS.get(topology, 1)
    for each in stacks:
        assert not each.built.refusals
        assert not each.failures


@pytest.mark.parametrize("topology", ["on-premises", "two-clusters"])
def test_with_one_card_too(topology: str, tmp_path: Path) -> None:
    result = written(tmp_path, "--nics", "single", "--topology", topology)
    assert result.exit_code == 0, result.output
    (checked,) = [judge(each) for each in build_file(tmp_path / "site.yaml")]
    assert not checked.failures


def test_two_networks_have_a_card_in_each(tmp_path: Path) -> None:
    result = written(tmp_path, "--nics", "single", "--topology", "two-networks")
    assert result.exit_code == 2
    assert "a card in each" in result.output
    assert not (tmp_path / "site.yaml").exists()


def test_without_the_option_it_is_one_network(tmp_path: Path) -> None:
    written(tmp_path)
    text = (tmp_path / "site.yaml").read_text("utf-8")
    (tmp_path / "site.yaml").unlink()
    written(tmp_path, "--topology", "one-network")
    assert (tmp_path / "site.yaml").read_text("utf-8") == text
    assert "places:" not in text
