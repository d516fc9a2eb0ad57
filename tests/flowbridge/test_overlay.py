"""A user's own rows and systems, from an overlay file through `flowbridge check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from tests.deployment.files import DUAL, Data, setting

OVERLAY = """\
document: acme-corp
tables:
  - table: 1
    service: badge-readers
    title: {en: Badge readers}
    rows:
      - row: 1
        purpose: {en: Door events}
        source: {parties: [{party: badge-reader}]}
        source_ports: {alternatives: [{ports: 1024-65535}]}
        protocol: {l4: [tcp]}
        destination: {parties: [{party: expressway-c}]}
        destination_ports: {alternatives: [{ports: 8450}, {parameter: badge-bulk}]}
  - table: 2
    service: sip-calls
    title: {en: Our own recorder for SIP calls}
    rows:
      - row: 1
        purpose: {en: Recording}
        source: {parties: [{party: expressway-c}]}
        source_ports: {alternatives: [{ports: 36000-59999, parameter: media}]}
        protocol: {l4: [udp]}
        destination: {parties: [{party: recorder}]}
        destination_ports: {alternatives: [{ports: 20000-20999}]}
parties:
  badge-reader: {en: Badge reader, kind: system}
  recorder: {en: Call recorder, kind: system}
parameters:
  badge-bulk:
    source: Handbook of the badge readers
    description: Bulk upload of badge readers.
    supplied_by: options.ports.badge-bulk
