"""The constructs in an app of a user's own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.stacks.aws import AwsFirewall, Site
from flowbridge.stacks.engine import engine
from flowbridge.stacks.fragment import Fragment, addresses, crossing
from flowbridge.stacks.pipeline import RefusedError
from tests.stacks.conftest import EXAMPLES, PAIR

pytestmark = pytest.mark.slow


class Workbench:
    """An app with one stack, synthesized into a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app = engine.App(outdir=str(folder / "out"))
        self.stack = self.new_stack("net")

    def new_stack(self, name: str) -> Any:
        stack = engine.TerraformStack(self.app, name)
        engine.LocalBackend(stack, path=f"{name}.tfstate")
        return stack

    def vpc(self) -> str:
        """The id of a VPC made in the same app, as a token."""
        made = engine.TerraformResource(
            self.stack,
            "vpc",
            terraform_resource_type="aws_vpc",
        )
        return str(made.get_string_attribute("id"))

    def synth(self) -> dict[str, dict[str, Any]]:
        self.app.synth()
        found = (self.folder / "out" / "stacks").glob("*/cdk.tf.json")
        return {path.parent.name: json.loads(path.read_text("utf-8")) for path in found}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    (tmp_path / "pair.yaml").write_text(PAIR, "utf-8")
    return Workbench(tmp_path)


def test_the_vpc_may_be_another_constructs_token(bench: Workbench) -> None:
    text = PAIR.replace("  id: vpc-0a1b2c3d4e5f60718\n", "")
    (bench.folder / "pair.yaml").write_text(text, "utf-8")
    AwsFirewall(bench.stack, "edge", bench.folder / "pair.yaml", vpc_id=bench.vpc())
    resources = bench.synth()["net"]["resource"]
    owned = [
        body["vpc_id"]
        for kind in ("aws_security_group", "aws_network_acl")
        for body in resources.get(kind, {}).values()
    ]
    assert owned
    assert set(owned) == {"${aws_vpc.vpc.id}"}


def test_a_token_of_another_stack_becomes_a_reference_between_stacks(bench: Workbench) -> None:
    other = bench.new_stack("edge")
    AwsFirewall(other, "edge", bench.folder / "pair.yaml", vpc_id=bench.vpc())
    documents = bench.synth()
    groups = documents["edge"]["resource"]["aws_security_group"].values()
    assert all("terraform_remote_state" in group["vpc_id"] for group in groups)
    assert documents["edge"]["data"]["terraform_remote_state"]
    assert any("aws_vpc" in name for name in documents["net"]["output"])


def test_groups_can_be_given_to_other_constructs(bench: Workbench) -> None:
    firewall = AwsFirewall(bench.stack, "edge", bench.folder / "pair.yaml")
    ids = firewall.security_group_ids("expressway-e/external")
    Fragment(bench.stack, "card", {"resource": {"aws_network_interface": {"card": {"g": ids}}}})
    other = bench.new_stack("other")
    Fragment(other, "card", {"resource": {"aws_network_interface": {"card": {"g": ids}}}})
    assert firewall.network_acl_id("dmz").startswith("${TfToken")
    with pytest.raises(KeyError):
        firewall.security_group_ids("expressway-e/single")
    documents = bench.synth()
    resources = documents["net"]["resource"]
    (reference,) = resources["aws_network_interface"]["card"]["g"]
    name = re.fullmatch(r"\$\{aws_security_group\.(\S+)\.id}", reference)
    assert name is not None
    tags = resources["aws_security_group"][name[1]]["tags"]
    assert (tags["flowbridge:workload"], tags["flowbridge:interface"]) == (
        "expressway-e",
        "external",
    )
    (across,) = documents["other"]["resource"]["aws_network_interface"]["card"]["g"]
    assert "data.terraform_remote_state" in across


def test_two_firewalls_that_would_merge_in_one_stack_are_refused(bench: Workbench) -> None:
    AwsFirewall(bench.stack, "one", bench.folder / "pair.yaml")
    with pytest.raises(ValueError, match=r"both emit aws_\S+ in one stack"):
        AwsFirewall(bench.stack, "two", bench.folder / "pair.yaml")


def test_a_refused_deployment_is_no_construct(bench: Workbench) -> None:
    tests = "tests: [{from: internet, to: expressway-e, protocol: tcp, ports: 22, expect: allowed}]"
    (bench.folder / "pair.yaml").write_text(f"{PAIR}{tests}\n", "utf-8")
    with pytest.raises(RefusedError, match="port 22"):
        AwsFirewall(bench.stack, "edge", bench.folder / "pair.yaml")


