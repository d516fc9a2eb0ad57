"""What `flowbridge explain` prints of packets that no row asks for."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from flowbridge.cli import flowbridge

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def explained(example: str, port: int) -> str:
    words = f"explain {EXAMPLES / example} --to expressway-e/external --protocol tcp --port {port}"
    result = CliRunner().invoke(flowbridge, words.split())
    assert result.exit_code == 0, result.output
    return result.output


def test_excess_names_its_packets_its_reason_and_the_internet_in_one_word() -> None:
    """Row 11/7 prints source ports 25000-29999 and 16/2 from 1024 on, so the rest is below."""
    said = explained("emea-edge.yaml", 5061)
    assert "internet\n    excess, which no row asks for" in said
    assert "because AWS security groups do not match source ports; " in said
    # The internet is everybody but the inside, whose own excess has a line and a reason.
    assert "tcp peers 0.0.0.0/5, 8.0.0.0/7, 11.0.0.0/8, 12.0.0.0/6 ..., source ports 0-1023" in said
    assert "AWS security groups have no deny, so the internet is every address to them" in said


def test_a_cloud_that_matches_source_ports_has_no_excess_to_name() -> None:
    said = explained("azure-edge.yaml", 5061)
    assert said.startswith("OPEN")
    assert "excess" not in said


def test_packets_leave_towards_their_peer() -> None:
    said = (
        CliRunner()
        .invoke(
            flowbridge,
            [
                "explain",
                str(EXAMPLES / "emea-edge.yaml"),
                *("--to", "dns", "--protocol", "udp", "--port", "53"),
            ],
        )
        .output
    )
    assert "expressway-c/single egress to dns" in said
    assert "egress from" not in said
