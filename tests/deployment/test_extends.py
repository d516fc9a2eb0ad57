"""Deployments that share a file: merged all the way down, each line in its own file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.deployment.read import resolve_file
from tests.deployment.files import DUAL, Data


@pytest.fixture
def sites(tmp_path: Path) -> Path:
    """A folder of sites, with what they share above it."""
    common = {key: value for key, value in DUAL.items() if key != "name"}
    write(tmp_path / "common.yaml", common)
    (tmp_path / "sites").mkdir()
    return tmp_path / "sites"


def write(file: Path, data: Data) -> Path:
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    return file


def line_of(file: Path, words: str) -> int:
    lines = file.read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


def refused(file: Path) -> str:
    with pytest.raises(BadFileError) as error:
        resolve_file(file)
    return str(error.value)


def test_sections_are_merged_and_lists_are_the_files_own(sites: Path) -> None:
    file = write(
        sites / "a.yaml",
        {
            "extends": "../common.yaml",
            "name": "site-a",
            "options": {"traversal_zones": 3},
            "systems": {"dns": {"addresses": ["10.9.9.9"]}},
            "services": ["traversal-pair"],
        },
    )
    site = resolve_file(file).site
    assert (site.name, site.region) == ("site-a", DUAL["region"])
    assert site.options.traversal_zones == 3
    assert [str(each) for each in site.systems["dns"].addresses] == ["10.9.9.9/32"]
    assert set(site.systems) >= set(DUAL["systems"])
    assert list(site.services) == ["traversal-pair"]


def test_a_mistake_names_the_file_it_stands_in_and_the_one_it_covers(sites: Path) -> None:
    common = sites.parent / "common.yaml"
    file = write(
        sites / "a.yaml",
        {"extends": "../common.yaml", "name": "site-a", "size": "larg", "options": {"turn": 1}},
    )
    told = refused(file)
    place = f"{common}:{line_of(common, 'size')}"
    assert f"{file}:{line_of(file, 'size')}: size: 'larg' is not known here" in told
    assert f"this stands in the place of {place}" in told
    write(file, {"extends": "../common.yaml", "name": "site-a"})
    write(common, {**yaml.safe_load(common.read_text()), "sise": 1})
    told = refused(file)
    assert f"{common}:{line_of(common, 'sise')}: sise: this key is unknown" in told
    assert f"{file} is read with this file" in told


def test_findings_have_the_line_and_file_of_their_key(sites: Path) -> None:
    common = sites.parent / "common.yaml"
    file = write(sites / "a.yaml", {"extends": "../common.yaml", "name": "site-a"})
    (cut,) = [f for f in resolve_file(file).findings if f.id == "deployment/cut-off"]
    assert cut.file == str(common)
    assert cut.line is not None
    assert "tier" in common.read_text().splitlines()[cut.line - 1]


def test_a_circle_and_a_file_that_is_not_there_are_refused(sites: Path) -> None:
    file = write(sites / "a.yaml", {"extends": "b.yaml", "name": "site-a"})
    assert "there is no file" in refused(file)
    other = write(sites / "b.yaml", {"extends": ["a.yaml"]})
    assert f"{other}:2: extends[0]: a.yaml extends this file in turn" in refused(file)


def test_of_a_file_elsewhere_no_word_is_shown(
    sites: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.yaml"
    secret.write_text("hunter2: x\n")
    file = write(sites / "a.yaml", {"extends": str(secret), **DUAL})
    told = refused(file)
    assert "hunter2" not in told
    assert "nothing of it is shown" in told
    secret.write_text("root:x:0:0:hunter2\n: [\n")
    assert "hunter2" not in refused(file)


def test_overlays_are_named_from_the_folder_of_the_file_that_names_them(sites: Path) -> None:
    write(sites.parent / "common.yaml", {**DUAL, "overlays": ["rows.yaml"]})
    file = write(sites / "a.yaml", {"extends": "../common.yaml", "name": "site-a"})
    assert f"{sites / '../rows.yaml'}" in refused(file)
