"""Sets of addresses that the cloud knows by name, as parties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.stacks.pipeline import Checked, build, judge, load

EXAMPLES = Path(__file__).parents[2] / "examples"
LIST, TAG = "pl-0123456789abcdef0", "AzureCloud.westeurope"


def checked(example: str, folder: Path, name: str, **more: Any) -> Checked:
    data = yaml.safe_load((EXAMPLES / f"{example}.yaml").read_text("utf-8"))
    data["systems"]["admin-pc"] = {"addresses": [name], **more}
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(data), "utf-8")
    return judge(build(load(path)))


@pytest.mark.parametrize(("example", "name"), [("emea-edge", LIST), ("azure-edge", TAG)])
def test_a_set_is_named_in_rules_and_left_open_by_the_proof(
    example: str, name: str, tmp_path: Path
) -> None:
    found = checked(example, tmp_path, name)
    assert found.exit_code == 0, found.failures
    rules = [rule for rule in found.built.lowered.rules if rule.peer == name]
    assert {rule.destination_ports for rule in rules} == {"22", "443"}
    assert any(name in str(note) for note in found.unknown)


def test_a_prefix_list_counts_by_its_entries(tmp_path: Path) -> None:
    def used(found: Checked) -> int:
        scope = "expressway-e/internal ingress IPv4"
        return next(u.used for u in found.built.lowered.usage if u.scope.endswith(scope))

    one, many = checked("emea-edge", tmp_path, LIST), None
    assert any(f.id == "aws/prefix-list-size" for f in one.built.findings)
    many = checked("emea-edge", tmp_path, LIST, set_entries=10)
    assert used(many) - used(one) == 2 * 9
    assert not any(f.id == "aws/prefix-list-size" for f in many.built.findings)
    assert checked("emea-edge", tmp_path, LIST, set_entries=400).exit_code == 2


@pytest.mark.parametrize(
    ("example", "name", "words"),
    [
        ("emea-edge", TAG, "no set that aws knows"),
        ("azure-edge", LIST, "no set that azure knows"),
        ("gcp-edge", TAG, "no set that gcp knows"),
        ("azure-edge", "Internet", "everybody"),
    ],
)
def test_a_set_that_is_none_here_is_refused(
    example: str, name: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(BadFileError, match=words):
        checked(example, tmp_path, name)
