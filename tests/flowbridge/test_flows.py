"""`flowbridge flows` and `request`: lists by address, held against the packets of the policy."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from flowbridge.catalog.load import load as load_catalog
from flowbridge.cli import flowbridge
from flowbridge.deployment.selection.elsewhere import flows_elsewhere
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.policy.questions.flow_list import FlowLine, changes, flow_lines
from flowbridge.stacks.pipeline import load

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def seen(lines: tuple[FlowLine, ...], direction: Direction) -> PacketSet:
    """The packets that `lines` ask of the card that they were listed for."""
    wanted = "outbound" if direction is Direction.EGRESS else "inbound"
    outward = wanted == "outbound"
    return PacketSet.union(
        PacketSet.of(
            line.destination_addresses if outward else line.source_addresses,
            int(line.protocol),
            line.source_ports,
            line.destination_ports,
        )
        - PacketSet.of(line.destination_but if outward else line.source_but, None)
        for line in lines
        if line.side == wanted
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_list_of_a_card_is_what_its_rules_are_made_for(example: Path) -> None:
    resolution = load(example)
    policy = compile_policy(resolution.interfaces, resolution.flows)
    for interface in resolution.interfaces:
        lines = flow_lines(resolution.flows, interface.key)
        for direction in Direction:
            asked = policy.intended(Point(interface.key, direction))
            # A card is asked for nothing in an IP version that it does not have.
            versions = {network.version for network in interface.private}
            assert seen(lines, direction) == asked or versions == {4, 6}, (interface, direction)


def test_a_change_request_leads_from_one_file_to_the_other(tmp_path: Path) -> None:
    example = next(path for path in EXAMPLES if path.stem == "emea-edge")
    text = example.read_text("utf-8")
    other = tmp_path / "other.yaml"
    other.write_text(text.replace("10.0.10.22", "10.0.10.23").replace("sip-calls, ", ""), "utf-8")
    before, after = (flow_lines(load(path).flows) for path in (example, other))
    found = changes(before, after)
    assert {change.opens for change in found} == {True, False}

    def packets(lines: tuple[FlowLine, ...]) -> set[tuple[str, str, int, str, int]]:
        return {
            (str(a), str(b), int(line.protocol), ",".join(map(str, line.source_ports)), port)
            for line in lines
            for a in line.source_addresses
            for b in line.destination_addresses
            for span in line.destination_ports
            for port in (span.first, span.last)
        }

    opened = {c for c in found if c.opens}
    wanted = packets(after) - packets(before)
    given = {
        (str(c.line.source_addresses[0]), str(c.line.destination_addresses[0]), port)
        for c in opened
        for span in c.ports
        for port in range(span.first, span.last + 1)
    }
    assert {(a, b, port) for a, b, _, _, port in wanted} <= given
    assert not changes(before, before)


def test_flows_between_ends_elsewhere_are_listed_and_no_rule_is_made() -> None:
    example = next(path for path in EXAMPLES if path.stem == "emea-edge")
    site = load(example).site.model_copy(update={"services": ("mra", "cucm-phones")})
    found = flows_elsewhere(site, load_catalog())
    assert all(f.source.interface is None is f.destination.interface for f in found)


@pytest.mark.parametrize("ending", ["csv", "md", "json"])
def test_a_format_is_whole_in_a_pipe(ending: str) -> None:
    example = next(path for path in EXAMPLES if path.stem == "emea-edge")
    done = subprocess.run(
        [sys.executable, "-m", "flowbridge", "flows", str(example), "--format", ending],
        capture_output=True,
        check=True,
        cwd=EXAMPLES[0].parents[1],
    )
    expected = len(flow_lines(load(example).flows))
    text = done.stdout.decode("utf-8")
    if ending == "json":
        assert len(json.loads(text)) == expected
    elif ending == "csv":
        assert text.count("\r\n") == expected + 1
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert all(row["managed"] == "True" for row in rows)
        assert len({len(row) for row in rows}) == 1
    else:
        assert len(text.splitlines()) == expected + 2


def test_a_workbook_has_its_sheets_and_no_formula(tmp_path: Path) -> None:
    target = tmp_path / "change.xlsx"
    words = ["request", str(EXAMPLES[0]), str(EXAMPLES[0]), "--format", "xlsx", "-o", str(target)]
    assert CliRunner().invoke(flowbridge, words).exit_code == 0
    with zipfile.ZipFile(target) as book:
        names = book.namelist()
        assert sum(name.startswith("xl/worksheets/sheet") for name in names) == 3
        assert not any(b"<f>" in book.read(name) for name in names)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["flows", "FILE", "--at", "dsn"], "did you mean dns?"),
        (["flows", "FILE", "--format", "xlsx"], "-o flows.xlsx"),
        (["request", "FILE", "nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], told: str) -> None:
    example = str(next(path for path in EXAMPLES if path.stem == "emea-edge"))
    result = CliRunner().invoke(flowbridge, [example if w == "FILE" else w for w in words])
    assert result.exit_code == 2
    assert told in result.output


def test_a_file_of_json_is_what_stdout_has(tmp_path: Path) -> None:
    """With the versions of code and catalog that it comes from."""
    example = str(EXAMPLES[0])
    for words in (["flows", example], ["request", example, str(EXAMPLES[-1])]):
        target = tmp_path / "x.json"
        said = CliRunner().invoke(flowbridge, [*words, "--format", "json"]).stdout
        CliRunner().invoke(flowbridge, [*words, "--format", "json", "-o", str(target)])
        assert target.read_text("utf-8") == said
    assert json.loads(said)["provenance"]["catalog"]


FIREWALL = """
firewalls:
  premises:
    kind: nftables
    zones:
      inside: {behind: [dmz, internal]}
      outside: {behind: [internet, 10.9.0.0/16]}
"""


def test_at_a_firewall_is_what_crosses_it_by_the_addresses_that_it_sees(tmp_path: Path) -> None:
    example = next(path for path in EXAMPLES if path.stem == "emea-edge")
    file = tmp_path / "site.yaml"
    file.write_text(example.read_text("utf-8") + FIREWALL, "utf-8")

    def lines(*more: str) -> list[dict[str, object]]:
        result = CliRunner().invoke(flowbridge, ["flows", str(file), "--format", "json", *more])
        assert result.exit_code == 0, result.output
        found: list[dict[str, object]] = json.loads(result.stdout)
        return found

    every, crossing = lines(), lines("--at", "premises")
    rows = [each["rows"] for each in crossing]
    assert 0 < len(crossing) < len(every)
    assert ["expressway/6/3"] in rows  # administration, from 10.9.0.0/24
    # Between Expressway-C and Expressway-E nothing crosses: both are behind one side.
    assert not any("expressway/11/9" in each for each in rows)  # type: ignore[operator]
    # Before the NAT: by its own address, where others meet it by the public one.
    turn = next(each for each in crossing if "expressway/11/14" in each["rows"])  # type: ignore[operator]
    assert turn["destination_addresses"] == ["10.0.1.11"]
    elsewhere = next(each for each in every if "expressway/11/14" in each["rows"])  # type: ignore[operator]
    assert elsewhere["destination_addresses"] == ["203.0.113.11"]
