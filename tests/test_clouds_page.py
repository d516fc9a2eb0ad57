"""`docs/clouds.md` and `docs/adding-a-cloud.md` say what the code and its tables say."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowbridge.catalog.load import load
from flowbridge.catalog.translation import translations
from flowbridge.deployment.file.options import (
    AwsLoadBalancer,
    AzureLoadBalancer,
    Gcp,
    GcpLoadBalancer,
)
from flowbridge.deployment.file.site import Cloud, site_type
from flowbridge.providers.provider import Provider
from flowbridge.providers.registry import provider_for

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "clouds.md").read_text("utf-8")
ADDING = (ROOT / "docs" / "adding-a-cloud.md").read_text("utf-8")
LIMITS = {
    "AWS: rules of a security group, each direction and IP version": (
        "aws",
        "rules_per_security_group",
    ),
    "AWS: security groups of an interface": ("aws", "security_groups_per_interface"),
    "AWS: the two multiplied": ("aws", "rules_times_groups"),
    "AWS: ACL entries, each direction and IP version": ("aws", "network_acl_entries"),
    "Azure: rules of an NSG": ("azure", "nsg_rules"),
    "Azure: addresses on each side of the rules of an NSG": ("azure", "nsg_addresses"),
    "Google Cloud: VPC firewall rules of a project": ("gcp", "firewall_rules"),
}


def table(cloud: str, name: str) -> Any:
    return yaml.safe_load((ROOT / "providers" / cloud / f"{name}.yaml").read_text("utf-8"))


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_that_of_the_cloud_s_table(limit: str) -> None:
    cloud, name = LIMITS[limit]
    quota = table(cloud, "quotas")[name]
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {limit} |")]
    _, _, default, raised, _ = (cell.strip() for cell in row.split("|"))
    assert int(default) == quota["value"]
    assert raised == (f"`quotas.{quota['site']}`" if "site" in quota else "")
    if "site" in quota:
        raised_by = site_type(Cloud(cloud)).model_fields["quotas"].default
        assert quota["site"] in type(raised_by).model_fields


def test_every_row_option_and_system_that_it_names_exists() -> None:
    catalog = load()
    for row in re.findall(r"\b(?:expressway|cucm|platform)/\d+/\d+", PAGE):
        catalog.entry(row)
    for document, number in re.findall(r"`(?:flowbridge catalog list )?(platform)/(\d+)`", PAGE):
        catalog.table(document, int(number))
    for system in re.findall(r"`systems\.([a-z-]+)`", PAGE):
        assert system in catalog.parties
    keys = {
        *AwsLoadBalancer.model_fields,
        *AzureLoadBalancer.model_fields,
        *GcpLoadBalancer.model_fields,
    }
    assert set(re.findall(r"`load_balancer\.(\w+)`", PAGE)) <= keys


def test_the_figures_of_text_are_those_of_the_code() -> None:
    azure = table("azure", "quotas")
    assert f"priority {azure['highest_priority']['value']}" in PAGE
    assert f"no more\nthan {azure['port_ranges_per_rule']['value']};" in PAGE
    priority = Gcp().priority
    assert f"priority {priority}, our denies {priority + 1}" in PAGE
    acl = table("aws", "quotas")["network_acl_entries"]
    assert f"{acl['value']} entries for each direction" in PAGE
    assert f"({acl['maximum']} at most" in PAGE
    for part in translations():
        assert f"{part.outside} to {part.inside}" in PAGE


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_the_idle_limits_of_obligations_are_on_the_page(cloud: str) -> None:
    """Every number of seconds or minutes that an obligation about idle connections names."""
    said = " ".join(e["message"] for e in table(cloud, "obligations") if "idle-timeout" in e["id"])
    for number in re.findall(r"(\d+) (?:s\b|minutes)", said):
        assert re.search(rf"\b{number} (?:s\b|min\b)", PAGE), number


def test_the_page_on_adding_names_every_member_of_a_provider() -> None:
    members = {name for name in vars(Provider) if not name.startswith("_")} | {"name"}
    for member in members:
        assert re.search(rf"^\| `{member}\b", ADDING, re.MULTILINE), member
        assert hasattr(provider_for("aws"), member)


@pytest.mark.parametrize("page", [PAGE, ADDING], ids=["clouds", "adding-a-cloud"])
def test_paths_lead_to_files(page: str) -> None:
    invented = re.compile(r"oci|<cloud>")
    paths = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", page) + [
        f"docs/{link}" for link in re.findall(r"\]\(([\w./-]+)\)", page)
    ]
    assert paths
    for path in paths:
        if not invented.search(path) and not re.fullmatch(r"platform/\d", path):
            assert (ROOT / path).exists(), path


def exhaustive() -> set[tuple[str, str]]:
    """The functions over `Cloud` that the type checker holds to every member: (file, function)."""
    found: set[tuple[str, str]] = set()
    for room in ("catalog", "deployment", "policy", "providers", "stacks", "flowbridge"):
        for path in sorted((ROOT / room).rglob("*.py")):
            text = path.read_text("utf-8")
            if "Cloud.AWS" not in text:
                continue
            found |= {
                (str(path.relative_to(ROOT)), function.name)
                for function in ast.walk(ast.parse(text))
                if isinstance(function, ast.FunctionDef)
                and "case Cloud.AWS" in ast.unparse(function)
            }
    return found


def test_the_page_on_adding_lists_every_function_over_clouds_and_no_other() -> None:
    listed = re.findall(r"^\| `([\w/]+\.py)` \| `(\w+)` \|", ADDING, re.MULTILINE)
    assert sorted(listed) == sorted(exhaustive())


@pytest.mark.parametrize(("file", "function"), sorted(exhaustive()))
def test_a_function_over_clouds_leaves_none_out(file: str, function: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    (body,) = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == function)
    assert {f"case Cloud.{cloud.name}" for cloud in Cloud} <= set(
        re.findall(r"case Cloud\.\w+", ast.unparse(body))
    )
    assert "assert_never(" in ast.unparse(body)


def test_no_table_over_clouds_escapes_the_type_checker() -> None:
    """`{Cloud.AWS: ...}` and `is Cloud.AWS` would miss a new member in silence."""
    told = ("deployment/file/other_clouds.py", "deployment/file/site.py")
    for room in ("catalog", "deployment", "policy", "providers", "stacks", "flowbridge"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for line in path.read_text("utf-8").splitlines():
                name = str(path.relative_to(ROOT))
                if re.search(r"\bCloud\.(AWS|AZURE|GCP)\b", line) and name not in told:
                    assert re.search(r"case Cloud\.|cloud = Cloud\.", line), f"{name}: {line}"
