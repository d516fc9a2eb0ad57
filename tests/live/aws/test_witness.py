"""Witnesses on AWS: paths of Reachability Analyzer with the ids that were read, run and deleted.

The emulator knows no such calls: a server in front of it answers them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flowbridge.cli import flowbridge
from tests.live.aws.estates import LiveSite
from tests.live.faults import Answer, Faults, faulty

pytestmark = pytest.mark.slow


def said(xml: str) -> Callable[[Any, Callable[[], Answer]], Answer]:
    body = f'<R xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">{xml}</R>'.encode()
    return lambda *_: (200, {"Content-Type": "text/xml"}, body)


def analyser(between: Faults, found: str) -> None:
    path = "<networkInsightsPath><networkInsightsPathId>nip-1</networkInsightsPathId>"
    analysis = "<networkInsightsAnalysisId>nia-1</networkInsightsAnalysisId>"
    between.set("CreateNetworkInsightsPath", said(f"{path}</networkInsightsPath>"))
    started = f"<networkInsightsAnalysis>{analysis}</networkInsightsAnalysis>"
    between.set("StartNetworkInsightsAnalysis", said(started))
    told = (
        f"<networkInsightsAnalysisSet><item>{analysis}<status>succeeded</status>"
        f"<networkPathFound>{found}</networkPathFound><explanationSet><item>"
        "<explanationCode>ENI_SG_RULES_MISMATCH</explanationCode></item></explanationSet>"
        "</item></networkInsightsAnalysisSet>"
    )
    between.set("DescribeNetworkInsightsAnalyses", said(told))
    for kind in ("Analysis", "Path"):
        between.set(f"DeleteNetworkInsights{kind}", said("<x>nip-1</x>"))


def test_paths_have_ids_and_gateways_and_are_deleted(edge: LiveSite, tmp_path: Path) -> None:
    client = edge.client
    gateway = client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    client.attach_internet_gateway(InternetGatewayId=gateway, VpcId=edge.vpc)
    tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [edge.vpc]}])
    main = tables["RouteTables"][0]["RouteTableId"]
    client.create_route(RouteTableId=main, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    words = ["rehearse", str(edge.file), "--feature", "mra/sign-in", "--attempts", "2"]
    more = ["--live", "--yes", "--witness", str(tmp_path / "w"), "--format", "json"]
    with faulty(edge.url) as between:
        analyser(between, "true")
        url = ["--endpoint-url", between.url]
        agreed = CliRunner().invoke(flowbridge, [*words, *more, *url])
        assert agreed.exit_code == 0, agreed.output
        seen = {call: n for call, n in between.seen.items() if "Insights" in call}
        analyser(between, "false")
        other = CliRunner().invoke(flowbridge, [*words, *more, *url])
    assert seen == dict.fromkeys(seen, 3)
    assert len(seen) == 5
    assert "at most 0.30 USD" in agreed.stderr
    (path,) = (tmp_path / "w").rglob("expressway-16-1-*.path.json")
    body = json.loads(path.read_text("utf-8"))
    assert body["Source"] == gateway
    assert body["Destination"] == edge.cards["10.0.1.11"]
    assert other.exit_code == 1
    verdicts = json.loads(other.stdout)["verdicts"]
    assert {(v["agrees"], v["by"]) for v in verdicts} == {(False, "ENI_SG_RULES_MISMATCH")}
