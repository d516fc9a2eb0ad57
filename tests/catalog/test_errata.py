"""Errata and notes: every quotation stands on the line that is named."""

from __future__ import annotations

import pytest

from flowbridge.catalog.load import load
from flowbridge.catalog.row import Erratum
from tests.catalog import facts


def errata() -> dict[str, Erratum]:
    found = [erratum for entry in load().entries() for erratum in entry.row.errata]
    found += [entry.added for entry in load().entries() if entry.added]
    return {erratum.id: erratum for erratum in found}


def test_what_is_quoted_stands_on_the_line_it_names() -> None:
    """Evidence, footnotes and statements of guide rules, each once read in the texts.

    After a change: `python -m tests.catalog.facts FOLDER`, with the five texts in FOLDER.
    """
    assert not facts.unquoted()


def test_a_quotation_that_was_never_read_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    name, (document, edition, line, text) = facts.quotes()[0]
    for other in ((document, edition, line + 10_000, text), (document, edition, line, f"{text}x")):
        monkeypatch.setattr(facts, "quotes", lambda other=other: [(name, other)])
        assert facts.unquoted()


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
