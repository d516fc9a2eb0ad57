"""`flowbridge init --from-plan`: a file that checks, with a reason or a question on every line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from tests.stacks.judging import estates
from tests.stacks.judging.estates import Case
from tests.stacks.judging.shown_json import Json, resource, state


def proposed(folder: Path, document: object) -> Result:
    (folder / "plan.json").write_text(json.dumps(document), "utf-8")
    file = str(folder / "tiny.yaml")
    words = ["init", "--name", "tiny", "--from-plan", str(folder / "plan.json"), "-o", file]
    return CliRunner().invoke(flowbridge, words)


@pytest.mark.parametrize(
    ("make", "cloud"),
    [
        (estates.aws_by_address, "aws"),
        (estates.azure_cards, "azure"),
        (estates.gcp_machines, "gcp"),
    ],
)
def test_what_an_estate_tells_is_a_file_by_which_it_holds(
    make: Callable[[], Case], cloud: str, tmp_path: Path
) -> None:
    document = make().document
    assert proposed(tmp_path, document).exit_code == 0
    file = tmp_path / "tiny.yaml"
    text = file.read_text("utf-8")
    assert f"cloud: {cloud}" in text
    assert "{address: 10.0.1.11}" in text
    assert "admin-pc: {addresses: [10.9.0.0/24]}   # rules for port 22 name them" in text
    assert "question: which release runs?" in text
    words = ["judge", str(tmp_path / "plan.json"), "--deployment", str(file)]
    judged = CliRunner().invoke(flowbridge, words)
    assert judged.exit_code == 0, judged.output


def test_two_cards_subnets_and_what_nobody_knows(tmp_path: Path) -> None:
    def card(name: str, address: str) -> Json:
        body = {"id": f"eni-{name}", "private_ips": [address], "tags": {"Name": name}}
        return resource("aws_network_interface", name.replace("-", "_"), body)

    subnets = [
        resource(
            "aws_subnet", name, {"id": f"subnet-0{name}", "cidr_block": cidr, "vpc_id": "vpc-07"}
        )
        for name, cidr in (("a", "10.0.1.0/24"), ("b", "10.0.2.0/24"), ("c", "10.0.10.0/24"))
    ]
    cards = [
        card("expressway-e-outer", "10.0.1.11"),
        card("expressway-e-inner", "10.0.2.11"),
        card("expressway-c", "10.0.10.11"),
        card("cucm-pub", "10.0.10.21"),
        card("printer", "10.0.10.99"),
    ]
    assert proposed(tmp_path, state([*subnets, *cards])).exit_code == 0
    text = (tmp_path / "tiny.yaml").read_text("utf-8")
    assert "id: vpc-07" in text
    assert "dmz: {cidrs: [10.0.1.0/24, 10.0.2.0/24], subnets: [subnet-0a, subnet-0b]}" in text
    assert "internal: {cidrs: [10.0.10.0/24], subnets: [subnet-0c]}" in text
    assert "{external: 10.0.1.11, internal: 10.0.2.11}" in text
    assert "cucm: {tier: internal, addresses: [10.0.10.21]}" in text
    assert "aws_network_interface.printer: 10.0.10.99" in text
    assert "dns: {addresses: [10.0.10.2]}   # question" in text


@pytest.mark.parametrize(("document", "text"), [({"a": 1}, "no cloud"), ([], "no object")])
def test_what_is_no_plan(document: object, text: str, tmp_path: Path) -> None:
    result = proposed(tmp_path, document)
    assert result.exit_code == 2
    assert text in result.output
    assert not (tmp_path / "tiny.yaml").exists()
