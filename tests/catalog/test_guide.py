"""The guide rules: quoted from the documents, with conditions and messages that can be used."""

from __future__ import annotations

import string

from flowbridge.catalog.condition import Condition
from flowbridge.catalog.guide_rule import guide
from flowbridge.catalog.load import load
from flowbridge.catalog.validate import FACT_VALUES
from flowbridge.deployment.guide.findings import CHECKS
from flowbridge.deployment.selection.facts import facts_of
from tests.deployment.files import DUAL, site

RULES = list(guide().root.items())


def values(condition: Condition) -> set[tuple[str, str]]:
    """Every fact and value that a condition names."""
    found: set[tuple[str, str]] = set()
    for fact, wanted in condition.root.items():
        for part in wanted if isinstance(wanted, list) else [wanted]:
            if isinstance(part, Condition):
                found |= values(part)
            else:
                found.add((fact, part))
    return found


def test_conditions_name_facts_that_deployments_state() -> None:
    facts = facts_of(site(DUAL))
    for name, rule in RULES:
        for fact, value in values(rule.when):
            assert fact in facts, name
            known = FACT_VALUES.get(fact)
            if fact == "service":
                known = set(load().services)
            elif fact == "system":
                known = set(load().parties)
            assert known is None or value in known, f"{name}: {fact} {value}"


def test_alternatives_are_switches() -> None:
    facts = facts_of(site(DUAL))
    for name, rule in RULES:
        for group in rule.alternatives:
            assert all(isinstance(facts[fact], bool) for fact in group), name


def test_every_check_has_its_rule_and_every_blank_its_check() -> None:
    rules = dict(RULES)
    assert set(CHECKS) <= {name for name, rule in RULES if rule.enforced == "resolving"}
    for name, rule in rules.items():
        blanks = {blank for _, blank, _, _ in string.Formatter().parse(rule.message) if blank}
        assert not blanks or name in CHECKS, f"{name}: nothing fills {blanks}"


def test_rules_that_clouds_look_after_say_where() -> None:
    for name, rule in RULES:
        assert (rule.enforced == "cloud") == bool(rule.findings), name
