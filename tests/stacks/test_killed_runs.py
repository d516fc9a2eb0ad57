"""What a run before left behind, and settings of the surroundings that cannot work."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from flowbridge.catalog.reading.located_yaml import BadFileError
from flowbridge.stacks.engine import find_node
from flowbridge.stacks.pipeline import Built, build_all, deployment_files
from flowbridge.stacks.synthesis import _folder_beside, synthesize_as
from flowbridge.synth import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "emea-edge.yaml"


def test_drafts_of_killed_runs_are_removed_and_those_of_others_kept(tmp_path: Path) -> None:
    (tmp_path / ".synth-killed" / "stacks").mkdir(parents=True)
    with _folder_beside(tmp_path / "out") as other:
        assert not (tmp_path / ".synth-killed").exists()
        with _folder_beside(tmp_path / "out") as draft:
            assert draft != other
            assert other.is_dir(), "another run still writes there"
    assert not list(tmp_path.glob(".synth-*"))


@pytest.mark.parametrize("value", ["", " ", ":"])
def test_no_file_is_not_every_example(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("FLOWBRIDGE_DEPLOYMENTS", value)
    monkeypatch.chdir(tmp_path)
    assert main(ROOT) == 2
    assert "FLOWBRIDGE_DEPLOYMENTS" in capsys.readouterr().err


def test_a_nul_is_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadFileError, match="NUL"):
        deployment_files(["site\0.yaml"], tmp_path, "context")
    monkeypatch.chdir(tmp_path)
    for settings in ({"context": {"deployments": "a\0b.yaml"}}, {"output": "out\0"}):
        (tmp_path / "cdktf.json").write_text(json.dumps(settings), encoding="utf-8")
        assert main(tmp_path) == 2


def test_a_node_that_is_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSII_NODE", "/nowhere/node")
    with pytest.raises(BadFileError, match="JSII_NODE"):
        find_node()


class FullDisk:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def write(self, built: tuple[Built, ...], draft: Path) -> None:  # noqa: ARG002
        raise self.error

    def read(self, draft: Path, built: Built) -> dict[str, Any]:  # noqa: ARG002
        raise AssertionError


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError("Error: ENOSPC: no space left on device, write"),
    ],
    ids=["python", "node"],
)
def test_a_full_disk_is_one_sentence(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="No space left on device"):
        synthesize_as(FullDisk(error), build_all([EXAMPLE]), tmp_path / "out")
