"""VPC Reachability Analyzer: witnesses as network insights paths, and their analyses.

It takes TCP and UDP over IPv4 between two network interfaces, or between one and a gateway. A path
whose end is outside is scoped by addresses alone where packets leave; where they arrive, the
gateway that they come in by is its source. Paths and analyses are deleted once they have answered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any, Final

from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.file.site import Site
from flowbridge.policy.audit.estate import Unread
from flowbridge.policy.packets.packet import Address
from flowbridge.policy.questions.witness import Card, Witness
from flowbridge.providers.aws.live.answers import Answers, Part, Place
from flowbridge.providers.aws.live.client import Connection
from flowbridge.providers.aws.live.faults import fault_of
from flowbridge.providers.aws.live.placement import addresses_of
from flowbridge.providers.live.answered import Row
from flowbridge.providers.live.contract import Access
from flowbridge.providers.live.examination import (
    WHOLE,
    Asked,
    Beside,
    Check,
    Examiner,
    Request,
    Unasked,
    Verdict,
)

_CREATE: Final = "ec2:CreateNetworkInsightsPath"
_START: Final = "ec2:StartNetworkInsightsAnalysis"
# What routes call the ends that packets come in by; Reachability Analyzer takes these as sources.
_GATEWAYS: Final = ("GatewayId", "TransitGatewayId", "VpcPeeringConnectionId")
_PAUSE: Final = 2.0  # seconds between two looks at an analysis, which takes some ten


def checks(
    witness: Witness, site: Site, answers: Answers | None, beside: Beside
) -> Iterable[Asked]:
    """See `Examiner.checks`; `beside` are the route tables of the VPC."""
    if witness.protocol not in (Protocol.TCP, Protocol.UDP) or witness.source.version != 4:
        yield Unasked(witness, "Reachability Analyzer takes TCP and UDP over IPv4 alone")
        return
    needs: list[str] = []
    scope = {
        "SourceAddress": str(witness.source),
        "SourcePortRange": _port(witness.source_port),
        "DestinationAddress": str(witness.destination),
        "DestinationPortRange": _port(witness.port),
    }
    body: dict[str, Any] = {"Protocol": witness.protocol.label, "FilterAtSource": scope}
    arriving = witness.destination_card
    if witness.source_card is not None:
        body["Source"] = _interface(witness.source_card, answers, needs)
        scope["SourceAddress"] = str(witness.source_card.private)
    elif arriving is not None:
        body["Source"] = _gateway(arriving, witness.source, answers, beside, needs)
        # The gateway translates: which of both addresses it is asked by differs.
        del scope["DestinationAddress"]
    if arriving is not None:
        body["Destination"] = _interface(arriving, answers, needs)
    body["TagSpecifications"] = [
        {
            "ResourceType": "network-insights-path",
            "Tags": [{"Key": "flowbridge:site", "Value": site.name}],
        }
    ]
    path = {key: body[key] for key in ("Source", "Destination", *body) if key in body}
    analysis = {"NetworkInsightsPathId": "<NetworkInsightsPathId of the answer>"}
    yield Check(
        witness,
        witness.name,
        WHOLE,
        (Request("path", _CREATE, path), Request("analysis", _START, analysis)),
        tuple(needs),
    )


def _port(port: int) -> dict[str, int]:
    return {"FromPort": port, "ToPort": port}


def _interface(card: Card, answers: Answers | None, needs: list[str]) -> str:
    if card.attachment is not None:
        return card.attachment
    row = _row(card, answers)
    if row is not None:
        return str(row["NetworkInterfaceId"])
    needs.append(f"the id of the network interface with {card.private}")
    return f"<network interface with {card.private}>"


def _row(card: Card, answers: Answers | None) -> Row | None:
    rows = answers.parts.get(Part.CARDS, ()) if answers else ()
    for row in rows:
        if card.attachment == row["NetworkInterfaceId"]:
            return row
        if card.attachment is None and any(card.private in n for n in addresses_of(row)):
            return row
    return None


def _gateway(
    card: Card, peer: Address, answers: Answers | None, beside: Beside, needs: list[str]
) -> str:
    """The gateway that packets of `peer` come in by: the one that answers to it leave by."""
    row = _row(card, answers)
    mine = _table(beside.rows, str(row["SubnetId"])) if row else None
    best: tuple[int, str] | None = None
    for route in (mine or {}).get("Routes") or ():
        cidr = route.get("DestinationCidrBlock")
        if not cidr or route.get("State") == "blackhole" or peer not in ip_network(cidr):
            continue
        target = next((str(route[key]) for key in _GATEWAYS if route.get(key)), "")
        if best is None or ip_network(cidr).prefixlen > best[0]:
            best = ip_network(cidr).prefixlen, target
    if best is not None and best[1] not in ("", "local"):
        return best[1]
    if best is not None and best[1] == "local" and answers is not None:
        for each in answers.parts.get(Part.CARDS, ()):
            if any(peer in network for network in addresses_of(each)):
                return str(each["NetworkInterfaceId"])
    needs.append(f"the id of the gateway or interface that packets of {peer} come from")
    return f"<gateway or interface of {peer}>"


def _table(tables: Sequence[Row], subnet: str) -> Mapping[str, Any] | None:
    """The route table of a subnet: its own, else the main one."""
    main = None
    for table in tables:
        for each in table.get("Associations") or ():
            if each.get("SubnetId") == subnet:
                return table
            if each.get("Main"):
                main = table
    return main


def read(site: Site, access: Access) -> Beside:
    """The route tables of the VPC."""
    place = Place.of(site, access)
    try:
        ec2 = Connection(place, access).client("ec2")
        asked = {"Filters": [{"Name": "vpc-id", "Values": [place.vpc]}]}
        pages = ec2.get_paginator("describe_route_tables").paginate(**asked)
        return Beside(tuple(table for page in pages for table in page["RouteTables"]))
    except Exception as error:
        # Whatever the SDK raises is an answer of the place.
        fault = fault_of(error)
        call = "ec2:DescribeRouteTables"
        return Beside(
            unread=(
                Unread(
                    scope=place.scope,
                    call=call,
                    cause=fault.cause,
                    message=fault.message,
                    remedy=fault.remedy,
                ),
            )
        )


def examine(site: Site, access: Access, asked: Sequence[Check]) -> Iterator[Verdict]:
    """See `Examiner.examine`: one path and one analysis after the other."""
    place = Place.of(site, access)
    for check in asked:
        try:
            ec2 = Connection(place, access).client("ec2")
            yield _examined(ec2, check)
        except Exception as error:
            fault = fault_of(error)
            yield Verdict(check, None, f"{fault.cause}: {fault.message}")


def _examined(ec2: Any, check: Check) -> Verdict:
    path = ec2.create_network_insights_path(**check.requests[0].body)
    path_id = path["NetworkInsightsPath"]["NetworkInsightsPathId"]
    analysis_id = None
    try:
        started = ec2.start_network_insights_analysis(NetworkInsightsPathId=path_id)
        analysis_id = started["NetworkInsightsAnalysis"]["NetworkInsightsAnalysisId"]
        while True:
            found = ec2.describe_network_insights_analyses(NetworkInsightsAnalysisIds=[analysis_id])
            analysis = found["NetworkInsightsAnalyses"][0]
            if analysis.get("Status") != "running":
                return _verdict(check, analysis)
            time.sleep(_PAUSE)
    finally:
        if analysis_id is not None:
            ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=analysis_id)
        ec2.delete_network_insights_path(NetworkInsightsPathId=path_id)


def _verdict(check: Check, analysis: Mapping[str, Any]) -> Verdict:
    if analysis.get("Status") != "succeeded":
        return Verdict(check, None, str(analysis.get("StatusMessage") or "the analysis failed"))
    if analysis.get("NetworkPathFound"):
        return Verdict(check, True, "a path was found")
    return Verdict(check, False, "; ".join(_explained(analysis)) or "no path was found")


def _explained(analysis: Mapping[str, Any]) -> Iterator[str]:
    """`ENI_SG_RULES_MISMATCH sg-0a1b`, each once."""
    seen: dict[str, None] = {}
    for each in analysis.get("Explanations") or ():
        what = [each.get("ExplanationCode", "")]
        what += [
            (each.get(key) or {}).get("Id", "") for key in ("SecurityGroup", "Acl", "Component")
        ]
        what += [group.get("Id", "") for group in each.get("SecurityGroups") or ()]
        seen[" ".join(filter(None, what))] = None
    yield from filter(None, seen)


EXAMINER: Final[Examiner[Answers]] = Examiner(read, checks, examine)
