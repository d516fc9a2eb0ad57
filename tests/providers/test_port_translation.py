"""The load balancers that translate 80 to 9980 and 443 to 9443, and the rules that go with them."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from flowbridge.catalog.load import load as load_catalog
from flowbridge.catalog.translation import translations
from flowbridge.deployment.finding import Severity
from flowbridge.policy.filter import passes
from flowbridge.policy.packets.packet import Packet
from flowbridge.policy.point import Direction, Point
from flowbridge.stacks.pipeline import Checked, judge
from tests.providers.jabber_guest import FILES, Json, built, deployment

GUEST, ANY = "198.51.100.77", 40000
PROBERS = {"aws": "10.0.3.4", "azure": "168.63.129.16", "gcp": "35.191.4.4"}


def proved(folder: Path, cloud: str) -> Checked:
    checked = judge(built(folder, deployment(cloud)))
    assert checked.exit_code == 0, checked.failures
    return checked


def arrives(checked: Checked, source: str, port: int) -> bool:
    """Whether a TCP packet gets in at the outer card of Expressway-E."""
    point = Point("expressway-e/external", Direction.INGRESS)
    return Packet(ip_address(source), 6, ANY, port) in passes(checked.enforcement[point])


def refusals(folder: Path, data: Json) -> set[str]:
    return {finding.id for finding in built(folder, data).refusals}


def test_the_translations_are_those_of_the_rows() -> None:
    """What arrives is the row's own port; what clients send to is that of the row two before."""
    catalog = load_catalog()
    for part in translations():
        for row_id in part.rows:
            inner = catalog.entry(row_id)
            outer = catalog.table(inner.table.document, inner.table.table).rows[inner.row.row - 3]
            assert inner.row.destination_ports.alternatives[0].ports[0].first == part.inside
            assert outer.destination_ports.alternatives[0].ports[0].first == part.outside
            assert f"public:{part.outside}" in inner.row.purpose.en
            assert inner.table.service == part.service


@pytest.mark.parametrize("cloud", FILES)
def test_without_a_translator_nothing_is_made(cloud: str, tmp_path: Path) -> None:
    made = built(tmp_path, deployment(cloud, translator="none"))
    assert not [kind for kind in made.document["resource"] if "_lb" in kind or "_backend" in kind]
    assert "guide/jabber-guest-translation" in {finding.id for finding in made.findings}


@pytest.mark.parametrize("cloud", FILES)
def test_who_may_reach_the_translated_ports(cloud: str, tmp_path: Path) -> None:
    checked = proved(tmp_path, cloud)
    found = {finding.id for finding in checked.built.findings}
    assert f"{cloud}/port-translation" in found
    assert "guide/jabber-guest-translation" not in found
    for port in (9980, 9443):
        assert arrives(checked, PROBERS[cloud], port)
        # A proxy ends the guests' connections; the others pass them on as they are.
        assert arrives(checked, GUEST, port) == (cloud != "gcp")
    assert not arrives(checked, GUEST, 443)
    assert not arrives(checked, GUEST, 80)


@pytest.mark.parametrize("cloud", FILES)
def test_probes_get_in_where_guests_are_listed(cloud: str, tmp_path: Path) -> None:
    data = deployment(cloud)
    data["systems"]["jabber-guest-client"] = {"addresses": ["192.0.2.0/28"]}
    checked = judge(built(tmp_path, data))
    assert checked.exit_code == 0
    assert arrives(checked, PROBERS[cloud], 9443)
    assert not arrives(checked, GUEST, 9443)


def pairs_on_aws(resource: Json) -> set[tuple[int, int]]:
    groups = resource["aws_lb_target_group"]
    return {
        (listener["port"], groups[action["target_group_arn"].split(".")[1]]["port"])
        for listener in resource["aws_lb_listener"].values()
        for action in listener["default_action"]
    }


def pairs_on_azure(resource: Json) -> set[tuple[int, int]]:
    return {(r["frontend_port"], r["backend_port"]) for r in resource["azurerm_lb_rule"].values()}


def pairs_on_gcp(resource: Json) -> set[tuple[int, int]]:
    out = set()
    named = {
        body["name"]: body["port"]
        for body in resource["google_compute_instance_group_named_port"].values()
    }
    for rule in resource["google_compute_global_forwarding_rule"].values():
        proxy = resource["google_compute_target_tcp_proxy"][rule["target"].split(".")[1]]
        service = proxy["backend_service"].split(".")[1]
        port_name = resource["google_compute_backend_service"][service]["port_name"]
        out.add((int(rule["port_range"]), named[port_name]))
    return out


