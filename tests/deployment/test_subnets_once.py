"""A subnet that stands twice in a tier is one that is missing; in two tiers it has two filters."""

from __future__ import annotations

import pytest

from tests.deployment.files import DUAL, Data, problems, setting

AZURE: Data = setting(
    DUAL,
    cloud="azure",
    region="westeurope",
    network__id=None,
    network__resource_group="uc-network",
    network__vnet="uc-vnet",
    network__tiers__dmz__subnets=["outer", "inner"],
    network__tiers__internal__subnets=["internal"],
)
PATH = (
    "/subscriptions/0/resourceGroups/uc-network/providers/Microsoft.Network/virtualNetworks/"
    "uc-vnet/subnets/"
)


@pytest.mark.parametrize(
    ("base", "subnets"),
    [
        (DUAL, ["subnet-0aa", "subnet-0aa"]),
        (AZURE, ["outer", "outer"]),
        (AZURE, ["outer", "Outer"]),
        (AZURE, ["outer", PATH + "outer"]),
    ],
    ids=str,
)
def test_twice_in_one_tier(base: Data, subnets: list[str]) -> None:
    (problem,) = problems(setting(base, network__tiers__dmz__subnets=subnets))
    assert problem.key == "network.tiers.dmz.subnets[1]"
    assert "already" in problem.message


@pytest.mark.parametrize(("base", "subnet"), [(DUAL, "subnet-0aa"), (AZURE, PATH + "OUTER")])
def test_in_two_tiers(base: Data, subnet: str) -> None:
    found = problems(setting(base, network__tiers__internal__subnets=[subnet]))
    assert [problem.key for problem in found] == ["network.tiers.internal.subnets[0]"]


def test_both_ranges_of_one_subnet_side_by_side() -> None:
    data = setting(
        DUAL,
        network__tiers__dmz={
            "cidrs": ["10.0.1.0/24", "2001:db8:1::/64", "10.0.2.0/24"],
            "subnets": ["subnet-0aa", "subnet-0aa", "subnet-0ab"],
        },
    )
    assert not problems(data)
