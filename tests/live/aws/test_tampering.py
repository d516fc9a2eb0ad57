"""Every harmful change behind Terraform's back is found, and no harmless one is reported."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flowbridge.policy.audit.audit import Verdict
from tests.live.aws.estates import LiveSite
from tests.live.aws.tampering import HARMFUL, HARMLESS, Tamper

pytestmark = pytest.mark.slow


def _name(tamper: Tamper) -> str:
    return tamper.__name__


@pytest.mark.parametrize("eni", [False, True], ids=["cards by address", "cards by name"])
def test_what_was_just_made_is_clean(make: Callable[..., LiveSite], eni: bool) -> None:
    found = make(eni=eni).audit()
    assert (found.verdict, found.unread) == (Verdict.CLEAN, ())
    assert found.summary.carried == found.summary.planned > 50
    assert found.read["security group rules"] > 50


def test_what_has_no_cards_yet_is_judged_by_its_groups(make: Callable[..., LiveSite]) -> None:
    site = make(cards=False)
    found = site.audit(before_machines=True)
    assert found.verdict is Verdict.CLEAN
    assert any("no network interface has 10.0.1.11" in note for note in found.notes)
    HARMFUL[0](site)
    assert site.audit(before_machines=True).verdict is Verdict.DRIFT


@pytest.mark.parametrize("tamper", HARMFUL, ids=_name)
def test_harm_is_found(edge: LiveSite, tamper: Tamper) -> None:
    tamper(edge)
    found = edge.audit()
    assert found.verdict is Verdict.DRIFT
    assert not found.unread


@pytest.mark.parametrize("tamper", HARMLESS, ids=_name)
def test_no_harm_is_reported(edge: LiveSite, tamper: Tamper) -> None:
    tamper(edge)
    found = edge.audit()
    assert [each.as_plain() for each in found.opened] == []
    assert [each.as_plain() for each in found.refused] == []
    assert [each.message for each in found.deviations if each.drift] == []
    assert found.verdict is Verdict.CLEAN
    assert found.summary.carried == found.summary.planned
