"""Why a port is open, and which row, switch, party or service would open it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from flowbridge.catalog.load import load
from flowbridge.catalog.ports import PortRange
from flowbridge.catalog.protocol import Protocol
from flowbridge.deployment.closed.candidates import ClosedRow
from flowbridge.deployment.read import resolve_file
from flowbridge.deployment.selection.resolution import Resolution
from flowbridge.policy.compiled import compile_policy
from flowbridge.policy.questions.explain import Explanation, explain
from flowbridge.policy.questions.question import Question
from flowbridge.policy.questions.trace import Trace, trace
from tests.policy.edge import faithful, ports

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "emea-edge.yaml"


@cache
def resolved(*changes: tuple[str, str]) -> Resolution:
    return resolve_file(EXAMPLE, dict(changes))


def explained(question: Question, *changes: tuple[str, str]) -> Explanation:
    resolution = resolved(*changes)
    policy = compile_policy(resolution.interfaces, resolution.flows)
    catalog = load()
    return explain(
        resolution, policy, faithful(policy), question, catalog.entries(), catalog.parties
    )


def traced(question: Question) -> Trace:
    resolution = resolved()
    policy = compile_policy(resolution.interfaces, resolution.flows)
    catalog = load()
    return trace(resolution, policy, faithful(policy), question, catalog.entries(), catalog.parties)


def by_id(rows: tuple[ClosedRow, ...]) -> dict[str, ClosedRow]:
    return {row.id: row for row in rows}


def test_an_open_port_names_peers_rows_and_rules() -> None:
    found = explained(Question("any", "expressway-e", Protocol.TCP, ports(5061)))
    assert found.open
    rows = {row for opening in found.openings for row in opening.rows}
    assert rows & {"expressway/11/7", "expressway/16/2"}
    assert all(opening.rules for opening in found.openings)
    assert not rows & set(by_id(found.closed)), "a carried row is not closed"


def test_a_switch_that_is_off_is_named_and_opens_the_port_when_on() -> None:
    question = Question("any", "expressway-e", Protocol.UDP, ports(5060))
    off = explained(question)
    assert not off.open
    assert off.closed[0].outcome == "off", "switches come first"
    assert "sip_udp" in by_id(off.closed)["expressway/11/5"].reason
    on = explained(question, ("options.sip_udp", "true"))
    assert on.open
    assert "expressway/11/5" in {row for opening in on.openings for row in opening.rows}
    assert "expressway/11/5" not in by_id(on.closed)


def test_a_service_that_is_not_requested_is_named() -> None:
    found = explained(Question("any", "expressway-e", Protocol.TCP, ports(5269)))
    assert not found.open
    services = {row.service for row in found.closed if row.outcome == "not-requested"}
    assert "xmpp-federation" in services


def test_a_refused_packet_names_what_would_ask_for_it() -> None:
    found = traced(Question("internet", "expressway-e", Protocol.UDP, ports(5060)))
    assert found.verdict == "denied"
    assert "expressway/11/5" in by_id(found.closed)


def test_a_port_that_nobody_names_is_not_put_down_to_a_row_without_a_number() -> None:
    """Row 24/+1 is for a port that only the deployment can name."""
    override = ("options.ports", "{turn-tcp-override: 12345}")
    question = Question("any", "expressway-e", Protocol.TCP, ports(12345))
    assert explained(question).closed == ()
    assert "expressway/24/+1" in by_id(explained(question, override).closed)
    other = Question("any", "expressway-e", Protocol.TCP, ports(12346))
    assert "expressway/24/+1" not in by_id(explained(other, override).closed)


def test_a_row_for_the_unknown_port_of_the_very_system_asked_about_is_named() -> None:
    """Row 7/4: the proxy's port is the user's, and 3128 may well be it."""
    proxy = ("systems.smart-proxy", "{addresses: [10.20.0.50]}")
    question = Question("expressway-c", "smart-proxy", Protocol.TCP, ports(3128))
    assert "expressway/7/4" in by_id(explained(question, proxy).closed)


def test_a_port_that_is_moved_here_is_looked_for_where_it_is() -> None:
    """Row 5/3 prints 443 for web administration; this deployment has it on 7443, switched off."""
    moved = ("options.admin", "{https_port: 7443, https: false}")
    printed = Question("any", "expressway-c", Protocol.TCP, ports(443))
    here = Question("any", "expressway-c", Protocol.TCP, ports(7443))
    assert "expressway/5/3" not in by_id(explained(printed, moved).closed)
    assert "expressway/5/3" in by_id(explained(here, moved).closed)


def test_a_closed_row_is_read_with_its_errata_as_the_deployment_asks() -> None:
    """Row 10/1 prints 5061 for TCP and is corrected to 5060."""
    question = Question("any", "expressway-e", Protocol.TCP, ports(5060))
    assert "expressway/10/1" in by_id(explained(question).closed)
    printed = explained(question, ("options.errata", "printed"))
    assert "expressway/10/1" not in by_id(printed.closed)
    assert not [row for row in printed.closed if "+" in row.id], "added rows are errata too"


def test_a_range_names_what_is_closed_in_its_middle() -> None:
    found = explained(Question("any", "expressway-e", Protocol.UDP, (PortRange(5000, 5070),)))
    assert "expressway/11/5" in by_id(found.closed)


def test_a_source_narrows_what_is_closed() -> None:
    """Row 10/1 is between the peers of a cluster: nothing that the internet could use."""
    anyone = explained(Question("any", "expressway-e", Protocol.TCP, ports(5060)))
    stranger = explained(Question("internet", "expressway-e", Protocol.TCP, ports(5060)))
    assert "expressway/10/1" in by_id(anyone.closed)
    assert "expressway/10/1" not in by_id(stranger.closed)
    assert "expressway/11/6" in by_id(stranger.closed)


def test_a_packet_from_the_wrong_source_port_names_the_rows_for_the_right_one() -> None:
    """Row 18/1 prints 25000-29999 to 5060 of Unified CM; row 11/1 the same to 7001 of the inner
    card of Expressway-E, though the outer one is asked about too."""
    question = Question("expressway-c", "cucm", Protocol.TCP, ports(5060), ports(30000))
    found = traced(question)
    assert found.verdict == "denied"
    assert [str(row) for row in found.near] == ["expressway/18/1 (from source ports 25000-29999)"]
    assert traced(replace(question, source_ports=ports(25000))).near == ()
    zone = Question("expressway-c", "expressway-e", Protocol.TCP, ports(7001), ports(31000))
    assert traced(zone).destination == "expressway-e/internal"
    assert "expressway/11/1" in {row.row for row in traced(zone).near}
    assert traced(replace(zone, ports=ports(7003))).near == ()


def test_a_party_that_is_missing_is_named() -> None:
    """SNMP needs a manager, which the example does not list."""
    found = explained(
        Question("any", "expressway-c", Protocol.UDP, ports(161)), ("services", "[serviceability]")
    )
    absent = [row for row in found.closed if "snmp-manager" in row.missing]
    assert absent
    assert absent[0].outcome == "absent"


def test_what_no_document_has_is_opened_by_nothing() -> None:
    found = explained(Question("any", "expressway-c", Protocol.TCP, ports(3389)))
    assert not found.open
    assert not [row for row in found.closed if row.outcome == "off"]


def test_an_external_destination_is_explained_at_its_senders() -> None:
    found = explained(Question("expressway-c", "ntp", Protocol.UDP, ports(123)))
    assert {opening.point.interface for opening in found.openings} <= {"expressway-c/single"}


def test_an_explanation_is_plain_data() -> None:
    plain = explained(Question("any", "expressway-e", Protocol.TCP, ports(5061))).as_plain()
    assert plain["open"] is True
    assert plain["rows"] == sorted(plain["rows"])


def towards_edge(protocol: Protocol, port: int) -> Question:
    return Question("expressway-c", "expressway-e/internal", protocol, ports(port))


MOVED: tuple[tuple[Protocol, int, tuple[tuple[str, str], ...], str, str], ...] = (
    (Protocol.TCP, 7002, (), "options.traversal_zones", "2"),
    (Protocol.UDP, 2776, (), "size", "medium"),
    (Protocol.UDP, 3479, (("size", "medium"),), "size", "large"),
    (Protocol.UDP, 3483, (("options.turn.multiplexed", "true"),), "options.turn.multiplexed", "no"),
    (Protocol.TCP, 3478, (("options.turn.port", "4478"),), "options.turn.port", "3478"),
    (
        Protocol.UDP,
        36000,
        (("size", "medium"),),
        "options.multiplexed_media",
        "36000-36001",
    ),
)


@pytest.mark.parametrize(("protocol", "port", "settings", "key", "value"), MOVED)
def test_a_setting_that_moves_the_ports_of_a_carried_row_is_named_and_opens_them(
    protocol: Protocol, port: int, settings: tuple[tuple[str, str], ...], key: str, value: str
) -> None:
    question = towards_edge(protocol, port)
    found = explained(question, *settings)
    assert not found.open
    near = {row.id: row for row in found.closed if row.outcome in ("off", "other")}
    assert near
    assert all(key in row.reason for row in near.values())
    after = explained(question, *settings, (key, value))
    assert after.open
    opened = {row for one in after.openings for row in one.rows}
    assert opened >= set(near), "every row that is named opens it"


def test_each_row_is_named_once_with_the_fewest_settings() -> None:
    medium = (("size", "medium"), ("options.turn.port", "4478"))
    found = explained(towards_edge(Protocol.TCP, 3478), *medium)
    named = [row.id for row in found.closed if row.outcome in ("off", "other")]
    assert len(named) == len(set(named))
    row = by_id(found.closed)["expressway/11/15"]
    assert row.reason == "options.turn.port is 4478; the row prints 3478"


def test_ssh_on_the_other_port_of_a_virtual_machine_is_named() -> None:
    question = Question("admin-pc", "expressway-c", Protocol.TCP, ports(5022))
    row = by_id(explained(question).closed)["expressway/5/1"]
    assert row.outcome == "off"
    assert "options.admin.ssh_port is 22; the row needs 5022" in row.reason
    assert explained(question, ("options.admin.ssh_port", "5022")).open


def test_moved_media_ports_are_named() -> None:
    question = Question("internet", "expressway-e/external", Protocol.UDP, ports(40000))
    moved = ("options.media_ports", "50000-51999")
    row = by_id(explained(question, moved).closed)["expressway/16/3"]
    assert "options.media_ports is 50000-51999; the row prints 36000-59999" in row.reason


def test_a_switch_that_opens_what_the_cloud_needs_is_named() -> None:
    """The rows of `platform` belong to no service, only to options."""
    question = Question("internet", "expressway-e/external", Protocol.ICMP, ports(772))
    row = by_id(explained(question).closed)["platform/1/1"]
    assert row.outcome == "off"
    assert row.reason == "options.platform.path_mtu is false; the row needs true"
    assert "platform/1/1" in by_id(traced(question).closed)
    assert explained(question, ("options.platform.path_mtu", "true")).open


def test_what_another_cloud_needs_is_not_named() -> None:
    """ICMPv6 has rows on AWS, the front ends of load balancers on Google Cloud."""
    question = Question("any", "expressway-e/external", Protocol.TCP, ports(9980))
    assert not [row for row in explained(question).closed if row.id.startswith("platform/2/")]


def test_an_icmp_type_is_no_reason_to_name_the_row_of_another() -> None:
    """Rows cucm/2/1 and cucm/2/2 are echo requests."""
    ping = Question.ask("any", "cucm", "icmp", ports(8))
    quench = Question.ask("any", "cucm", "icmp", ports(4))
    assert "cucm/2/1" in by_id(explained(ping).closed)
    assert "cucm/2/1" not in by_id(explained(quench).closed)


def test_a_service_to_request_comes_with_every_other_setting_of_its_row() -> None:
    """Row cucm/7/6 is for one deployment model only; row 12/17 has one port for each size."""
    found = explained(Question("cucm", "198.51.100.9", Protocol.TCP, ports(1024)))
    row = by_id(found.closed)["cucm/7/6"]
    assert row.outcome == "not-requested"
    assert "the service cucm-gateways is not requested" in row.reason
    assert "options.cucm.cime_off_path is false; the row needs true" in row.reason
    assert (
        "size is large"
        in by_id(explained(towards_edge(Protocol.UDP, 2776)).closed)["expressway/12/17"].reason
    )
    assert (
        "size"
        not in by_id(explained(towards_edge(Protocol.UDP, 36010)).closed)["expressway/12/17"].reason
    )


def test_each_of_several_switches_that_would_do_is_named() -> None:
    """Row 18/2 needs SIP over TCP everywhere, or inside only."""
    found = explained(Question("cucm", "expressway-c", Protocol.TCP, ports(5060)))
    row = by_id(found.closed)["expressway/18/2"]
    assert row.reason == (
        "options.sip_tcp is false; the row needs true (or options.sip_tcp_inside true)"
    )


def test_a_row_of_the_outer_card_is_not_named_at_the_inner_one() -> None:
    """Row 11/5 is between the internet and the outer card of Expressway-E."""
    outer = Question("any", "expressway-e/external", Protocol.UDP, ports(5060))
    inner = Question("any", "expressway-e/internal", Protocol.UDP, ports(5060))
    assert "expressway/11/5" in by_id(explained(outer).closed)
    assert "expressway/11/5" not in by_id(explained(inner).closed)
    stranger = Question("8.8.8.8", "10.0.2.11", Protocol.UDP, ports(5060), ports(5060))
    assert "expressway/11/5" not in by_id(traced(stranger).closed)


def test_a_nat_gateway_stands_for_the_hosts_behind_it() -> None:
    """Row 11/1 reaches Expressway-E, which has one card, from the gateway of Expressway-C."""
    resolution = resolve_file(EXAMPLE.with_name("single-nic.yaml"), {})
    policy = compile_policy(resolution.interfaces, resolution.flows)
    catalog = load()
    found = trace(
        resolution,
        policy,
        faithful(policy),
        Question("198.51.100.7", "203.0.113.21", Protocol.TCP, ports(7002), ports(25000)),
        catalog.entries(),
        catalog.parties,
    )
    assert "options.traversal_zones" in by_id(found.closed)["expressway/11/1"].reason


def test_a_party_to_list_is_named_beside_the_switch_and_only_where_it_is_the_end() -> None:
    """Row platform/1/3 is from the routers inside, which the example does not list."""
    ping = ports(772)
    router = explained(Question("10.99.0.1", "expressway-c", Protocol.ICMP, ping))
    row = by_id(router.closed)["platform/1/3"]
    assert row.reason == (
        "options.platform.path_mtu is false; the row needs true; list path-router under `systems`"
    )
    assert row.missing == ("path-router",)
    served = explained(Question("10.99.0.1", "cucm", Protocol.UDP, ports(69))).closed
    assert by_id(served)["cucm/2/8"].reason == (
        "the service cucm-common is not requested: add it to `services`; "
        "list endpoint or gateway under `systems`"
    )


def test_a_cluster_to_make_is_named_beside_its_service() -> None:
    found = explained(Question("expressway-c", "expressway-c", Protocol.TCP, ports(5061)))
    rows = [row for row in found.closed if row.service == "cluster"]
    assert rows
    assert all("has two or more peers: list each under `peers`" in row.reason for row in rows)


def test_a_row_that_goes_by_other_addresses_is_named_with_them() -> None:
    """Expressway-E has one card here, and is reached by its public address from a NAT gateway."""
    resolution = resolve_file(EXAMPLE.with_name("single-nic.yaml"), {})
    policy = compile_policy(resolution.interfaces, resolution.flows)
    catalog = load()
    by_private = Question("10.1.10.11", "10.1.1.11", Protocol.TCP, ports(7001), ports(25000))
    entries, parties = catalog.entries(), catalog.parties
    found = trace(resolution, policy, faithful(policy), by_private, entries, parties)
    assert found.verdict == "denied"
    assert "expressway/11/1 (from 198.51.100.7 to 203.0.113.21)" in map(str, found.elsewhere)
    closed = replace(by_private, ports=ports(7003))
    assert not trace(resolution, policy, faithful(policy), closed, entries, parties).elsewhere
    by_public = replace(by_private, destination="203.0.113.21")
    assert not trace(resolution, policy, faithful(policy), by_public, entries, parties).elsewhere
