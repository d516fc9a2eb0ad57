"""Errata and notes: every quotation stands on the line that is named."""

from __future__ import annotations

from functools import cache

from flowbridge.catalog.load import load
from flowbridge.catalog.row import Erratum
from tests.catalog import documents
from tests.catalog.digest import TEXTS
from tests.catalog.test_as_printed import needs_documents

PROSE = {**TEXTS, "expressway-prose": documents.GUIDE}


@cache
def lines(text: str) -> list[str]:
    whole = (documents.FOLDER / text).read_text(encoding="utf-8")
    return [plain(line) for line in whole.split("\n")]


def plain(text: str) -> str:
    return documents.single_spaced(text).replace("*", "")


def errata() -> dict[str, Erratum]:
    found = [erratum for entry in load().entries() for erratum in entry.row.errata]
    found += [entry.added for entry in load().entries() if entry.added]
    return {erratum.id: erratum for erratum in found}


@needs_documents
def test_evidence_is_quoted_from_the_line_it_names() -> None:
    wrong = [
        f"{erratum.id}: line {proof.line} does not say {proof.quote!r}"
        for erratum in errata().values()
        for proof in erratum.evidence
        if plain(proof.quote)
        not in lines(documents.TEXT_OF[proof.document, proof.edition])[(proof.line or 0) - 1]
    ]
    assert not wrong


@needs_documents
def test_footnotes_are_quoted_from_the_line_they_name() -> None:
    wrong = [
        f"{table.document}/{table.table} line {note.line}: {note.text.ja!r}"
        for table in load().tables
        for note in table.notes
        if note.text.ja is not None
        and plain(note.text.ja).lstrip("- ")
        not in " ".join(lines(PROSE[table.document])[note.line - 1 : note.line + 3])
    ]
    assert not wrong


def test_errata_are_told_apart_by_their_ids() -> None:
    ids = [erratum.id for entry in load().entries() for erratum in entry.row.errata]
    assert len(ids) == len(set(ids))


def test_a_correction_changes_something() -> None:
    for entry in load().entries():
        changes = [name for erratum in entry.row.errata for name in erratum.correction]
        corrected = entry.row.corrected()
        for name in changes:
            assert getattr(corrected, name) != getattr(entry.row, name), f"{entry.id}: {name}"


# The contradictions that a reader of both editions finds first; each has to have its erratum.
KNOWN = (
    "expressway/5/1", "expressway/6/5", "expressway/10/1", "expressway/11/+1", "expressway/12/27",
    "expressway/12/28", "expressway/13/4", "expressway/20/3", "expressway/21/4", "expressway/21/6",
    "expressway/21/7", "expressway/24/3", "expressway/27/9", "expressway/29/1",
    "expressway/10/4", "expressway/24/7/release", "expressway/26/1", "cucm/1/24", "cucm/6/2",
)  # fmt: skip


def test_the_known_contradictions_have_errata() -> None:
    with_errata = {erratum.rpartition("/")[0] for erratum in errata()} | set(errata())
    assert not set(KNOWN) - with_errata