"""
SITE: Data = setting(
    DUAL,
    overlays=["acme.yaml"],
    services=["traversal-pair", "sip-calls", "badge-readers"],
    options__ports={"badge-bulk": 8460},
    systems__recorder={"addresses": ["10.30.1.5"]},
    tests=[
        {
            "from": "badge-reader",
            "to": "expressway-c",
            "protocol": "tcp",
            "ports": [8450, 8460],
            "expect": "allowed",
        },
        {
            "from": "badge-reader",
            "to": "expressway-c",
            "protocol": "tcp",
            "ports": [8451],
            "expect": "denied",
        },
    ],
    **{"systems__badge-reader": {"addresses": ["10.30.0.0/24"]}},
)


def check(tmp_path: Path, data: Data, overlay: str = OVERLAY) -> Result:
    (tmp_path / "acme.yaml").write_text(overlay, encoding="utf-8")
    (tmp_path / "site.yaml").write_text(json.dumps(data, indent=1), encoding="utf-8")
    return CliRunner().invoke(
        flowbridge, ["check", str(tmp_path / "site.yaml"), "--format", "json"]
    )


def answered(result: Result) -> Any:
    return json.loads(result.stdout)


def test_own_rows_and_systems_are_checked_and_proved(tmp_path: Path) -> None:
    result = check(tmp_path, SITE)
    assert result.exit_code == 0, result.output
    (deployment,) = answered(result)["deployments"]
    assert deployment["proof"]["holds"] is True
    assert [test["holds"] for test in deployment["tests"]] == [True, True]
    outcomes = {row["id"]: row["outcome"] for row in deployment["rows"]}
    assert outcomes["acme-corp/1/1"] == "carried"
    assert outcomes["acme-corp/2/1"] == "carried"  # beside ours, by the name of the service
    assert outcomes["expressway/11/1"] == "carried"


def test_own_rows_name_themselves_in_the_rules(tmp_path: Path) -> None:
    check(tmp_path, SITE)
    result = CliRunner().invoke(
        flowbridge, ["rules", str(tmp_path / "site.yaml"), "--format", "json"]
    )
    assert result.exit_code == 0, result.output
    assert "acme-corp/1/1" in result.stdout


def asked(tmp_path: Path, command: str, data: Data, *arguments: str) -> Result:
    """`flowbridge COMMAND` on the site with its overlay, which also has a party of the internet."""
    visitors = "parties:\n  visitors: {en: Visitors, kind: internet, default: internet}\n"
    (tmp_path / "acme.yaml").write_text(OVERLAY.replace("parties:\n", visitors), encoding="utf-8")
    file = tmp_path / "site.yaml"
    file.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return CliRunner().invoke(flowbridge, [command, str(file), *arguments])


def to(port: str) -> tuple[str, ...]:
    return ("--to", "expressway-c", "--protocol", "tcp", "--port", port)


def test_own_rows_are_explained_in_their_own_words(tmp_path: Path) -> None:
    result = asked(tmp_path, "explain", SITE, *to("8450"))
    assert result.exit_code == 0, result.output
    assert "acme-corp/1/1  Door events" in result.stdout


def test_an_own_service_that_is_not_requested_is_named_as_what_would_open_it(
    tmp_path: Path,
) -> None:
    without = setting(SITE, services=["traversal-pair", "sip-calls"], tests=[])
    result = asked(tmp_path, "trace", without, "--from", "badge-reader", *to("8450"))
    assert "acme-corp/1/1 (Door events): the service badge-readers is not requested" in (
        result.stdout
    )


def test_own_parties_of_the_internet_may_be_asked_about(tmp_path: Path) -> None:
    """In tests and in questions, also where no flow of the deployment names them."""
    test = {"from": "visitors", "to": "expressway-c", "protocol": "tcp", "ports": [8451]}
    denied = setting(SITE, tests=[test | {"expect": "denied"}])
    assert asked(tmp_path, "check", denied).exit_code == 0
    result = asked(tmp_path, "trace", SITE, "--from", "visitors", *to("8451"))
    assert result.stdout.startswith("DENIED"), result.output


@pytest.mark.parametrize(
    ("overlay", "changes", "key", "words"),
    [
        (OVERLAY, {"overlays": ["other.yaml"]}, "overlays", "there is no file"),
        (OVERLAY, {"overlays": None}, "services[2]", "there is no service 'badge-readers'"),
        (OVERLAY, {"options__ports": None}, "options.ports.badge-bulk", "give your ports in"),
        (
            OVERLAY.replace("document: acme-corp", "document: expressway"),
            {},
            "tables[0].document",
            "is taken",
        ),
        (OVERLAY.replace("ports: 8450", "ports: 84500"), {}, "tables[0].rows[0]", "84500"),
        (
            OVERLAY.replace("party: badge-reader}", "party: badge-readr}"),
            {},
            "tables[0].rows[0].source.parties[0]",
            "badge-readr",
        ),
        (
            OVERLAY.replace("{l4: [tcp]}", "{l4: [tcp]}\n        when: {option.sip_upd: true}"),
            {},
            "tables[0].rows[0].when",
            "there is no option 'sip_upd'; did you mean 'sip_udp'?",
        ),
        (
            OVERLAY.replace("ports: 8450", "ports: 8450, when: {any: [{option.ports.x: 1}]}"),
            {},
            "tables[0].rows[0].destination_ports.alternatives[0].when",
            "there is no option 'ports.x'",
        ),
        (
            OVERLAY.replace(
                "    title: {en: Badge", "    when: {option.turn: true}\n    title: {en: Badge"
            ),
            {},
            "tables[0].when",
            "there is no option 'turn'",
        ),
        (
            OVERLAY.replace("options.ports.badge-bulk", "options.badge_bulk"),
            {},
            "parameters.badge-bulk.supplied_by",
            "options.ports.badge-bulk; write that",
        ),
        (
            OVERLAY.replace("  badge-reader:", "  admin-pc:"),
            {},
            "parties.admin-pc",
            "exists in the catalog",
        ),
    ],
)
def test_faults_of_an_overlay_are_refused(
    tmp_path: Path, overlay: str, changes: Data, key: str, words: str
) -> None:
    result = check(tmp_path, setting(SITE, **changes), overlay)
    assert result.exit_code == 2
    problems = answered(result)["problems"]
    assert [p for p in problems if p["key"].startswith(key) and words in p["message"]], problems
