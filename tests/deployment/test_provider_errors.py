"""Public errors of providers, each known before an apply; and the page that lists them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.stacks.pipeline import build_all

ROOT = Path(__file__).parents[2]
ERRORS: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("provider_errors.yaml").read_text("utf-8")
)
EXAMPLES = {"aws": "emea-edge", "azure": "azure-edge", "gcp": "gcp-edge"}
PROVOKED = [error for error in ERRORS if "change" in error]
PAGE = ROOT / "docs/provider-errors.md"


@pytest.mark.parametrize("error", PROVOKED, ids=[f"{e['cloud']}: {e['told']}" for e in PROVOKED])
def test_a_public_error_is_known_before_the_apply(error: dict[str, Any], tmp_path: Path) -> None:
    example = ROOT / f"examples/{EXAMPLES[error['cloud']]}.yaml"
    data = yaml.safe_load(example.read_text("utf-8"))
    for key, value in error["change"].items():
        if isinstance(value, dict) and set(value) == {"count"}:
            value = {f"tag{number}": "x" for number in range(value["count"])}
        place = data
        *above, last = key.split(".")
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    with pytest.raises(BadFileError) as refused:
        build_all([file])
    assert error["told"] in str(refused.value)
    told = [each for each in refused.value.problems if error["told"] in each.message]
    assert all(each.key for each in told)


@pytest.mark.parametrize("error", ERRORS, ids=[e["error"][:40] for e in ERRORS])
def test_every_error_of_the_table_has_a_public_report_and_a_place(error: dict[str, Any]) -> None:
    assert error["report"].startswith("https://github.com/")
    for word in error["known"].replace(";", " ").split():
        if word.startswith(("tests/", "docs/")):
            assert (ROOT / word.strip("()")).exists(), word


def test_the_page_lists_them_all() -> None:
    rows = [
        f"| {each['cloud']} | {each['error']} | [report]({each['report']}) | {each['known']} |"
        for each in ERRORS
    ]
    assert PAGE.read_text("utf-8").split("\n\n", 2)[2].splitlines()[2:] == rows


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("provider.profile", " edge "),
        ("provider.profile", "edge]"),
        ("provider.assume_role", "arn:aws-cn:iam::123456789012:role/deploy"),
        ("provider.assume_role", "deploy"),
        ("provider.endpoints", {"ec": "https://ec2.eu-west-1.amazonaws.com"}),
        ("provider.endpoints", {"ec2": "ec2.eu-west-1.amazonaws.com"}),
        ("provider.version", ">= 6.0, < 5.0"),
        ("provider.version", "4.55.0"),
        ("backend", {"type": "s3", "settings": {"bucket": "s3://states"}}),
        ("backend", {"type": "s3", "settings": {"bucket": "states", "encrypt": "yes"}}),
        ("backend", {"type": "local", "settings": {"path": True}}),
        ("provider.default_tags", {"flowbridge:site": "x"}),
        ("provider.default_tags", {"": "x"}),
        ("provider.default_tags", {"k" * 129: "x"}),
        ("provider.default_tags", {"k": "v" * 257}),
        ("expressway_c.peers", [{"address": "10.0.10.1"}]),
        ("expressway_c.peers", [{"address": "10.0.10.255"}]),
        ("quotas.rules_per_security_group", 100000),
    ],
)  # fmt: skip
def test_settings_that_nobody_takes_are_refused(key: str, value: Any, tmp_path: Path) -> None:
    data = yaml.safe_load((ROOT / "examples/emea-edge.yaml").read_text("utf-8"))
    place = data
    *above, last = key.split(".")
    for part in above:
        place = place.setdefault(part, {})
    place[last] = value
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    with pytest.raises(BadFileError) as refused:
        build_all([file])
    assert any(problem.key.startswith(key) for problem in refused.value.problems), refused.value


@pytest.mark.parametrize(
    "settings",
    [
        {"default_tags": {f"t{n}": "x" for n in range(45)}},
        {"assume_role": "arn:aws:iam::123456789012:role/team/deploy"},
        {"profile": "uc edge"},
        {"version": "~> 6.0"},
        {"version": ">= 5.100, != 5.101.0, < 7"},
        {"endpoints": {"ec2": "http://127.0.0.1:5000", "sts": "https://sts.amazonaws.com/"}},
    ],
)
def test_settings_that_are_fine_stay_fine(settings: dict[str, Any], tmp_path: Path) -> None:
    data = yaml.safe_load((ROOT / "examples/emea-edge.yaml").read_text("utf-8"))
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(data | {"provider": settings}, sort_keys=False), "utf-8")
    assert len(build_all([file])) == 1
