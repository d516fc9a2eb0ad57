"""`main.py` as a user runs it, and small deployments for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*.yaml"))

# The smallest pair: what a test adds to it is what the test is about.
PAIR = """\
name: pair
cloud: aws
region: eu-west-1
network:
  id: vpc-0a1b2c3d4e5f60718
  tiers:
    dmz: {cidrs: [10.0.1.0/24, 10.0.2.0/24]}
    internal: {cidrs: [10.0.10.0/24]}
expressway_e:
  tier: dmz
  peers: [{external: 10.0.1.11, internal: 10.0.2.11, public: 203.0.113.11}]
expressway_c:
  tier: internal
  peers: [{address: 10.0.10.11}]
systems:
  admin-pc: {addresses: [10.9.0.0/24]}
  dns: {addresses: [10.0.10.2]}
  ntp: {addresses: [10.0.10.3]}
services: [traversal-pair]
"""


@dataclass(frozen=True)
class Run:
    """What `main.py` said, how it ended and what it left in the folder."""

    code: int
    out: str
    err: str
    folder: Path

    def document(self, name: str) -> dict[str, Any]:
        path = self.folder / "cdktf.out" / "stacks" / name / "cdk.tf.json"
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return document

    def files(self) -> dict[str, bytes]:
        """Everything in the folder but the deployment files."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(found)
            if path.suffix != ".yaml" and path.name != "cdktf.json"
        }


Main = Callable[..., Run]


@pytest.fixture
def main(tmp_path: Path) -> Main:
    """Runs `main.py` in a folder of its own with the given deployment files."""

    def run(
        files: Mapping[str, str | bytes],
        deployments: str | None = None,
        environment: Mapping[str, str] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Run:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (tmp_path / name).write_bytes(data)
        settings = {"app": "unused", "language": "python", "context": dict(context or {})}
        (tmp_path / "cdktf.json").write_text(json.dumps(settings), "utf-8")
        unset = ("CDKTF_OUTDIR", "CDKTF_CONTEXT_JSON", "FLOWBRIDGE_ENGINE", "FLOWBRIDGE_DEBUG")
        inherited = {name: value for name, value in os.environ.items() if name not in unset}
        named = {} if context else {"FLOWBRIDGE_DEPLOYMENTS": deployments or ":".join(files)}
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "main.py")],
            cwd=tmp_path,
            env={**inherited, **named, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr, tmp_path)

    return run
