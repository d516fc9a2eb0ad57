"""Estates of others that are right: each opens what the documents ask for, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowbridge.stacks.judging import judge_plan
from tests.stacks.judging.estates import RIGHT, Case
from tests.stacks.judging.sites import built


@pytest.mark.parametrize("make", RIGHT, ids=lambda make: make.__name__)
def test_an_estate_that_opens_what_is_asked_for_holds(make: Callable[[], Case]) -> None:
    case = make()
    judged = judge_plan(built(case.cloud), case.document, case.wearing)
    assert not judged.untold, [str(each) for each in judged.untold]
    assert not judged.missing, [each.as_plain() for each in judged.missing]
    assert not judged.opened, [each.as_plain() for each in judged.opened]
    assert set(judged.estate.worn) == {"expressway-c/single", "expressway-e/single"}
    rows = {row for each in judged.open for row in each.rows}
    assert rows == {
        "expressway/5/1",
        "expressway/5/3",
        "expressway/5/4",
        "expressway/5/5",
        "expressway/6/1",
        "expressway/6/3",
        "expressway/6/4",
        "expressway/6/6",
    }
