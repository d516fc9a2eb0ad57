"""Our own document, `platform`: what the clouds themselves need, each row with its source."""

from __future__ import annotations

from flowbridge.catalog.export import export_rows, to_json
from flowbridge.catalog.load import load
from flowbridge.catalog.protocol import Protocol


def test_no_service_selects_it_and_no_document_is_counted_with_it() -> None:
    catalog = load()
    assert "platform" not in catalog.services
    assert {table.table for table in catalog.platform} == {1, 2}
    printed = export_rows(catalog)
    assert "platform" not in {row["document"] for row in printed}
    own = [row for row in export_rows(catalog, platform=True) if row not in printed]
    assert {row["document"] for row in own} == {"platform", "ours", "imp", "unity", "webex"}
    assert '"platform/1/1"' in to_json(catalog, platform=True)
    assert '"platform/1/1"' not in to_json(catalog)


def test_every_row_has_a_source_in_a_note() -> None:
    for table in load().platform:
        cited = {note.mark for note in table.notes if "(" in note.text.en}
        for row in table.rows:
            assert cited & set(row.footnotes), table.id_of(row)


def test_path_mtu_is_one_type_and_one_code() -> None:
    """RFC 792: type 3 (destination unreachable), code 4; RFC 4443: type 2, code 0."""
    found = {
        (protocol, span.first, span.last)
        for row in load().table("platform", 1).rows
        for protocol in row.protocol.l4
        for part in row.destination_ports.alternatives
        for span in part.ports
    }
    assert found == {
        (Protocol.ICMP, 3 * 256 + 4, 3 * 256 + 4),
        (Protocol.ICMPV6, 2 * 256, 2 * 256),
    }
