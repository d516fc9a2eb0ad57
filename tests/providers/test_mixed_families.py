"""A cluster of which one peer has both IP versions and another has IPv4 only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowbridge.stacks.pipeline import Built, build, judge, load
from tests.providers.one_deployment import CLOUDS, Deployment


def mixed(cloud: str, folder: Path, **more: Any) -> Built:
    data = Deployment(edge_peers=2, core_peers=2, ipv6=True, **more).data(cloud)
    second = data["expressway_e"]["peers"][1]
    for card in ("external", "internal"):
        second[card] = second[card][:1]
    core = data["expressway_c"]["peers"][1]
    core["address"] = core["address"][:1]
    file = folder / "mixed.yaml"
    file.write_text(json.dumps(data), "utf-8")
    return build(load(file))


@pytest.mark.parametrize("cards", [False, True])
@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_peer_without_ipv6_is_not_asked_for_it(cloud: str, cards: bool, tmp_path: Path) -> None:
    services = ("traversal-pair", "sip-calls", "mra")
    checked = judge(mixed(cloud, tmp_path, cards=cards, services=services))
    assert not checked.built.refusals
    assert not checked.failures


def test_what_the_peers_with_an_ip_version_lack_in_it_is_missing(tmp_path: Path) -> None:
    """The peer that has no IPv6 vouches for none of it, and each peer is looked at for IPv4."""
    built = mixed("azure", tmp_path)
    for local in ("2001:db8:0:1::b", "10.0.1.12"):
        document = json.loads(json.dumps(built.document))
        nsg = document["resource"]["azurerm_network_security_group"]["dmz"]
        rules = [
            r for r in nsg["security_rule"] if _names(r, local) and r["direction"] == "Inbound"
        ]
        assert rules
        for rule in rules:
            _forget(rule, local)
        nsg["security_rule"] = [r for r in nsg["security_rule"] if not _nowhere(r)]
        failures = judge(built, document).failures
        assert any("expressway-e/external ingress: missing" in text for text in failures), local


def _names(rule: dict[str, Any], local: str) -> bool:
    return any(text.partition("/")[0] == local for text in _destinations(rule))


def _destinations(rule: dict[str, Any]) -> list[str]:
    single = rule["destination_address_prefix"]
    return [single] if single else list(rule["destination_address_prefixes"] or [])


def _forget(rule: dict[str, Any], local: str) -> None:
    left = [text for text in _destinations(rule) if text.partition("/")[0] != local]
    rule["destination_address_prefix"] = None
    rule["destination_address_prefixes"] = left


def _nowhere(rule: dict[str, Any]) -> bool:
    return rule["access"] == "Allow" and not (
        _destinations(rule) or rule["destination_application_security_group_ids"]
    )
