"""What the documentation site is made of: rows for the explorer, pages of tables, links."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flowbridge.catalog.load import load
from flowbridge.catalog.released import readings
from flowbridge.cli import COMMANDS
from website.catalog_pages import write_catalog
from website.catalog_rows import folded, search_records, table_pages
from website.pages import with_links_that_hold, write_pages

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    write_pages(ROOT, target)
    return target / "pages"


def test_every_row_of_every_edition_is_searched_and_has_its_place(folder: Path) -> None:
    records = json.loads((folder / "catalog" / "rows.json").read_text("utf-8"))
    assert {each["id"] for each in records["rows"]} == set(readings(load()))
    for each in records["rows"]:
        page = (folder / "catalog" / f"{each['page']}.md").read_text("utf-8")
        assert f"#{each['anchor']} }}" in page


def test_a_page_on_a_disk_has_the_rows_too(folder: Path) -> None:
    script = (folder / "catalog" / "rows.js").read_text("utf-8")
    text = script.removeprefix("window.flowbridgeRows = ").removesuffix(";\n")
    assert json.loads(text) == json.loads((folder / "catalog" / "rows.json").read_text("utf-8"))
    assert "</" not in script


def test_ranges_of_every_edition_are_searched() -> None:
    records = search_records(table_pages())
    (row,) = [each for each in records["rows"] if each["id"] == "expressway/14/1"]
    spans = {(first, last): places for first, last, places in row["sources"]}
    old = records["editions"].index("Expressway X14.0")
    new = records["editions"].index("Expressway X14.3/X15.0")
    assert old in spans[1024, 65535]
    assert new not in spans[1024, 65535]
    assert new in spans[30000, 35999]


def test_words_are_those_of_both_languages() -> None:
    rows = {each["id"]: each for each in search_records(table_pages())["rows"]}
    words = rows["expressway/16/6"]["words"]
    assert "expressway-e" in words
    assert folded("ICE パススルー") in words
    assert "mra/" in words, "a feature that needs it"
    printed_in_japanese = rows["expressway/16/4"]["words"]
    assert "offpremises-endpoint" in printed_in_japanese
    assert "オフプレミス" in printed_in_japanese
    assert folded("ＴＣＰ") == "tcp"


def test_a_row_says_where_it_is_printed_and_what_releases_change(folder: Path) -> None:
    page = (folder / "catalog" / "expressway-16.md").read_text("utf-8")
    row = page.split("## expressway/16/6 ")[1].split("\n## ")[0]
    assert "X14.3/X15.0, table 16, row 6" in row
    assert "https://www.cisco.com/" in row
    releases = row.split("What releases change")[1]
    assert "<td>X12.5</td><td>opens</td><td>nothing</td><td>3478 from 1024-65535" in releases
    changed = (folder / "catalog" / "expressway-14.md").read_text("utf-8")
    assert "source ports: 1024-65535" in changed
    assert "its text could not be had" in changed


def test_every_edition_is_listed_with_what_is_known_of_it(folder: Path) -> None:
    page = (folder / "catalog" / "editions.md").read_text("utf-8")
    assert "| X14.0 to X14.0.\\* | known |" in page
    assert re.search(r"\[X12\.5\]\(https://[^)]+\) \| 2020-04 \| en .*could not be had", page)


def test_every_command_says_its_help(folder: Path) -> None:
    page = (folder / "commands.md").read_text("utf-8")
    for name in COMMANDS:
        assert f"\n## flowbridge {name} " in page
        assert f"Usage: flowbridge {name} " in page
    assert "\n### flowbridge catalog show " in page
    assert "--keep-going" in page.split("## flowbridge check ")[1].split("\n## ")[0]


def test_texts_of_the_documents_are_no_markup(tmp_path: Path) -> None:
    write_catalog(tmp_path)
    for page in (tmp_path / "catalog").glob("*.md"):
        text = page.read_text("utf-8")
        assert not re.search(
            r"<(?!/?(?:div|p|span|br|dl|dt|dd|a|code|table|caption|thead|tbody|tr|t[hd])\b)\w", text
        )


def test_links_lead_to_pages_or_are_words(folder: Path) -> None:
    """Those to files of the repository that the site does not have are their names only."""
    for page in folder.rglob("*.md"):
        text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)\s#]+)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(folder)}: {target}"
    held = with_links_that_hold(
        "[template](../pipelines/gitlab.yml) [`x.py`](../x.py)", folder / "a.md", folder, ROOT
    )
    assert held == "template (`pipelines/gitlab.yml`) `x.py`"


def test_every_page_of_the_documentation_is_in_the_navigation() -> None:
    listed = (ROOT / "website" / "mkdocs.yml").read_text("utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").as_posix()
        assert name in listed or name.startswith("decisions/"), name
