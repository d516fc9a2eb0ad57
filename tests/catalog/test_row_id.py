"""A row's id is read once and written in one way."""

from __future__ import annotations

import pytest

from flowbridge.catalog.load import load
from flowbridge.catalog.row_id import RowId, read_row_id


def test_every_row_of_the_catalog_is_written_as_it_is_read() -> None:
    entries = (*load().entries(), *load().closed_entries())
    assert [each.id for each in entries if str(read_row_id(each.id)) != each.id] == []
    assert all(
        read_row_id(each.id).printed_in == (each.table.document, each.table.table)
        for each in entries
    )


def test_an_added_row_is_another_than_the_printed_one() -> None:
    assert read_row_id("expressway/11/+1") == RowId("expressway", 11, 1, added=True)
    assert read_row_id("expressway/11/1") != read_row_id("expressway/11/+1")


@pytest.mark.parametrize("text", ["", "expressway", "expressway/11", "expressway/x/1", "a/1/2/3"])
def test_what_is_no_row_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expressway/11/5"):
        read_row_id(text)
    with pytest.raises(KeyError):
        load().entry(text)
