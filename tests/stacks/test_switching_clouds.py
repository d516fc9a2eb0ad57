"""Another `cloud` and its network in a file, and nothing else: the protection is the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
import yaml

from flowbridge.policy.filter import passes
from flowbridge.policy.packets.packet_set import EMPTY, PacketSet
from flowbridge.stacks.pipeline import Checked, check

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
# All that has to be written anew: where the deployment stands.
NETWORKS: Final[dict[str, dict[str, Any]]] = {
    "aws": {"id": "vpc-0a1b2c3d4e5f60718"},
    "azure": {"resource_group": "uc-network", "vnet": "uc-vnet"},
    "gcp": {
        "project": "uc-edge-prod",
        "id": "inside-net",
        "networks": {"external": "dmz-net", "internal": "inside-net"},
    },
}
REGIONS: Final = {"aws": "eu-west-1", "azure": "westeurope", "gcp": "europe-west1"}
SWITCHED: Final = (
    "emea-edge",
    "single-nic",
    pytest.param("edge-cluster", marks=pytest.mark.slow),
)


@cache
def switched(example: str, cloud: str) -> Checked:
    data: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{example}.yaml").read_text("utf-8"))
    tiers = data["network"]["tiers"]
    for tier in tiers.values():
        tier.pop("subnets", None)  # each cloud's own ids
    data["network"] = {**NETWORKS[cloud], "tiers": tiers}
    data |= {"cloud": cloud, "region": REGIONS[cloud]}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(yaml.safe_dump(data), "utf-8")
        return check(path)


@pytest.mark.parametrize("example", SWITCHED)
@pytest.mark.parametrize("cloud", NETWORKS)
def test_everything_holds_on_each_cloud(example: str, cloud: str) -> None:
    checked = switched(example, cloud)
    assert checked.exit_code == 0, (checked.built.refused(), checked.failures)
    assert checked.assertions


@pytest.mark.parametrize("example", SWITCHED)
@pytest.mark.parametrize("cloud", ["azure", "gcp"])
def test_the_intent_is_the_same(example: str, cloud: str) -> None:
    here, there = switched(example, "aws").built.policy, switched(example, cloud).built.policy
    assert list(here.demands) == list(there.demands)
    for point in here.demands:
        assert here.intended(point) == there.intended(point), point
    assert here.demands == there.demands


@pytest.mark.parametrize("example", SWITCHED)
@pytest.mark.parametrize("cloud", NETWORKS)
def test_what_is_enforced_differs_by_the_excess_that_is_named(example: str, cloud: str) -> None:
    """Exactly: no cloud opens anything that it does not say, nor says anything it does not open."""
    checked = switched(example, cloud)
    named: dict[str, PacketSet] = {}
    for excess in checked.built.lowered.excess:
        named[excess.where] = named.get(excess.where, EMPTY) | excess.packets
    for point in checked.built.policy.demands:
        intended = checked.built.policy.intended(point)
        filters = checked.enforcement[point]
        # A network ACL stands before the groups and can only take away: what it leaves of the
        # groups' excess (all but the inside) is all that passes unasked.
        groups = tuple(one for one in filters if one.stateful)
        extra = passes(groups) - intended
        assert extra == named.get(str(point), EMPTY), point
        assert passes(filters) - intended <= extra, point
