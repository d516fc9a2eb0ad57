"""Two deployments that name what takes the rules of only one are refused, at the second."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowbridge.deployment.finding import Severity
from flowbridge.stacks.pipeline import build_all
from flowbridge.stacks.shared_places import SHARED

EXAMPLES = Path(__file__).parents[2] / "examples"


def beside(example: str, folder: Path, *changes: tuple[str, str]) -> Path:
    """The example as another deployment."""
    lines = (EXAMPLES / f"{example}.yaml").read_text("utf-8").splitlines()
    text = "\n".join("name: another" if line.startswith("name:") else line for line in lines)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = folder / "another.yaml"
    file.write_text(text, "utf-8")
    return file


def told(*files: Path) -> list[tuple[str, str, int | None]]:
    return [
        (each.resolution.site.name, finding.key, finding.line)
        for each in build_all(files)
        for finding in each.findings
        if finding.id == SHARED and finding.severity is Severity.REFUSAL
    ]


@pytest.mark.parametrize(
    ("example", "keys"),
    [
        ("emea-edge", ["network.tiers.dmz.subnets", "network.tiers.internal.subnets"]),
        ("azure-edge", ["network.tiers.dmz.subnets", "network.tiers.internal.subnets"]),
        ("gcp-policy", ["network"]),
    ],
)
def test_what_takes_the_rules_of_one_only(example: str, keys: list[str], tmp_path: Path) -> None:
    found = told(EXAMPLES / f"{example}.yaml", beside(example, tmp_path))
    assert [(name, key) for name, key, _ in found] == [("another", key) for key in keys]
    assert all(line for _, _, line in found)


def test_an_azure_subnet_is_the_same_by_its_name_and_by_its_id(tmp_path: Path) -> None:
    (built,) = build_all([EXAMPLES / "azure-edge.yaml"])
    place = next(each for each in built.lowered.occupied if each.name == "dmz-outer")
    other = beside("azure-edge", tmp_path, ("[dmz-outer, dmz-inner]", f'["{place.place}"]'))
    assert ("another", "network.tiers.dmz.subnets") in {
        (name, key) for name, key, _ in told(EXAMPLES / "azure-edge.yaml", other)
    }


def test_firewall_rules_of_a_network_can_be_of_several_deployments(tmp_path: Path) -> None:
    assert told(EXAMPLES / "gcp-edge.yaml", beside("gcp-edge", tmp_path)) == []


def test_subnets_of_their_own_are_nothing_to_tell(tmp_path: Path) -> None:
    other = beside("emea-edge", tmp_path, ("subnet-0a", "subnet-0e"))
    assert told(EXAMPLES / "emea-edge.yaml", other) == []


def test_the_examples_can_stand_beside_each_other() -> None:
    assert told(*sorted(EXAMPLES.glob("*.yaml"))) == []
