"""Chapters published by themselves against the guide, by the facts read of both."""

from __future__ import annotations

from typing import Any

import pytest

from flowbridge.catalog.load import load
from tests.catalog import comparison, documents
from tests.catalog.facts import facts, hashed, unmarked

# Where the Japanese editions differ in more than footnote marks and white space.
KNOWN = {
    ("expressway/19/2", "destination"): "the dot of idbroker.webex.com is a Japanese full stop",
    ("expressway/24/11", "purpose"): "the guide's footnote digits 5 and 12 have run into the text",
    ("expressway/24/13", "purpose"): "the guide's footnote digits 6 and 13 have run into the text",
}


def chapter(edition: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = facts()["chapters"][edition]
    return found


@pytest.mark.parametrize(("edition", "rows"), [("mra-ja", 33), ("meeting-server-ja", 53)])
def test_japanese_editions_agree_except_where_known(edition: str, rows: int) -> None:
    theirs, guide = chapter(edition), chapter("X15.0")
    assert len(theirs) == rows
    different = {
        (row_id, name)
        for row_id, row in theirs.items()
        for name in documents.CELLS
        if row["cells"][name] != guide[row_id]["cells"][name]
    }
    tables = {row_id.rpartition("/")[0] for row_id in theirs}
    assert different == {key for key in KNOWN if key[0].rpartition("/")[0] in tables}


@pytest.mark.parametrize("name", ["source_ports", "destination_ports"])
def test_the_english_edition_has_the_same_ports(name: str) -> None:
    guide = chapter("X15.0")
    different = [
        (row_id, guide[row_id][name], row[name])
        for row_id, row in chapter("meeting-server-en").items()
        if guide[row_id][name] != row[name]
    ]
    assert not different


def test_the_english_edition_has_the_same_protocols() -> None:
    guide = chapter("X15.0")
    different = [
        row_id
        for row_id, row in chapter("meeting-server-en").items()
        if comparison.L4[guide[row_id]["protocol"]] != comparison.L4[row["protocol"]]
    ]
    assert not different


def test_english_purposes_are_those_of_the_english_edition() -> None:
    catalog = load()
    different = [
        row_id
        for row_id, row in chapter("meeting-server-en").items()
        if hashed(unmarked(catalog.entry(row_id).row.purpose.en)) != row["cells"]["purpose"]
    ]
    assert not different


def test_brackets_lost_in_the_english_edition_have_errata() -> None:
    """The Japanese editions bracket 5060 (off by default); the English one does not."""
    catalog, guide = load(), chapter("X15.0")
    lost = [
        (row_id, row["line"])
        for row_id, row in chapter("meeting-server-en").items()
        if guide[row_id]["bracketed"] and not row["bracketed"]
    ]
    assert len(lost) == 6
    for row_id, line in lost:
        proofs = {
            (proof.edition, proof.line)
            for erratum in catalog.entry(row_id).row.errata
            for proof in erratum.evidence
        }
        assert ("meeting-server-en", line) in proofs, row_id
