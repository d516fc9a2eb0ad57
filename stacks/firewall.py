"""A deployment's firewall as a construct, for an app of one's own.

    AwsFirewall(self, "edge", "deployments/edge.yaml", vpc_id=vpc.vpc_id_output)

It brings the rules and what attaches them; the stack around it has the provider and the backend.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from flowbridge.deployment.file.site import Cloud
from flowbridge.stacks.engine import Construct
from flowbridge.stacks.exports import Exports
from flowbridge.stacks.fragment import Fragment
from flowbridge.stacks.pipeline import RefusedError, build, judge, load


class Firewall(Fragment, Exports):
    """The rules of one deployment file, checked and proved before they join a stack.

    `network_id` takes the place of the file's own and may be another construct's token.
    BadFileError for a bad file; RefusedError where a check, a test or the proof fails, or the
    file is for another cloud.
    """

    cloud: ClassVar[Cloud]

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        deployment: Path | str,
        network_id: str | None = None,
    ) -> None:
        elsewhere = network_id is not None
        resolution = load(Path(deployment), network_id_elsewhere=elsewhere)
        site = resolution.site
        if site.cloud != self.cloud:
            raise RefusedError(
                f"{deployment} is a deployment for {site.cloud}, not for {self.cloud}"
            )
        self.built = build(resolution, network_id)
        judge(self.built).require()
        # Outputs stay with the caller: several firewalls may share one stack.
        rules = {k: v for k, v in self.built.lowered.terraform.items() if k != "output"}
        super().__init__(scope, id, rules)
