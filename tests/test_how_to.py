"""The how-to pages hold: their files check and their commands answer as they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documented_pages import ROOT, Reader, fences
from tests.live.azure import server as azure_server

ALL = sorted(path.name for path in (ROOT / "docs" / "how-to").glob("*.md"))
WITH_A_CLOUD = "brownfield.md"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", [name for name in ALL if name != WITH_A_CLOUD])
def test_what_a_page_says_is_so(page: str) -> None:
    assert Reader({}, {}, {}).follow(f"docs/how-to/{page}")


def test_an_estate_of_others_is_taken_over() -> None:
    cloud = azure_server.AzureCloud()
    subnets = {"dmz-outer": "10.0.1.0/24", "dmz-inner": "10.0.2.0/24", "internal": "10.0.10.0/24"}
    azure_server.add_network(cloud, "uc-vnet", subnets)
    addresses = ("10.0.1.11", "10.0.2.11", "10.0.10.11", "10.0.10.21", "10.0.10.22")
    for number, address in enumerate(addresses):
        azure_server.add_card(cloud, f"card-{number}", list(subnets)[min(number, 2)], address)
    with azure_server.serving(cloud) as url:
        asked = dict.fromkeys(("audit", "adopt"), ("--endpoint-url", url))
        assert Reader({}, asked, {}).follow(f"docs/how-to/{WITH_A_CLOUD}")


def test_every_page_has_a_file_and_a_command() -> None:
    for name in ALL:
        found = list(fences(f"docs/how-to/{name}"))
        assert any(each.title for each in found), name
        assert any(each.language == "sh" for each in found), name


def test_an_answer_that_is_not_given_is_a_fault(tmp_path: Path) -> None:
    reader = Reader({}, {}, {})
    with pytest.raises(AssertionError, match="nobody says it there"):
        reader._compare("x.md", "Everything holds.", "Nothing holds.")
    reader._compare("x.md", "...\nWrote ...", "first\n  Wrote a.json")
