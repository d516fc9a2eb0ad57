"""What a plan opens and closes, as packets, and by which rule."""

from __future__ import annotations

from typing import Any

from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.providers.meaning.foreign import Wearing
from flowbridge.stacks.judging import Judged, judge_plan
from tests.stacks.judging import estates
from tests.stacks.judging.estates import both
from tests.stacks.judging.shown_json import Json, configured, module_of, plan, resource
from tests.stacks.judging.sites import built

GROUP = "aws_security_group.edge"


def with_rules(*rules: Json, echo: list[Json]) -> list[Json]:
    """A group whose `ingress` repeats what resources have made, and its rules."""
    body = estates.group(id="sg-0a", ingress=echo, egress=[])
    return [resource("aws_security_group", "edge", body), *rules]


def rule(name: str, port: int, **more: Any) -> Json:
    body = estates.legacy("ingress", "tcp", port, "10.9.0.0/24", security_group_id="sg-0a", **more)
    return resource("aws_security_group_rule", name, body)


def judged(document: Json, worn: Wearing, cloud: str = "aws") -> Judged:
    return judge_plan(built(cloud), document, worn, changes=True)


def told(found: Judged) -> set[tuple[str, str, str, tuple[str, ...]]]:
    """Interface, what becomes of it, the ports, and by which rules; of Expressway-C alone."""
    every = {
        (
            str(each.flow.change),
            ports(each.flow.packets),
            ",".join(each.flow.rows),
            each.by,
        )
        for each in found.effects or ()
        if each.flow.point.interface == "expressway-c/single"
    }
    # Two clouds do not match source ports, so that those which no row has change too.
    with_rows = {(change, port) for change, port, rows, _ in every if rows}
    return {each for each in every if each[2] or each[:2] not in with_rows}


def ports(packets: PacketSet) -> str:
    return ",".join(str(span) for box in packets.boxes() for span in box.destination_ports)


def test_a_rule_that_goes_closes_although_the_group_still_repeats_it() -> None:
    echo = [estates.inline("tcp", 22, "10.9.0.0/24"), estates.inline("tcp", 443, "10.9.0.0/24")]
    prior = with_rules(rule("ssh", 22), rule("web", 443), echo=echo)
    after = with_rules(rule("web", 443), echo=echo)
    found = judged(plan(after, prior=prior), Wearing(both(GROUP)))
    assert told(found) == {
        ("becomes refused", "22", "expressway/5/1", ("aws_security_group_rule.ssh",))
    }
    assert {row for each in found.missing for row in each.rows} >= {"expressway/5/1"}


def test_a_rule_that_changes_opens_and_closes() -> None:
    echo = [estates.inline("tcp", 443, "10.9.0.0/24")]
    prior = with_rules(rule("web", 443), echo=echo)
    after = with_rules(rule("web", 444), echo=echo)
    found = judged(plan(after, prior=prior), Wearing(both(GROUP)))
    by = ("aws_security_group_rule.web",)
    assert told(found) == {
        ("becomes refused", "443", "expressway/5/3", by),
        ("becomes allowed", "444", "", by),
    }
    assert [each.rule.id for each in found.opened if each.rule] == [by[0]] * 2


def test_a_rule_that_somebody_made_by_hand_stays_in_what_the_group_repeats() -> None:
    echo = [estates.inline("tcp", 443, "10.9.0.0/24"), estates.inline("tcp", 8080, "0.0.0.0/0")]
    same = with_rules(rule("web", 443), echo=echo)
    found = judged(plan(same, prior=same), Wearing(both(GROUP)))
    assert told(found) == set()
    assert {each.rule.id for each in found.opened if each.rule} == {f"{GROUP}.ingress[0]"}


def test_a_group_that_gets_inline_rules_is_what_the_configuration_says() -> None:
    prior = with_rules(echo=[estates.inline("tcp", 443, "10.9.0.0/24")])
    after = with_rules(echo=[estates.inline("tcp", 22, "10.9.0.0/24")])
    written = module_of(configured("aws_security_group", "edge", ingress=["var.rules"]))
    found = judged(plan(after, written, prior=prior), Wearing(both(GROUP)))
    by = (f"{GROUP}.ingress[0]",)
    assert told(found) == {
        ("becomes refused", "443", "expressway/5/3", by),
        ("becomes allowed", "22", "expressway/5/1", by),
    }


def test_a_first_apply_opens_everything() -> None:
    case = estates.aws_module_v5()
    found = judged(case.document, case.wearing)
    assert found.holds
    assert {change for change, *_ in told(found)} == {"becomes allowed"}
    assert {rows for _, _, rows, _ in told(found)} >= {"expressway/5/1", "expressway/5/3"}


def test_what_a_plan_does_not_speak_of_stays() -> None:
    """A plan with targets has nothing to say of the rest."""
    prior = with_rules(rule("ssh", 22), rule("web", 443), echo=[])
    document = plan(with_rules(rule("ssh", 22), echo=[]), prior=prior)
    document["resource_changes"] = [
        each for each in document["resource_changes"] if not each["address"].endswith(".web")
    ]
    assert told(judged(document, Wearing(both(GROUP)))) == set()


def test_a_rule_of_azure_that_comes_before() -> None:
    prior = [
        *estates._azure_state(),
    ]
    deny = {
        **next(estates.nsg_rules()),
        "name": "stop",
        "priority": 150,
        "access": "Deny",
        "network_security_group_name": "edge",
        "resource_group_name": "uc",
    }
    after = [*prior, resource("azurerm_network_security_rule", "stop", deny)]
    worn = Wearing(both("azurerm_network_security_group.edge"))
    found = judged(plan(after, prior=prior), worn, "azure")
    [(change, port, rows, by)] = told(found)
    assert (change, port, rows) == ("becomes refused", "22", "expressway/5/1")
    assert "azurerm_network_security_rule.stop" in by


def test_a_rule_of_google_that_is_switched_off() -> None:
    prior = [resource("google_compute_firewall", n, b) for n, b in estates.firewall_rules()]
    after = [
        resource("google_compute_firewall", n, {**b, "disabled": n == "rule-0"})
        for n, b in estates.firewall_rules()
    ]
    found = judged(plan(after, prior=prior), Wearing(both("uc")), "gcp")
    [(change, port, rows, by)] = told(found)
    assert (change, port, rows) == ("becomes refused", "22", "expressway/5/1")
    assert by == ("google_compute_firewall.rule-0",)


def test_features_that_start_and_stop_to_work() -> None:
    prior = [resource("google_compute_firewall", n, b) for n, b in estates.firewall_rules()]
    fewer = [each for each in prior if each["name"] != "rule-1"]
    worn = Wearing(both("uc"))
    stops = judged(plan(fewer, prior=prior), worn, "gcp").features
    starts = judged(plan(prior, prior=fewer), worn, "gcp").features
    assert stops is not None
    assert starts is not None
    assert {each.feature.id for each in stops} == {each.feature.id for each in starts}
    assert stops
    assert not any(each.starts for each in stops)
    assert all(each.starts for each in starts)
    assert all("443" in "".join(each.as_plain()["cuts"]) for each in stops)
    one = Wearing({"expressway-c/single": ("uc",), "expressway-e/single": ()})
    assert judged(plan(prior, prior=fewer), one, "gcp").features is not None
    unknown = plan(prior[:0], prior=fewer)
    assert judged(unknown, Wearing(), "gcp").features is None
