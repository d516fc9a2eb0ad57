"""`check` says of the firewalls on the way what `flowbridge firewall` would say of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.deployment.finding import Severity
from flowbridge.providers.firewalls import configuration
from flowbridge.stacks.on_the_way import EXCESS, FAILING, LEFT_OUT, NOT_MADE
from flowbridge.stacks.pipeline import Checked, build_file, judge

EXAMPLES = Path(__file__).parents[2] / "examples"
ZONES = {
    "inside": {"behind": ["dmz", "internal", "cucm"]},
    "outside": {"behind": ["internet", "gateway", "10.9.0.0/16", "imp"]},
}
POLICY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/firewallPolicies/p"

Checks = Callable[..., Checked]


@pytest.fixture
def checked(tmp_path: Path) -> Checks:
    def check(kind: str, **more: Any) -> Checked:
        data: dict[str, Any] = yaml.safe_load((EXAMPLES / "emea-edge.yaml").read_text("utf-8"))
        data["systems"]["cucm"].pop("tier")
        data["systems"]["gateway"] = {"addresses": ["10.47.0.1"]}
        data["services"] = ["cucm-gateways", *data["services"]]
        firewall = {"kind": kind, "zones": ZONES}
        data["firewalls"] = {"premises": firewall | ({"id": POLICY} if "azure" in kind else {})}
        file = tmp_path / "site.yaml"
        file.write_text(yaml.safe_dump(data | more), "utf-8")
        (built,) = build_file(file)
        return judge(built)

    return check


def told(found: Checked) -> Mapping[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for finding in found.built.findings:
        if finding.id.startswith("stacks/firewall"):
            ids.setdefault(finding.id, []).append(finding.message)
    return ids


def test_a_firewall_that_can_say_everything_is_no_finding(checked: Checks) -> None:
    found = checked("nftables")
    assert not told(found)
    assert found.exit_code == 0


def test_a_flow_that_it_has_no_rule_for_does_not_hold(checked: Checks) -> None:
    found = checked("azure-firewall")
    assert found.exit_code == 1
    assert any("IP protocol 50" in text and "cucm/7/1" in text for text in told(found)[LEFT_OUT])
    assert {each.id for each in found.failed} == {LEFT_OUT}
    (line,) = {f.line for f in found.built.findings if f.id == LEFT_OUT}
    assert line is not None
    # What is only wider holds, and is said.
    assert EXCESS in told(found)
    assert EXCESS not in FAILING


def test_it_holds_where_the_file_accepts_it(checked: Checks) -> None:
    accepted = checked("azure-firewall", accept={LEFT_OUT: "the tunnels end before it"})
    assert told(accepted)[LEFT_OUT]
    assert accepted.exit_code == 0


def test_what_cannot_be_made_is_not_taken_for_fine(
    checked: Checks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise ValueError("the extra aerleon is not installed")

    monkeypatch.setattr(configuration, "configure", refuse)
    found = checked("cisco-asa")
    assert found.exit_code == 1
    assert told(found) == {
        NOT_MADE: ["premises: its configuration cannot be made: the extra aerleon is not installed"]
    }
    (finding,) = [each for each in found.built.findings if each.id == NOT_MADE]
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize("behind", ["internal", "spoke"])
def test_of_a_file_with_places_it_is_said_once(tmp_path: Path, behind: str) -> None:
    """A zone may name a tier or the place that the tier is in."""
    text = (EXAMPLES / "places" / "hub-and-spoke.yaml").read_text("utf-8")
    zones = f"{{hub: {{behind: [dmz, edge]}}, spoke: {{behind: [{behind}]}}}}"
    firewall = f"firewalls: {{hub-fw: {{kind: azure-firewall, id: {POLICY}, zones: {zones}}}}}\n"
    file = tmp_path / "site.yaml"
    file.write_text(text + firewall, "utf-8")
    stacks = build_file(file)
    assert len(stacks) == 2
    assert all(judge(each).exit_code == 0 for each in stacks)
    known = [f.id for each in stacks for f in each.findings if f.id.startswith("stacks/firewall")]
    assert len(known) == len(set(known))


def test_a_zone_of_no_place_is_refused_with_the_nearest(tmp_path: Path) -> None:
    text = (EXAMPLES / "places" / "hub-and-spoke.yaml").read_text("utf-8")
    firewall = "firewalls: {f: {kind: nftables, zones: {a: {behind: [spok]}, b: {behind: [dmz]}}}}"
    file = tmp_path / "site.yaml"
    file.write_text(f"{text}{firewall}\n", "utf-8")
    with pytest.raises(BadFileError, match=r"'spok' is no tier, place, .* did you mean 'spoke'"):
        build_file(file)
