"""Rows as printed: what cannot be read is told, and a protocol inside a port cell counts."""

from __future__ import annotations

from flowbridge.catalog.load import load
from flowbridge.catalog.reference import notes
from flowbridge.deployment.closed.rows import ClosedRows
from flowbridge.deployment.selection.resolution import Outcome
from tests.deployment.files import DUAL, Data, flows, resolved, row, setting

PRINTED: Data = setting(
    DUAL,
    services=["traversal-pair", "cucm-common", "cms-web-proxy"],
    options={
        "errata": "printed",
        "admin": {"https_port": 7443},
        "cms": {"tcp_override": True},
        "ports": {"turn-tcp-override": 4443},
    },
    systems={
        "cucm": {"tier": "internal", "addresses": ["10.0.10.21", "10.0.10.22"]},
        "cms": {"addresses": ["10.0.20.5"]},
        "admin-pc": {"addresses": ["10.9.0.0/24"]},
    },
)


def test_rows_that_say_too_little_are_told() -> None:
    found = [f for f in resolved(PRINTED).findings if f.id == "deployment/unprinted-rows"]
    told = " ".join(f.message for f in found)
    silent = [each.id for each in resolved(PRINTED).selected if each.outcome is Outcome.UNPRINTED]
    assert {"cucm/2/27", "expressway/5/1"} <= set(silent)
    assert not [row_id for row_id in silent if row_id not in told]
    corrected = resolved(setting(PRINTED, options__errata="corrected")).findings
    assert not [f for f in corrected if f.id == "deployment/unprinted-rows"]


def test_a_question_about_such_a_port_names_the_row() -> None:
    resolution = resolved(PRINTED)
    closed = ClosedRows(resolution, load().entries(), load().parties)
    ports = row(resolution, "cucm/2/27").row.destination_ports.alternatives[0].ports
    for protocol in (6, 17):
        (found,) = closed.at(protocol, ports, ["cucm"])
        assert found.id == "cucm/2/27"
        assert found.outcome == "unprinted"
        assert "options.errata: corrected reads it as tcp" in found.reason


def test_a_protocol_inside_a_port_cell_counts() -> None:
    carried = flows(resolved(PRINTED), "expressway/24/2")
    opened = {
        (flow.protocol.label, str(port)) for flow in carried for port in flow.destination_ports
    }
    assert ("tcp", "4443") in opened
    assert not {each for each in opened if each == ("udp", "4443")}
    assert {label for label, port in opened if port != "4443"} == {"udp"}
    without = resolved(setting(PRINTED, options__cms={"tcp_override": False}))
    assert {flow.protocol.label for flow in flows(without, "expressway/24/2")} == {"udp"}


def test_a_reply_opens_nothing_of_its_own() -> None:
    data = setting(PRINTED, services=["cucm-ldap"], systems__ldap={"addresses": ["10.50.0.9"]})
    for errata in ("printed", "corrected"):
        resolution = resolved(setting(data, options__errata=errata))
        reply = row(resolution, "cucm/3/2")
        assert (reply.outcome, reply.flows) == (Outcome.REPLY, ())
        assert "cucm/3/1" in reply.reason
        assert {flow.destination.party for flow in resolution.flows} == {"ldap"}


def test_every_note_below_a_table_is_shown() -> None:
    tables = load().tables
    shown = {(note["table"], note["mark"], note["line"]) for note in notes(load())}
    every = [(f"{t.document}/{t.table}", n.mark, n.line) for t in tables for n in t.notes]
    assert shown == set(every)
    assert len(every) >= 58