def test_another_clouds_deployment_is_refused(bench: Workbench) -> None:
    azure = next(path for path in EXAMPLES if "cloud: azure" in path.read_text("utf-8"))
    with pytest.raises(RefusedError, match="azure"):
        AwsFirewall(bench.stack, "edge", azure)


def test_of_several_places_one_is_brought_by_its_name(bench: Workbench) -> None:
    example = Path(__file__).parents[2] / "examples" / "places" / "two-vpcs.yaml"
    with pytest.raises(RefusedError, match="dmz-vpc, core-vpc: say with place"):
        AwsFirewall(bench.stack, "one", example)
    AwsFirewall(bench.stack, "dmz", example, vpc_id=bench.vpc(), place="dmz-vpc")
    groups = bench.synth()["net"]["resource"]["aws_security_group"].values()
    assert {group["vpc_id"] for group in groups} == {"${aws_vpc.vpc.id}"}
    assert {group["tags"]["flowbridge:site"] for group in groups} == {"two-vpcs-dmz-vpc"}


def test_null_empty_and_odd_values_reach_the_json(bench: Workbench) -> None:
    body: dict[str, Any] = {
        "null": None,
        "deep": [{"null": None, "tuple": (1, 2)}],
        "empty": {},
        "list": [],
        "text": '$${escaped} ${var.x} "quoted" \\ é\n',
        "large": 2**53 - 1,
        "false": False,
    }
    Fragment(bench.stack, "odd", {"resource": {"t": {"a.b": body, "ab": {}, "a b": {}}}})
    resources = bench.synth()["net"]["resource"]["t"]
    assert resources.keys() == {"a.b", "ab", "a b"}
    assert resources["a.b"] == {**body, "deep": [{"null": None, "tuple": [1, 2]}]}


def test_what_is_no_json_is_refused_before_node_sees_it() -> None:
    with pytest.raises(TypeError, match="set is no Terraform JSON"):
        crossing({"a": [{1, 2}]})


def test_every_name_of_every_example_survives_the_engine() -> None:
    from flowbridge.stacks.pipeline import build, load

    for path in EXAMPLES:
        for address in addresses(build(load(path)).document):
            assert re.fullmatch(r"[A-Za-z_][\w.-]*", address), address


def test_a_site_in_code_is_what_its_file_is(bench: Workbench) -> None:
    data = yaml.safe_load(PAIR)
    keys = {key: value for key, value in data.items() if key != "cloud"}
    described = Site(**keys)
    firewall = AwsFirewall(bench.stack, "edge", described)
    filed = AwsFirewall(bench.new_stack("filed"), "edge", bench.folder / "pair.yaml")
    mapped = AwsFirewall(bench.new_stack("mapped"), "edge", data)
    read = AwsFirewall(bench.new_stack("read"), "edge", filed.built.resolution.site)
    documents = bench.synth()
    for name in ("filed", "mapped", "read"):
        assert documents[name]["resource"] == documents["net"]["resource"], name
    assert mapped.built.lowered == read.built.lowered == firewall.built.lowered


def test_a_mistake_in_code_names_the_site_and_the_key(bench: Workbench) -> None:
    data = {**yaml.safe_load(PAIR), "sise": "large"}
    with pytest.raises(BadFileError, match="Site pair: sise: this key is unknown; did you mean"):
        AwsFirewall(bench.stack, "edge", data)
    with pytest.raises(TypeError, match="set is nothing that a deployment file holds"):
        AwsFirewall(bench.stack, "edge", {**data, "services": {"mra"}})


def test_warnings_and_obligations_are_annotations(bench: Workbench) -> None:
    data = {**yaml.safe_load(PAIR), "accept": {"guide/no-alg": "done on the office firewall"}}
    firewall = AwsFirewall(bench.stack, "edge", data)
    told = {(each.type, each.data) for each in firewall.node.metadata}
    infos = [text for kind, text in told if kind == "@cdktf/info"]
    assert [text for text in infos if "(aws/path-mtu)" in text]
    assert not [text for text in infos if "(guide/no-alg)" in text]
    warnings = {f.id for f in firewall.built.findings if f.severity == "warning"}
    assert {
        text.rpartition("(")[2][:-1] for kind, text in told if kind == "@cdktf/warn"
    } == warnings
