"""Placements that are legal and seldom meant, and what the check says of them."""

from __future__ import annotations

from flowbridge.deployment.finding import Finding, Severity
from tests.deployment.files import DUAL, Data, problems, resolved, setting


def said(kind: str, data: Data) -> list[Finding]:
    return [found for found in resolved(data).findings if found.id == f"deployment/{kind}"]


def test_an_edge_among_the_inside_is_warned_of() -> None:
    assert not said("edge-inside", DUAL)
    wide = {"cidrs": ["10.0.0.0/16"]}
    data = setting(DUAL, network__tiers={"all": wide}, expressway_e__tier="all")
    data = setting(data, expressway_c__tier="all", systems__cucm__tier="all")
    (found,) = said("edge-inside", data)
    assert found.severity is Severity.WARNING
    assert found.key == "expressway_e.tier"
    assert "expressway-c and cucm stand too" in found.message


def test_unified_cm_without_a_service_of_its_own_is_cut_off() -> None:
    (found,) = said("cut-off", DUAL)
    assert found.key == "systems.cucm.tier"
    assert "cucm-cluster, cucm-common" in found.message
    assert not said("cut-off", setting(DUAL, services=[*DUAL["services"], "cucm-cluster"]))
    elsewhere = {"addresses": ["10.20.0.21"]}
    assert not said("cut-off", setting(DUAL, systems__cucm=elsewhere))


def test_a_system_that_may_only_answer_is_cut_off() -> None:
    inside = {"addresses": ["10.0.10.31"], "tier": "internal"}
    keys = {found.key for found in said("cut-off", setting(DUAL, systems__imp=inside))}
    assert "systems.imp.tier" in keys
    assert "systems.imp.tier" not in {found.key for found in said("cut-off", DUAL)}


def test_ids_of_aws_in_a_deployment_for_azure() -> None:
    names = {"resource_group": "uc", "vnet": "uc-vnet"}
    tiers = setting(DUAL)["network"]["tiers"]
    data = setting(DUAL, cloud="azure", region="westeurope", network={**names, "tiers": tiers})
    data = setting(
        data,
        network__tiers__dmz__subnets=["dmz"],
        network__tiers__internal__subnets=["subnet-0aaaaaaaaaaaaaaa1"],
    )
    (found,) = said("id-of-another-cloud", data)
    assert found.key == "network.tiers.internal.subnets[0]"
    assert not said("id-of-another-cloud", DUAL)


def test_cards_of_one_peer_the_other_way_round() -> None:
    peers = [
        {"external": "10.0.1.11", "internal": "10.0.2.11", "public": "203.0.113.11"},
        {"external": "10.0.1.12", "internal": "10.0.2.12", "public": "203.0.113.12"},
    ]
    right = setting(DUAL, expressway_e__peers=peers)
    assert not said("cards-mixed-up", right)
    swapped = setting(
        right,
        expressway_e__peers__1__external="10.0.2.12",
        expressway_e__peers__1__internal="10.0.1.12",
    )
    keys = [found.key for found in said("cards-mixed-up", swapped)]
    assert "expressway_e.peers[1].internal" in keys
    one_range = setting(swapped, network__tiers__dmz__cidrs=["10.0.0.0/22"])
    assert not said("cards-mixed-up", one_range), "a range of several subnets says nothing"


def test_running_cards_are_not_put_behind_no_rule_at_all_unless_in_words() -> None:
    cards = {**DUAL["systems"]["cucm"], "eni": ["eni-0aaaaaaaaaaaaaaaa", "eni-0bbbbbbbbbbbbbbbb"]}
    data = setting(DUAL, services=["traversal-pair", "sip-calls"], systems__cucm=cards)
    (found,) = said("cut-off", data)
    assert found.severity is Severity.REFUSAL
    assert "accept: {deployment/cut-off:" in found.message
    reason = "the new cluster is installed behind closed doors"
    (accepted,) = said("cut-off", {**data, "accept": {"deployment/cut-off": reason}})
    assert accepted.severity is Severity.WARNING
    assert reason in accepted.message
    (planned,) = said("cut-off", setting(data, systems__cucm=DUAL["systems"]["cucm"]))
    assert planned.severity is Severity.OBLIGATION  # nothing is attached to its cards


def test_what_can_be_accepted_is_told() -> None:
    (problem,) = problems({**DUAL, "accept": {"deployment/cutoff": "x" * 20}})
    assert problem.key == "accept.deployment/cutoff"
    assert "deployment/cut-off" in problem.message
