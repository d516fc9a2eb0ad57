"""Released versions of the catalog, compared row by row."""

from __future__ import annotations

import json

import pytest

from flowbridge.catalog.load import load
from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.catalog.released import (
    FOLDER,
    catalog_version,
    is_version,
    readings,
    released_versions,
    version_difference,
)


def test_what_changed_between_two_released_versions() -> None:
    changes = {c["id"]: c for c in version_difference(load(), "1.2", "2.0")}
    assert changes["cucm/1/37"]["change"] == "new"
    assert "1516" in changes["cucm/1/37"]["what"]
    assert changes["cucm/7/26"]["change"] == "new"
    assert "expressway/11/5" not in changes


def test_the_data_at_hand_is_the_newest_version() -> None:
    here = catalog_version()
    assert released_versions()[-1] == here
    assert not version_difference(load(), here, here)
    assert version_difference(load(), "1.2", here)


def test_the_rows_of_the_version_at_hand_are_kept() -> None:
    kept = json.loads((FOLDER / f"{catalog_version()}.json").read_text("utf-8"))
    assert kept == readings(load()), (
        "rows have changed: raise catalog/VERSION with an entry in catalog/CHANGELOG.md where a "
        "release has these, and run `make docs`"
    )


def test_every_row_of_every_edition_is_in_a_version() -> None:
    rows = readings(load())
    assert {"cucm/1/22", "cucm/1/37", "expressway/14/1"} <= set(rows)
    assert rows["cucm/1/37"]["destination_ports"] == "1516"


def test_a_version_that_was_never_released_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadFileError, match=r"there is no catalog 9\.9; there are 1\.2\.1"):
        version_difference(load(), "1.2", "9.9")


@pytest.mark.parametrize(("text", "wanted"), [("1.2", True), ("2.0.0", True), ("X15.0", False)])
def test_a_version_is_told_from_a_release(text: str, wanted: bool) -> None:
    assert is_version(text) == wanted
