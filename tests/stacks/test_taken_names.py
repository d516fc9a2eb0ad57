"""Names stand for one thing: different parts, different names, and no two in one place."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.providers.azure.emit.naming import azure_name, group_name, nsg_name
from flowbridge.providers.gcp.markers import target_tag
from flowbridge.stacks.pipeline import build, build_all, load
from flowbridge.stacks.taken_names import PLACES, names_of, taken_names

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
WORDS = ("edge", "emea", "sip", "endpoint", "remote", "media", "destination", "lab")
JOINED = sorted({"-".join(words) for n in (1, 2, 3) for words in itertools.permutations(WORDS, n)})
# Their resources' names are labels, or those of parts of a resource that has a name of its own.
INSIDE = {
    "azurerm_lb_backend_address_pool",
    "azurerm_lb_probe",
    "azurerm_lb_rule",
    "google_compute_network_firewall_policy_association",
    "google_tags_tag_value",
}


def test_different_parts_give_different_names() -> None:
    workloads = ("endpoint", "sip-endpoint", "remote-sip-endpoint", "media-destination", "a-b", "b")
    sites = (*JOINED, "x-a", "x", "lab-media", "x-remote-sip")
    for name in (group_name, target_tag):
        made: dict[str, tuple[str, str]] = {}
        for site, workload in itertools.product(sites, workloads):
            other = made.setdefault(name(site, workload, "single"), (site, workload))
            assert other == (site, workload)
    tiers: dict[str, tuple[str, str]] = {}
    for site, tier in itertools.product(sites, [text for text in JOINED if len(text) < 22]):
        other = tiers.setdefault(nsg_name(site, tier), (site, tier))
        assert other == (site, tier)


def test_names_without_a_second_reading_are_plain() -> None:
    assert nsg_name("emea-edge", "dmz") == "flowbridge-emea-edge-dmz"
    assert target_tag("lab", "sip-endpoint", "single") == "fb-lab-sip-endpoint-single"
    assert target_tag("lab-sip", "endpoint", "single") != "fb-lab-sip-endpoint-single"
    assert target_tag("emea-edge", "cucm", "single") == "fb-emea-edge-cucm-single"
    group = group_name("emea-edge", "expressway-e", "external")
    assert group == "flowbridge-emea-edge-expressway-e-external"


def test_what_azure_does_not_take_is_not_what_it_becomes() -> None:
    assert azure_name("flowbridge", "a b") != azure_name("flowbridge", "a_b")
    assert azure_name("flowbridge", "", "x") != azure_name("flowbridge", "x")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_named_kind_is_looked_at(example: Path) -> None:
    document = build(load(example)).document
    for kind, bodies in document["resource"].items():
        named = any("name" in body or "short_name" in body for body in bodies.values())
        assert not named or kind in PLACES or kind in INSIDE, kind
    found = [name for name in names_of(document) if name[0] != "network tag"]
    assert len(found) == len(set(found)), "one deployment gives each name once"
    assert all(place and place[-1] for _, place, _ in found), found


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_two_files_of_one_name_in_one_place_are_refused(cloud: str) -> None:
    example = next(path for path in EXAMPLES if load(path).site.cloud == cloud)
    document = build(load(example)).document
    (first, *_) = list(taken_names([("a.yaml", document), ("b.yaml", document)]))
    assert first.file == "b.yaml"
    assert "a.yaml" in first.message
    assert not list(taken_names([("a.yaml", document)]))


def test_sites_that_look_alike_hold_side_by_side(tmp_path: Path) -> None:
    example = next(path for path in EXAMPLES if path.stem == "azure-edge").read_text("utf-8")
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text(example.replace("name: azure-edge", "name: emea-edge"), encoding="utf-8")
    text = example.replace("name: azure-edge", "name: emea").replace("dmz:", "edge-dmz:")
    text = text.replace("tier: dmz", "tier: edge-dmz").replace("dmz-", "other-")
    text = text.replace("[internal]", "[other]").replace("10.0.", "10.8.")
    other.write_text(text, encoding="utf-8")
    built = build_all([one, other])
    names = [set(names_of(each.document)) for each in built]
    assert not names[0] & names[1]


def test_one_name_is_told_once(tmp_path: Path) -> None:
    example = EXAMPLES[0].read_text("utf-8")
    files = [tmp_path / "one.yaml", tmp_path / "other.yaml"]
    for file in files:
        file.write_text(example, encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        build_all(files)
    assert [problem.key for problem in caught.value.problems] == ["name"]