@pytest.mark.parametrize(
    ("cloud", "pairs"), [("aws", pairs_on_aws), ("azure", pairs_on_azure), ("gcp", pairs_on_gcp)]
)
def test_each_port_leads_to_its_own(cloud: str, pairs: Any, tmp_path: Path) -> None:
    """Followed through the references, from what clients send to up to what arrives."""
    resource = built(tmp_path, deployment(cloud)).document["resource"]
    assert pairs(resource) == {(80, 9980), (443, 9443)}


@pytest.mark.parametrize(("cloud", "key"), [("aws", "target_id"), ("azure", "ip_address")])
def test_every_peer_is_a_target_by_its_outer_address(cloud: str, key: str, tmp_path: Path) -> None:
    data = deployment(cloud)
    second = {"external": "10.0.1.12", "internal": "10.0.2.12", "public": "203.0.113.12"}
    data["expressway_e"]["peers"].append(second)
    resource = built(tmp_path, data).document["resource"]
    kind = {
        "aws": "aws_lb_target_group_attachment",
        "azure": "azurerm_lb_backend_address_pool_address",
    }[cloud]
    assert {body[key] for body in resource[kind].values()} == {"10.0.1.11", "10.0.1.12"}


def test_aws_keeps_the_clients_addresses(tmp_path: Path) -> None:
    """With targets by address that is not the default (ELB user guide)."""
    resource = built(tmp_path, deployment("aws")).document["resource"]
    for group in resource["aws_lb_target_group"].values():
        assert (group["target_type"], group["preserve_client_ip"]) == ("ip", "true")


@pytest.mark.parametrize("cloud", FILES)
def test_names_fit_however_long_the_site_is_called(cloud: str, tmp_path: Path) -> None:
    data = deployment(cloud)
    data["name"] = "a-very-long-name-of-a-site-indeed-it-is"
    resource = built(tmp_path, data).document["resource"]
    limit = {"aws": 32, "azure": 80, "gcp": 63}[cloud]
    kinds = ("_lb", "_target_group", "_public_ip", "_health_check", "_global_address")
    names = [
        body["name"]
        for kind, bodies in resource.items()
        if kind.endswith(kinds)
        for body in bodies.values()
    ]
    assert names
    assert max(map(len, names)) <= limit
    assert all(name.replace("-", "").isalnum() for name in names)


def test_what_is_missing_is_refused(tmp_path: Path) -> None:
    aws = deployment("aws", load_balancer={})
    assert refusals(tmp_path, aws) == {"aws/load-balancer-subnets"}
    aws = deployment("aws", load_balancer={"subnets": ["subnet-0a1b2c3d4e5f60aaa"]})
    assert refusals(tmp_path, aws) == {"aws/load-balancer-in-tier"}
    aws = deployment("aws")
    del aws["systems"]["load-balancer"]
    assert refusals(tmp_path, aws) == {"aws/load-balancer-probes"}
    gcp = deployment("gcp", load_balancer={})
    assert refusals(tmp_path, gcp) == {"gcp/load-balancer-groups"}
    gcp = deployment("gcp", load_balancer={"instance_groups": ["edge"]})
    assert refusals(tmp_path, gcp) == {"gcp/load-balancer-groups"}


@pytest.mark.parametrize("cloud", FILES)
def test_a_translator_without_work_is_refused(cloud: str, tmp_path: Path) -> None:
    data = deployment(cloud, translation=False)
    # Untranslated, guests meet what listens on their ports besides: that is refused of its own.
    assert "port-translation/useless" in refusals(tmp_path, data)
    data = deployment(cloud)
    data["services"] = ["traversal-pair"]
    found = built(tmp_path, data)
    assert {finding.id for finding in found.refusals} == {"port-translation/useless"}
    assert all(finding.key for finding in found.findings if finding.severity is Severity.REFUSAL)


def test_azure_takes_a_public_ip_that_exists(tmp_path: Path) -> None:
    own = "/subscriptions/0/resourceGroups/uc/providers/Microsoft.Network/publicIPAddresses/guests"
    data = deployment("azure", load_balancer={"public_ip": own})
    resource = built(tmp_path, data).document["resource"]
    assert "azurerm_public_ip" not in resource
    (balancer,) = resource["azurerm_lb"].values()
    assert balancer["frontend_ip_configuration"][0]["public_ip_address_id"] == own
