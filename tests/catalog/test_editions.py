"""The editions against each other: the separate chapters in Japanese and the English one."""

from __future__ import annotations

import re

import pytest

from flowbridge.catalog.load import load
from tests.catalog import comparison, documents
from tests.catalog.documents import PrintedRow
from tests.catalog.test_as_printed import needs_documents

pytestmark = needs_documents

MRA_OFFSET = 14  # table 1 of the chapter is table 15 of the guide
MEETING_SERVER_OFFSET = 23

# Where the Japanese editions differ in more than footnote marks and white space.
KNOWN = {
    ("expressway/19/2", "destination"): "the dot of idbroker.webex.com is a Japanese full stop",
    ("expressway/24/11", "purpose"): "the guide's footnote digits 5 and 12 have run into the text",
    ("expressway/24/13", "purpose"): "the guide's footnote digits 6 and 13 have run into the text",
}


def plain(text: str) -> str:
    """Without footnote marks and white space; both depend on the edition's layout."""
    return re.sub(r"<sup>.*?</sup>|[¹²³⁴⁵⁶⁷⁸⁹⁰]+|\^\{.*?\}|\s+", "", text)


def pairs(edition: str, offset: int) -> list[tuple[str, PrintedRow, PrintedRow]]:
    """Each row of the guide with that of a chapter's own edition; tables of one length only."""
    guide = documents.tables(documents.GUIDE)
    return [
        (f"expressway/{number + offset}/{index}", ours, theirs)
        for number, table in documents.tables(edition).items()
        for index, (ours, theirs) in enumerate(
            zip(guide[number + offset].rows, table.rows, strict=True), start=1
        )
    ]


@pytest.mark.parametrize(
    ("edition", "offset", "rows"),
    [(documents.MRA_JA, MRA_OFFSET, 33), (documents.MEETING_SERVER_JA, MEETING_SERVER_OFFSET, 53)],
)
def test_japanese_editions_agree_except_where_known(edition: str, offset: int, rows: int) -> None:
    compared = pairs(edition, offset)
    assert len(compared) == rows
    different = {
        (row_id, name)
        for row_id, ours, theirs in compared
        for name in documents.CELLS
        if plain(ours.cells[name]) != plain(theirs.cells[name])
    }
    chapter = {f"expressway/{number + offset}" for number in documents.tables(edition)}
    assert different == {key for key in KNOWN if key[0].rpartition("/")[0] in chapter}


def english() -> list[tuple[str, PrintedRow, PrintedRow]]:
    return pairs(documents.MEETING_SERVER_EN, MEETING_SERVER_OFFSET)


@pytest.mark.parametrize("name", ["source_ports", "destination_ports"])
def test_the_english_edition_has_the_same_ports(name: str) -> None:
    different = []
    for row_id, ours, theirs in english():
        text = theirs.cells[name].replace(r"$\geq", ">=").replace("$", "")
        if comparison.numbers(ours.cells[name]) != comparison.numbers(text):
            different.append((row_id, ours.cells[name], text))
    assert not different


def test_the_english_edition_has_the_same_protocols() -> None:
    different = [
        row_id
        for row_id, ours, theirs in english()
        if comparison.L4[ours.cells["protocol"]] != comparison.L4[theirs.cells["protocol"]]
    ]
    assert not different


def test_english_purposes_are_those_of_the_english_edition() -> None:
    catalog = load()
    different = [
        (row_id, theirs.cells["purpose"])
        for row_id, _, theirs in english()
        if plain(catalog.entry(row_id).row.purpose.en) != plain(theirs.cells["purpose"])
    ]
    assert not different


def test_brackets_lost_in_the_english_edition_have_errata() -> None:
    """The Japanese editions bracket 5060 (off by default); the English one does not."""
    catalog = load()
    lost = [
        (row_id, theirs.line)
        for row_id, ours, theirs in english()
        if "[" in ours.cells["destination_ports"] and "[" not in theirs.cells["destination_ports"]
    ]
    assert len(lost) == 6
    for row_id, line in lost:
        proofs = {
            (documents.TEXT_OF[proof.document, proof.edition], proof.line)
            for erratum in catalog.entry(row_id).row.errata
            for proof in erratum.evidence
        }
        assert (documents.MEETING_SERVER_EN, line) in proofs, row_id
