"""Errata and guide rules for readers; the committed tables are the catalog's."""

from __future__ import annotations

from pathlib import Path

from flowbridge.catalog.feature_page import features_markdown
from flowbridge.catalog.guide_rule import guide
from flowbridge.catalog.load import load
from flowbridge.catalog.reference import errata, errata_markdown, rules, rules_markdown

DOCS = Path(__file__).parents[2] / "docs"


def test_the_committed_table_of_errata_is_the_catalogs() -> None:
    """After a change: `flowbridge catalog errata --format markdown > docs/errata.md`."""
    assert (DOCS / "errata.md").read_text(encoding="utf-8") == errata_markdown(load())


def test_the_committed_table_of_guide_rules_is_the_catalogs() -> None:
    """After a change: `flowbridge catalog guide --format markdown > docs/guide-rules.md`."""
    assert (DOCS / "guide-rules.md").read_text(encoding="utf-8") == rules_markdown(guide())


def test_every_erratum_is_listed_once_with_what_it_does() -> None:
    listed = {record["id"]: record for record in errata(load())}
    assert len(listed) == len(errata(load()))
    assert listed["expressway/5/1/destination"]["corrects"]
    assert listed["expressway/11/+1"]["adds"] == "expressway/11/+1"
    assert not listed["expressway/3/1/range"]["corrects"]
    for entry in load().entries():
        assert {erratum.id for erratum in entry.row.errata} <= set(listed)


def test_rules_are_plain_data() -> None:
    (rule,) = (each for each in rules(guide()) if each["id"] == "guide/media-range")
    assert rule["source"]["table"] == 3
    assert rule["cited"].startswith(
        "Cisco Expressway IP Port Usage Configuration Guide, X14.3/X15.0"
    )
    assert rule["address"].startswith("https://www.cisco.com/")
    assert rule["kind"] == "refusal"


def test_every_line_of_a_table_has_its_columns() -> None:
    for text in (errata_markdown(load()), rules_markdown(guide())):
        lines = [line for line in text.splitlines() if line.startswith("|")]
        bars = {line.replace("\\|", "").count("|") for line in lines}
        assert len(bars) == 1


def test_the_committed_features_are_those_of_the_data() -> None:
    """After a change: `flowbridge catalog features --format markdown > docs/features.md`."""
    assert (DOCS / "features.md").read_text(encoding="utf-8") == features_markdown(load())
