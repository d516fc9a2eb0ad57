"""What a deployment accepts: both forms, one place only, and only until its last day."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from flowbridge.deployment.checks import accepted
from flowbridge.deployment.file.acceptance import Acceptance
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.stacks.pipeline import Built, build, load
from tests.deployment.files import DUAL, Data, problems, setting

ALG = "guide/no-alg"


def built(tmp_path: Path, accept: object, data: Data = DUAL) -> Built:
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps({**data, "accept": accept}, indent=1), "utf-8")
    return build(load(file))


def found(deployment: Built, name: str) -> list[Finding]:
    return [finding for finding in deployment.findings if finding.id == name]


@pytest.mark.parametrize(
    "accept", [{ALG: "done"}, [{"id": ALG, "reason": "done"}], [{"finding": ALG, "reason": "done"}]]
)
def test_each_form_accepts(tmp_path: Path, accept: object) -> None:
    (finding,) = found(built(tmp_path, accept), ALG)
    assert finding.accepted == "done"
    assert finding.severity is Severity.OBLIGATION


def test_a_day_that_is_over_is_a_finding_and_the_other_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = {"id": ALG, "reason": "in hand", "owner": "netops", "until": "2026-06-30"}
    monkeypatch.setattr(accepted, "today", lambda: date(2026, 6, 30))
    monkeypatch.setattr("flowbridge.stacks.pipeline.today", lambda: date(2026, 7, 1))
    monkeypatch.setattr("flowbridge.deployment.resolve.today", lambda: date(2026, 7, 1))
    deployment = built(tmp_path, [one])
    assert found(deployment, ALG)[0].accepted is None
    (expired,) = found(deployment, "accept/expired")
    assert "2026-06-30 (netops): in hand" in expired.message
    assert expired.line is not None
    monkeypatch.setattr("flowbridge.stacks.pipeline.today", accepted.today)
    monkeypatch.setattr("flowbridge.deployment.resolve.today", accepted.today)
    deployment = built(tmp_path, [one])
    assert found(deployment, ALG)[0].accepted == "in hand, netops, until 2026-06-30"
    assert not found(deployment, "accept/expired")


def test_a_cut_off_workload_is_accepted_where_it_is_named(tmp_path: Path) -> None:
    system = {"tier": "internal", "addresses": ["10.0.10.31"], "eni": ["eni-0aaaaaaaaaaaaaaaa"]}
    cucm = {**DUAL["systems"]["cucm"], "eni": ["eni-0bbbbbbbbbbbbbbbb", "eni-0cccccccccccccccc"]}
    services = ["traversal-pair", "sip-calls"]
    data = setting(DUAL, services=services, systems__imp=system, systems__cucm=cucm)
    reason = "the new cluster is installed behind closed doors"
    one = {"id": "deployment/cut-off", "where": "systems.imp", "reason": reason}
    by_key = {f.key: f for f in found(built(tmp_path, [one], data), "deployment/cut-off")}
    assert by_key["systems.imp.tier"].severity is Severity.WARNING
    assert by_key["systems.cucm.tier"].severity is Severity.REFUSAL


def test_what_nothing_finds_is_told_and_what_is_no_finding_refused(tmp_path: Path) -> None:
    stale = found(built(tmp_path, {"gcp/smtp": "blocked"}), "accept/met-by-nothing")
    assert stale[0].severity is Severity.NOTE
    (problem,) = problems({**DUAL, "accept": [{"id": "guide/no-algg", "reason": "x"}]})
    assert "did you mean 'guide/no-alg'" in problem.message
    (problem,) = problems({**DUAL, "accept": {"guide/media-range": "we like it"}})
    assert "cannot be accepted" in problem.message
    (problem,) = problems({**DUAL, "accept": {"check/test-failed": "we like it"}})
    assert "mend what fails, or change the test" in problem.message
    (problem,) = problems({**DUAL, "accept": [{"id": ALG, "reason": "x", "until": "2026-02-30"}]})
    assert "no day of the calendar" in problem.message


def test_a_list_may_lie_beside(tmp_path: Path) -> None:
    beside = tmp_path / "accepted.yaml"
    beside.write_text(f"- {{id: {ALG}, reason: done}}\n- {{id: guide/nothing, reason: x}}\n")
    with pytest.raises(Exception, match=r"accepted\.yaml:2: accept\[1\]") as refused:
        built(tmp_path, "accepted.yaml")
    assert "site.yaml is read with this file" in str(refused.value)
    beside.write_text(f"- {{id: {ALG}, reason: done}}\n")
    assert found(built(tmp_path, "accepted.yaml"), ALG)[0].accepted == "done"


def test_where_is_a_key_or_a_name() -> None:
    def covers(where: str, key: str, text: str) -> bool:
        return Acceptance(id=ALG, where=where, reason="x").covers(key, text)

    assert covers("systems.imp", "systems.imp.tier", "")
    assert not covers("systems.imp", "systems.imposter", "")
    assert covers("tier uc", "quotas", "the network ACL of tier uc would need 23")
    assert not covers("tier u", "quotas", "the network ACL of tier uc would need 23")
    assert covers("sg-0a1b", "", "sg-0a1b: everything is open")
    assert not covers("sg-0a1b", "", "sg-0a1b2: everything is open")
