"""Others in the subnets and networks of the deployments on Azure and Google Cloud."""

from __future__ import annotations

from typing import Any

import pytest

from flowbridge.providers.live.contract import Access, reader_for
from flowbridge.stacks.live import Live
from flowbridge.stacks.pipeline import Built
from tests.live.azure import estates as azure_estate
from tests.live.azure import server as azure_server
from tests.live.gcp import estates as gcp_estate
from tests.live.gcp import server as gcp_server

pytestmark = pytest.mark.slow


def live(built: Built, url: str) -> Live:
    reach = Access(endpoint_url=url, attempts=2, deadline=60.0)
    reader = reader_for(built.resolution.site.cloud)
    return Live(built, reader, reader.fetch(built.resolution.site, reach), reach)


def test_azure_names_cards_gateways_and_endpoints() -> None:
    cloud = azure_estate.empty()
    azure_server.add_card(cloud, "endpoint-nic", "internal", "10.0.10.98")
    with azure_server.serving(cloud) as url:
        fetched = live(azure_estate.example(), url)
    network = fetched.answers.rows(type(next(iter(fetched.answers.parts))).NETWORKS)[0]
    (subnet,) = [s for s in network["properties"]["subnets"] if s["name"] == "internal"]
    group = network["id"].partition("/providers/")[0]
    balancer = f"{group}/providers/Microsoft.Network/loadBalancers/front"
    subnet["properties"]["ipConfigurations"].append(
        {"id": f"{balancer}/frontendIPConfigurations/one"}
    )
    subnet["properties"]["natGateway"] = {
        "id": f"{group}/providers/Microsoft.Network/natGateways/out"
    }
    for card in fetched.answers.rows(type(next(iter(fetched.answers.parts))).CARDS):
        if card["name"] == "endpoint-nic":
            card["properties"]["privateEndpoint"] = {"id": "/subscriptions/x/endpoint"}
    found = {each.bystander.id: each for each in fetched.beside()}
    assert found.keys() == {"printer", "endpoint-nic", "front", "out"}
    assert found["printer"].loses
    assert found["printer"].tier == "internal"
    assert "10.0.10.99" in str(found["printer"])
    spared = ("endpoint-nic", "front", "out")
    assert all(found[name].bystander.spared and not found[name].loses for name in spared)
    subnet["properties"]["privateEndpointNetworkPolicies"] = "Enabled"
    endpoint = {each.bystander.id: each for each in fetched.beside()}["endpoint-nic"]
    assert endpoint.loses
    assert endpoint.cut


def test_google_rules_meet_only_who_wears_our_tag() -> None:
    cloud = gcp_estate.empty()
    worn: Any = ("inside-net", "10.0.10.77", None)
    cloud.add_instance("lost", worn, tags=["fb-gcp-edge-cucm-single"])
    with gcp_server.serving(cloud) as url:
        fetched = live(gcp_estate.example(), url)
    found = {each.bystander.id: each for each in fetched.beside()}
    assert {"printer", "lost"} <= found.keys()
    assert "web" not in found  # of another network, with an address that is ours here
    assert found["printer"].bystander.spared
    assert not found["printer"].loses
    assert found["lost"].loses
    assert "tag or account of cucm/single" in str(found["lost"])
