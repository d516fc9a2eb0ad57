"""A deployment's firewall as a construct, for an app of one's own.

    AwsFirewall(self, "edge", "deployments/edge.yaml", vpc_id=vpc.vpc_id_output)
    AwsFirewall(self, "edge", Site(name="edge", region="eu-west-1", ...), vpc_id=vpc.vpc_id_output)

It brings the rules and what attaches them; the stack around it has the provider and the backend.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from flowbridge.deployment.file.site import Cloud
from flowbridge.deployment.places.estate import Estate
from flowbridge.deployment.read import resolve_data
from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.stacks.annotations import annotate
from flowbridge.stacks.described import Description, data_of
from flowbridge.stacks.engine import Construct
from flowbridge.stacks.exports import Exports
from flowbridge.stacks.fragment import Fragment
from flowbridge.stacks.pipeline import RefusedError, build_estate, judge, load_all


class Firewall(Fragment, Exports):
    """The rules of one deployment, checked and proved before they join a stack.

    `deployment` is a file, or the same in code (`stacks.described`). Warnings and obligations that
    nobody accepted are annotations of the construct, which `cdktf synth` prints.

    `network_id` takes the place of the file's own and may be another construct's token. Of a file
    with several places `place` says whose rules these are; all of them are checked.
    BadFileError for a bad file; RefusedError where a check, a test or the proof fails, or the
    file is for another cloud.
    """

    cloud: ClassVar[Cloud]

    def __init__(
        self,
        scope: Construct,
        id: str,  # noqa: A002
        deployment: Description,
        network_id: str | None = None,
        place: str | None = None,
    ) -> None:
        elsewhere = network_id is not None
        if isinstance(deployment, Path | str):
            estate = load_all(Path(deployment), network_id_elsewhere=elsewhere)
        else:
            data = data_of(deployment, self.cloud)
            name = f"Site {data.get('name', id)}"
            whole = resolve_data(data, name, network_id_elsewhere=elsewhere)
            estate = Estate(whole, (whole,))
        resolution = _part(estate, place)
        site = resolution.site
        if site.cloud != self.cloud:
            raise RefusedError(
                f"{resolution.file} is a deployment for {site.cloud}, not for {self.cloud}"
            )
        here = resolution.place
        every = build_estate(estate, lambda each: network_id if each.place == here else None)
        for each in every:
            judge(each).require()
        self.built = next(each for each in every if each.resolution.place == here)
        # Outputs stay with the caller: several firewalls may share one stack.
        rules = {k: v for k, v in self.built.lowered.terraform.items() if k != "output"}
        super().__init__(scope, id, rules)
        annotate(self, self.built)


def _part(estate: Estate, place: str | None) -> Resolution:
    """The stack of `place`, or the only one. RefusedError where that is not told or not there."""
    found = [part for part in estate.parts if place is None or part.place == place]
    if len(found) != 1:
        known = ", ".join(part.place for part in estate.parts if part.place) or "none"
        raise RefusedError(
            f"{estate.whole.file} has the places {known}: say with place=... whose rules are wanted"
        )
    return found[0]
