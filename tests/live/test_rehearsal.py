"""Features on estates of Azure and Google: what works, what is cut, and what cannot be told."""

from __future__ import annotations

import pytest

from flowbridge.policy.questions.rehearsal import Answer, FeatureAnswer
from flowbridge.stacks.pipeline import judge
from flowbridge.stacks.rehearsal import Rehearsal
from tests.live.azure import estates as azure_estate
from tests.live.azure import server as azure_server
from tests.live.azure.server import AzureCloud
from tests.live.gcp import estates as gcp_estate
from tests.live.gcp import server as gcp_server
from tests.live.gcp.server import GoogleCloud
from tests.live.rehearsed import rehearsed

pytestmark = pytest.mark.slow


def azure(cloud: AzureCloud) -> Rehearsal:
    with azure_server.serving(cloud) as url:
        return rehearsed(azure_estate.example(), url)


def google(cloud: GoogleCloud) -> Rehearsal:
    with gcp_server.serving(cloud) as url:
        return rehearsed(gcp_estate.example(), url)


def by_id(rehearsal: Rehearsal) -> dict[str, FeatureAnswer]:
    return {feature.id: feature for feature in rehearsal.features}


def test_an_estate_as_planned_plays_like_the_plan() -> None:
    for found, built in (
        (azure(azure_estate.deployed()), azure_estate.example()),
        (google(gcp_estate.deployed()), gcp_estate.example()),
    ):
        assert (found.holds, found.complete) == (True, True)
        said = [(each.id, each.answer, each.conditions) for each in found.features]
        assert said == [(e.id, e.answer, e.conditions) for e in judge(built).features]


def test_azure_a_rule_that_is_gone_cuts_its_features() -> None:
    cloud = azure_estate.deployed()
    rules = cloud.rules(azure_estate.DMZ)
    rules[:] = [r for r in rules if r["properties"].get("destinationPortRange") != "8443"]
    found = by_id(azure(cloud))
    assert found["mra/sign-in"].answer is Answer.FAILS
    ((step, cut),) = found["mra/sign-in"].cuts
    assert (step.does, cut.row) == (
        "The client asks Expressway-E for its services",
        "expressway/16/1",
    )
    assert "deny-all-inbound" in str(cut)
    assert found["mra/im-and-presence"].answer is Answer.WORKS


def test_azure_a_deny_for_nobody_knows_whom_leaves_untold_what_it_may_cut() -> None:
    cloud = azure_estate.deployed()
    own = {"priority": 101, "access": "Deny", "sourceAddressPrefix": "AzureCloud"}
    cloud.add_rule(azure_estate.DMZ, "no-cloud", **own)
    found = azure(cloud)
    assert found.holds
    assert not found.complete
    sign_in = by_id(found)["mra/sign-in"]
    assert sign_in.answer is Answer.UNTOLD
    assert any("service tag AzureCloud" in words for words in sign_in.conditions)


def test_azure_what_was_not_read_is_told_and_nothing_works() -> None:
    cloud = azure_estate.deployed()

    def refuse(path: str) -> None:
        if path.endswith("/networkSecurityGroups"):
            raise azure_server.Refusal(403, "AuthorizationFailed", "no")

    cloud.fault = refuse
    found = azure(cloud)
    assert found.unread
    assert not {Answer.WORKS, Answer.FAILS} & {each.answer for each in found.features}


def test_google_a_machine_that_is_gone_and_a_rule_for_unknown_machines() -> None:
    cloud = gcp_estate.deployed()
    cloud.instances.pop("core-1", None)
    found = google(cloud)
    assert (found.holds, found.complete) == (True, False)
    sign_in = by_id(found)["mra/sign-in"]
    assert sign_in.answer is Answer.UNTOLD
    assert any("nothing here is" in words for words in sign_in.conditions)
    for name in [each for each in cloud.firewalls if "expressway-e-external" in each]:
        if cloud.firewalls[name]["direction"] == "INGRESS":
            cloud.firewalls.pop(name)
    assert by_id(google(cloud))["mra/sign-in"].answer is Answer.FAILS
