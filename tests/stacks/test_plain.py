"""`flowbridge synth`: what is written without an engine says what the engines write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from flowbridge.cli import flowbridge
from flowbridge.stacks.pipeline import build, load
from flowbridge.stacks.plain import form
from flowbridge.stacks.plain.evaluated import evaluated
from flowbridge.stacks.plain.module import Module, module_of
from tests.stacks.conftest import EXAMPLES, PAIR, REPOSITORY, Main

GOLDEN = REPOSITORY / "tests" / "golden"
OLD_TESTS = (
    "tests:\n  - {from: internet, to: expressway-e, protocol: tcp, ports: 22, expect: allowed}\n"
)


def synth(*arguments: str | Path) -> Result:
    return CliRunner().invoke(flowbridge, ["synth", *map(str, arguments)])


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def resources(document: dict[str, Any]) -> list[str]:
    """Every resource but for its name, in order: what the cloud is asked for."""
    return sorted(
        json.dumps([kind, {k: v for k, v in body.items() if k != "depends_on"}], sort_keys=True)
        for kind, named in document["resource"].items()
        for body in named.values()
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synth")
    for kind in ("stack", "module"):
        result = synth(*EXAMPLES, "--as", kind, "-o", folder)
        assert result.exit_code == 0, result.output
    return folder


@pytest.mark.slow
def test_the_root_configurations_are_those_of_the_engine(written: Path, main: Main) -> None:
    run = main({path.name: path.read_text("utf-8") for path in EXAMPLES})
    assert run.code == 0, run.err
    for example in EXAMPLES:
        name = load(example).site.name
        plain = json.loads((written / "stacks" / name / "cdk.tf.json").read_text("utf-8"))
        engine = {key: value for key, value in run.document(name).items() if key != "//"}
        assert plain == engine, name


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_a_module_asks_for_what_the_root_configuration_asks_for(
    example: Path, written: Path
) -> None:
    built = build(load(example))
    folder = written / "modules" / built.resolution.site.name
    files = {path.name: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    assert set(files) == {
        "main.tf.json",
        "variables.tf.json",
        "outputs.tf.json",
        "versions.tf.json",
    }
    module = evaluated(files, {})
    assert resources(module) == resources(json.loads(json.dumps(built.document)))
    blocks = {block for content in files.values() for block in content}
    assert "provider" not in blocks
    assert set(files["versions.tf.json"]["terraform"]) == {
        "required_version",
        "required_providers",
    }
    readme = (folder / "README.md").read_text("utf-8")
    for name in [*files["variables.tf.json"]["variable"], *files["outputs.tf.json"]["output"]]:
        assert f"`{name}`" in readme


def test_what_is_given_takes_the_place_of_what_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "pair.yaml"
    file.write_text(PAIR.replace("id: vpc-0a1b2c3d4e5f60718", "public_cidrs: false"), "utf-8")
    module = module_of(form.ModuleForm().build(file))
    assert "default" not in module.files["variables.tf.json"]["variable"]["vpc_id"]
    with pytest.raises(KeyError):
        evaluated(module.files, {})
    given = {
        "vpc_id": "vpc-1",
        "subnets": {"dmz": ["subnet-1", "subnet-2"]},
        "cards": {"expressway-c/single": ["eni-1"]},
        "addresses": {"10.0.10.3": "10.0.10.77"},
    }
    document = evaluated(module.files, given)["resource"]
    assert {acl["vpc_id"] for acl in document["aws_network_acl"].values()} == {"vpc-1"}
    joined = [each["subnet_id"] for each in document["aws_network_acl_association"].values()]
    assert joined == ["subnet-1", "subnet-2"]
    [card] = document["aws_network_interface_sg_attachment"].values()
    assert card["network_interface_id"] == "eni-1"
    assert "expressway-c_single" in card["security_group_id"]
    rules = document["aws_vpc_security_group_egress_rule"].values()
    there = {rule.get("cidr_ipv4") for rule in rules}
    assert "10.0.10.77/32" in there
    assert "10.0.10.3/32" not in there


def test_an_address_inside_a_computed_block_is_not_offered(tmp_path: Path) -> None:
    """Two neighbours become one block, which no other address can take the place of."""
    file = tmp_path / "pair.yaml"
    file.write_text(PAIR, "utf-8")
    offered = module_of(form.ModuleForm().build(file)).files["variables.tf.json"]["variable"]
    keys = offered["addresses"]["validation"][0]["condition"]
    assert '"10.0.10.3"' in keys
    file.write_text(
        PAIR.replace("ntp: {addresses: [10.0.10.3]}", "ntp: {addresses: [10.0.10.4, 10.0.10.5]}")
    )
    offered = module_of(form.ModuleForm().build(file)).files["variables.tf.json"]["variable"]
    keys = offered["addresses"]["validation"][0]["condition"]
    assert '"10.0.10.4"' not in keys


@pytest.mark.parametrize("kind", ["stack", "module"])
def test_what_does_not_hold_is_not_written(kind: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(PAIR.replace("name: pair", "name: good"), "utf-8")
    bad.write_text(PAIR + OLD_TESTS, "utf-8")
    result = synth(good, bad, "--as", kind, "-o", tmp_path / "out", "--format", "json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["written"] == []
    assert [each["holds"] for each in answer["deployments"]] == [True, False]
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".synth-*"))


def test_a_module_that_opens_too_much_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof reads the module's files, not what they were made from."""

    def widened(built: Any) -> Module:
        module = module_of(built)
        main = json.loads(json.dumps(module.files["main.tf.json"]))
        rule = next(iter(main["resource"]["aws_vpc_security_group_ingress_rule"].values()))
        rule["to_port"] = 65535
        return Module(module.variables, {**module.files, "main.tf.json": main})

    monkeypatch.setattr(form, "module_of", widened)
    (tmp_path / "pair.yaml").write_text(PAIR, "utf-8")
    result = synth(tmp_path / "pair.yaml", "--as", "module", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert not (tmp_path / "out").exists()


def test_the_files_that_were_written_are_listed(tmp_path: Path) -> None:
    (tmp_path / "pair.yaml").write_text(PAIR, "utf-8")
    for kind in ("stack", "module"):
        result = synth(
            tmp_path / "pair.yaml", "--as", kind, "-o", tmp_path / kind, "--format", "json"
        )
        written = sorted(json.loads(result.stdout)["written"])
        assert written == sorted(
            str(tmp_path / kind / name) for name in files_below(tmp_path / kind)
        )
    before = files_below(tmp_path)
    synth(tmp_path / "pair.yaml", "--as", "module", "-o", tmp_path / "module")
    assert files_below(tmp_path) == before


def test_without_a_file_the_deployments_of_the_app_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOWBRIDGE_DEPLOYMENTS", raising=False)
    (tmp_path / "sites").mkdir()
    (tmp_path / "sites" / "pair.yaml").write_text(PAIR, "utf-8")
    settings = {"output": "made", "context": {"deployments": "sites/*.yaml"}}
    (tmp_path / "cdktf.json").write_text(json.dumps(settings), "utf-8")
    assert synth().exit_code == 0
    assert (tmp_path / "made" / "stacks" / "pair" / "cdk.tf.json").is_file()


def test_no_engine_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("jsii", "cdktf", "cdktn", "constructs"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    monkeypatch.setenv("PATH", "")
    (tmp_path / "pair.yaml").write_text(PAIR, "utf-8")
    assert synth(tmp_path / "pair.yaml", "-o", tmp_path / "out").exit_code == 0
