"""Editions as data: which one stands for a release, and what each prints, row by row."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flowbridge.catalog.document import Document, Edition, documents
from flowbridge.catalog.edition import EditionTable, chain, edition_rows, printed_table
from flowbridge.catalog.edition_choice import Fit, choose_edition
from flowbridge.catalog.load import load
from flowbridge.catalog.release import release_order

RELEASES = [
    ("expressway", "X15.0", "X14.3/X15.0", Fit.EXACT),
    ("expressway", "X14.3", "X14.3/X15.0", Fit.EXACT),
    ("expressway", "X14.0.11", "X14.0", Fit.EXACT),
    ("expressway", "X14.1", "X14.0", Fit.BETWEEN),
    ("expressway", "X15.1", "X14.3/X15.0", Fit.BETWEEN),
    ("expressway", "X15.5", "X15.3 to X15.5 (administrator guides)", Fit.EXACT),
    ("expressway", "X16.0", "X15.3 to X15.5 (administrator guides)", Fit.NEWER),
    ("expressway", "X8.11.1", "X14.0", Fit.OLDER),
    ("cucm", "14", "14 and SUs", Fit.EXACT),
    ("cucm", "14SU4a", "14 and SUs", Fit.EXACT),
    ("cucm", "12.5", "12.5(1)", Fit.EXACT),
    ("cucm", "12.5(1)SU7", "12.5(1)SU4 to SU7", Fit.EXACT),
    ("cucm", "13", "12.5(1)SU4 to SU7", Fit.BETWEEN),
    ("cucm", "16", "15 and SUs", Fit.NEWER),
    ("cucm", "11.5(1)SU9", "12.5(1)", Fit.OLDER),
    ("cucm", None, "Japanese edition (undated)", Fit.UNSTATED),
]


@pytest.mark.parametrize(("document", "release", "edition", "fit"), RELEASES)
def test_the_edition_of_a_release(
    document: str, release: str | None, edition: str, fit: Fit
) -> None:
    choice = choose_edition(document, documents()[document], release)
    assert (choice.edition.name, choice.fit) == (edition, fit)
    assert edition in choice.sentence()


@pytest.mark.parametrize(
    ("product", "text"),
    [("cucm", "X14"), ("cucm", "fourteen"), ("expressway", "14"), ("cms", "3,9"), ("imp", "")],
)
def test_what_is_no_release_is_refused_with_an_example(product: str, text: str) -> None:
    with pytest.raises(ValueError, match="write one such as"):
        release_order(product, text)


def parts() -> Iterator[tuple[str, Document, Edition, EditionTable]]:
    """Every table of every edition that is stated against another one."""
    for name, document in documents().items():
        for edition in document.with_rows():
            if edition.file is not None:
                for part in edition_rows(edition.file).tables:
                    yield name, document, edition, part


@pytest.mark.parametrize(
    ("name", "document", "edition", "part"),
    [pytest.param(*part, id=f"{part[0]}-{part[2].id}-{part[3].table}") for part in parts()],
)
def test_an_edition_accounts_for_every_row(
    name: str, document: Document, edition: Edition, part: EditionTable
) -> None:
    """Before, less what is gone, and what is new or back: exactly what it prints."""
    last = chain(document, edition)[-1]
    against = document.edition(last.against)
    before = printed_table(document, against, load().table(name, part.table))
    known, printed = set(before.order), set(part.rows)
    new = {row.row for row in part.new}
    assert len(part.rows) == len(printed)
    assert printed == known - set(part.gone) | set(part.back) | new
    assert set(part.gone) <= known
    assert not (set(part.back) | new) & known
    assert set(part.back) <= set(before.rows)
    assert not new & set(before.rows)
    assert {changed.row for changed in part.changed} <= printed - new


def test_the_file_of_an_edition_says_which_it_is() -> None:
    for name, document in documents().items():
        for edition in document.with_rows():
            if edition.file is not None:
                rows = edition_rows(edition.file)
                assert (rows.document, rows.edition) == (name, edition.id)


# (product=release, row, whether the edition prints it), as the public chapters have them.
DIFFERENCES = [
    ("14", "cucm/1/37", True),
    (None, "cucm/1/37", False),
    ("14", "cucm/7/26", True),
    (None, "cucm/7/26", False),
    *((release, row, printed)
      for row in ("cucm/1/22", "cucm/1/34", "cucm/2/19", "cucm/4/4", "cucm/4/5")
      for release, printed in ((None, True), ("12.5(1)SU2", True), ("14", False), ("15", False))),
    ("12.5", "cucm/2/30", False),
    ("14", "cucm/2/30", True),
    ("12.5(1)SU4", "cucm/4/3", False),
    ("15", "cucm/4/3", True),
    ("12.5(1)SU3", "cucm/6/12", False),
    ("12.5(1)SU5", "cucm/6/12", True),
]  # fmt: skip


@pytest.mark.parametrize(("release", "row", "printed"), DIFFERENCES)
def test_rows_that_the_editions_of_unified_cm_differ_in(
    release: str | None, row: str, printed: bool
) -> None:
    catalog = load().at({"cucm": release} if release else {})
    assert (row in {entry.id for entry in catalog.entries()}) == printed
    if not printed:
        closed = {entry.id: entry.closed for entry in catalog.closed_entries()}
        told = closed[row]
        assert told is not None
        assert "does not print this row" in told.reason


def ports(release: dict[str, str], row: str, cell: str = "destination_ports") -> set[str]:
    found = getattr(load().at(release).entry(row).row.corrected(), cell)
    return {str(span) for part in found.alternatives for span in part.ports}


def test_cells_that_the_editions_differ_in() -> None:
    assert "11000-11099" in ports({}, "cucm/7/13")
    assert "11000-65535" in ports({"cucm": "14"}, "cucm/7/13")
    assert ports({"cucm": "12.5(1)SU3"}, "cucm/2/23") == {"8443"}
    assert ports({"cucm": "12.5(1)SU4"}, "cucm/2/23") == {"443", "8443"}
    for row in range(1, 5):
        assert ports({"expressway": "X14.0"}, f"expressway/14/{row}", "source_ports") == {
            "1024-65535"
        }
        assert ports({}, f"expressway/14/{row}", "source_ports") == {"30000-35999"}
    assert "5022" not in ports({"expressway": "X14.0"}, "expressway/6/1")


def test_a_row_is_cited_by_the_edition_in_use() -> None:
    from flowbridge.catalog.citation import citation_of

    fourteen = load().at({"cucm": "14"})
    cited = citation_of(fourteen, fourteen.entry("cucm/1/37"))
    assert (cited.edition, cited.row) == ("14 and SUs", 8)
    assert str(cited.address).endswith("cucm_m_tcp-and-udp-port-usage-12-0.html")
    own = load()
    assert str(citation_of(own, own.entry("expressway/11/5"))) == (
        "Cisco Expressway IP Port Usage Configuration Guide, X14.3/X15.0, table 11, row 5"
    )


def test_no_erratum_corrects_a_cell_that_an_edition_prints_otherwise() -> None:
    row = load().at({"expressway": "X14.0"}).entry("expressway/5/1").row
    assert row.corrected().destination.printed == "Expressway-C"
    assert all("destination" not in erratum.correction for erratum in row.errata)


def test_every_edition_can_be_opened_by_a_reader() -> None:
    for document in documents().values():
        for edition in document.editions:
            if document.product is not None:
                assert str(edition.address).startswith("https://www.cisco.com/"), edition.id
