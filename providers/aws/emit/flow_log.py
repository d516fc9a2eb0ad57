"""Flow logs of the tiers' subnets, where the deployment asks for them (options.logging)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from flowbridge.deployment.file.options import AwsLogging
from flowbridge.deployment.file.site import Tier
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.providers.terraform.content_names import content_hash, terraform_name
from flowbridge.providers.terraform.resource_set import ResourceSet

FLOW_LOG: Final = "aws_flow_log"
_SOURCE: Final = "EC2 API, CreateFlowLogs"
_KINDS: Final = {"s3": "s3", "logs": "cloud-watch-logs", "firehose": "kinesis-data-firehose"}


def emit_flow_logs(
    logging: AwsLogging, site: str, tiers: Mapping[str, Tier], used: Iterable[str], to: ResourceSet
) -> None:
    """A flow log of each subnet of the tiers in `used`."""
    if logging.to is None:
        return
    kind = _KINDS[logging.to.split(":")[2]]
    for name in sorted(set(used)):
        for subnet in dict.fromkeys(tiers[name].subnets):
            body: dict[str, Any] = {
                "subnet_id": subnet,
                "traffic_type": logging.traffic.upper(),
                "log_destination_type": kind,
                "log_destination": logging.to,
                "tags": {
                    "Name": f"flowbridge {site} {name}",
                    "flowbridge:site": site,
                    "flowbridge:tier": name,
                },
            }
            if logging.role:
                body["iam_role_arn"] = logging.role
            to.add(FLOW_LOG, terraform_name(name, content_hash(subnet)), body)


def flow_log_refusals(
    logging: AwsLogging, tiers: Mapping[str, Tier], used: Iterable[str]
) -> Iterator[Finding]:
    """What the API would refuse, and tiers of which nothing can be logged."""
    if logging.to is None:
        return
    if logging.to.split(":")[2] == "logs" and not logging.role:
        yield Finding(
            id="aws/flow-log-role",
            severity=Severity.REFUSAL,
            message="a flow log to a CloudWatch log group needs a role that may write there: "
            "write its ARN "
            "as `options.logging.role`, or name an S3 bucket (arn:aws:s3:::NAME)",
            source=_SOURCE,
            key="options.logging.to",
        )
    for name in sorted(set(used)):
        if not tiers[name].subnets:
            yield Finding(
                id="aws/flow-log-subnets",
                severity=Severity.REFUSAL,
                message=f"tier {name} names no subnets, so that no flow log can be made of it: "
                f"write "
                f"network.tiers.{name}.subnets, or leave options.logging.to out",
                source=_SOURCE,
                key=f"network.tiers.{name}",
            )
