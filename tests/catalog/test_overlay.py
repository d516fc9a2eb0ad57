"""A user's own rows: beside ours, never in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowbridge.catalog.export import export_rows
from flowbridge.catalog.load import ROOT, load
from flowbridge.catalog.overlay import load_with, with_overlays
from flowbridge.catalog.reading.located_yaml import BadFileError
from tests.overlay_text import OVERLAY


def written(folder: Path, text: str, name: str = "own.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_own_rows_stand_behind_ours(tmp_path: Path) -> None:
    catalog = with_overlays(load(), [written(tmp_path, OVERLAY)])
    assert catalog.services == (*load().services, "badge-readers")
    assert catalog.documents[-1] == "acme-corp"
    row = catalog.entry("acme-corp/1/1").row
    assert (row.line, row.source.printed) == (7, None)  # the line in the overlay file
    assert catalog.parties["badge-reader"].ja == ("Badge reader",)
    assert export_rows(catalog)[-1]["id"] == "acme-corp/1/1"
    assert "badge-readers" not in load().services


def test_overlays_are_named_relative_to_the_deployment_file(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    written(tmp_path / "rows", OVERLAY)
    catalog = load_with(["rows/own.yaml"], tmp_path / "site.yaml")
    assert "badge-readers" in catalog.services
    assert load_with([], tmp_path / "site.yaml").services == load().services


def test_a_row_may_join_one_of_our_services(tmp_path: Path) -> None:
    text = OVERLAY.replace("service: badge-readers", "service: mra")
    catalog = with_overlays(load(), [written(tmp_path, text)])
    assert [table.document for table in catalog.tables_of("mra")][-1] == "acme-corp"


def test_a_file_of_one_table_is_an_overlay_too(tmp_path: Path) -> None:
    source = next(file.path for file in load().files if file.key == ("cucm", 9))
    text = source.read_text(encoding="utf-8").replace("document: cucm", "document: our-cucm")
    catalog = with_overlays(load(), [written(tmp_path, text)])
    assert catalog.entry("our-cucm/9/1").row == catalog.entry("cucm/9/1").row


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("acme-corp", "cucm", ":3: tables[0].document", "the document id 'cucm' is taken"),
        ("acme-corp", "Acme Corp", ":1: document", "Acme Corp"),
        ("badge-reader}]", "nobody}]", ":9: tables[0].rows[0].source", "no party 'nobody'"),
        ("ports: 8443", "ports: 84433", ":13: tables[0].rows[0].destination_ports", "84433"),
        ("kind: system", "kindd: system", ":15: parties.badge-reader.kindd", "mean 'kind'?"),
        ("  badge-reader: {en", "  cucm: {en", ":15: parties.cucm", "choose another name"),
        ("row: 1", "row: 2", ":6: tables[0].rows", "rows count from 1"),
        ("tables:", "tablez:", ":2: tablez", "did you mean 'tables'?"),
    ],
)  # fmt: skip
def test_faults_have_their_place(
    tmp_path: Path, old: str, new: str, place: str, words: str
) -> None:
    path = written(tmp_path, OVERLAY.replace(old, new, 1))
    with pytest.raises(BadFileError) as caught:
        with_overlays(load(), [path])
    message = str(caught.value)
    assert f"{path}{place}" in message
    assert words in message


def test_an_expression_in_an_overlay_is_refused(tmp_path: Path) -> None:
    """Host names of a party go into rules, where Terraform would read the file that is named."""
    hostile = OVERLAY.replace(
        "kind: system", "kind: system, host_names: ['${file(\"x\")}.example']"
    )
    with pytest.raises(BadFileError, match="begins an expression") as caught:
        with_overlays(load(), [written(tmp_path, hostile)])
    (problem,) = caught.value.problems
    assert problem.key == "parties.badge-reader.host_names[0]"


def test_two_overlays_need_two_names(tmp_path: Path) -> None:
    paths = [written(tmp_path, OVERLAY, name) for name in ("one.yaml", "two.yaml")]
    with pytest.raises(BadFileError, match="'acme-corp' is taken"):
        with_overlays(load(), paths)


def test_the_example_of_the_catalogs_page_is_an_overlay(tmp_path: Path) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    example = next(part for part in page.split("```") if "document: acme-corp" in part)
    catalog = with_overlays(load(), [written(tmp_path, example.removeprefix("yaml\n"))])
    assert "badge-readers" in catalog.services
