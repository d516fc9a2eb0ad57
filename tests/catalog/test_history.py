"""The history of rows: every edition in its order, and the releases at which something changes."""

from __future__ import annotations

from itertools import pairwise

from flowbridge.catalog.history import (
    Standing,
    changes_by_release,
    history,
    releases_that_differ,
)
from flowbridge.catalog.load import load
from flowbridge.catalog.released import readings

CATALOG = load()


def test_every_row_of_every_edition_has_a_history() -> None:
    told = {
        f"{file.document}/{file.table}/{number}"
        for file in CATALOG.files
        for number in history(CATALOG.table_of_file(*file.key))
    }
    assert told == {row for row in readings(CATALOG) if "+" not in row}


def test_a_changed_cell_is_named_in_the_edition_that_changed_it() -> None:
    """LDAP from Expressway-C: 1024-65535 in X14.0, 30000-35999 since X14.3."""
    told = {e.edition.id: e for e in history(CATALOG.table_of_file("expressway", 14))[1]}
    assert told["X12.5"].standing is Standing.UNKNOWN
    assert told["X14.0"].standing is Standing.FIRST
    assert (told["X15.0"].standing, told["X15.0"].cells) == (Standing.CHANGED, ("source_ports",))
    assert told["X15.2"].standing is Standing.SAME


def test_rows_come_and_go() -> None:
    cucm = history(CATALOG.table_of_file("cucm", 1))
    standings = {number: [each.standing for each in told] for number, told in cucm.items()}
    assert any(Standing.GONE in each for each in standings.values())
    assert any(Standing.NEW in each for each in standings.values())
    for each in standings.values():
        # What came was not there before, and what went was.
        for before, after in pairwise(each):
            if after in {Standing.GONE, Standing.SAME, Standing.CHANGED}:
                assert before not in {Standing.ABSENT, Standing.GONE}, each


def test_what_each_release_changes_about_turn_on_expressway_e() -> None:
    changes = changes_by_release(CATALOG, "expressway")
    (opened,) = changes["expressway/16/6"]
    assert (opened.before, opened.after, opened.change) == ("X8.11", "X12.5", "opens")
    assert opened.old == ()
    assert opened.new[0]["ports"] == "3478 from 1024-65535"
    assert "expressway/11/14" not in changes, "no release changes it"


def test_the_releases_are_in_their_order_and_those_of_conditions_are_among_them() -> None:
    releases = releases_that_differ(CATALOG, "expressway")
    assert releases.index("X8.8") < releases.index("X8.10") < releases.index("X12.5.3")
    assert releases[-1] == "X15.3"
    assert releases_that_differ(CATALOG, "webex") == ()
