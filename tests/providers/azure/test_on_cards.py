"""NSGs on network cards, where the subnets are others'."""

from __future__ import annotations

from pathlib import Path

from flowbridge.stacks.pipeline import Checked, build, judge, load

EXAMPLE = Path(__file__).parents[3] / "examples" / "azure-edge.yaml"
KIND = "azurerm_network_interface_security_group_association"


def checked(where: str) -> Checked:
    return judge(build(load(EXAMPLE, {"options.azure.nsg": where})))


def test_each_interface_has_an_nsg_on_its_cards_and_no_subnet_has_one() -> None:
    found = checked("card")
    assert found.exit_code == 0, found.failures
    resource = found.built.document["resource"]
    cards = {card.key for card in found.built.policy.interfaces}
    assert len(resource["azurerm_network_security_group"]) == len(cards)
    assert "azurerm_subnet_network_security_group_association" not in resource
    assert len(resource[KIND]) == sum(
        member.attachment is not None
        for card in found.built.policy.interfaces
        for member in card.members
    )
    assert not found.built.lowered.occupied  # others may share the subnets
    assert not found.around


def test_the_same_packets_pass_as_with_nsgs_on_subnets() -> None:
    subnets, cards = checked("subnet"), checked("card")
    for proof, other in zip(subnets.proof.points, cards.proof.points, strict=True):
        assert proof.enforced == other.enforced, proof.point
