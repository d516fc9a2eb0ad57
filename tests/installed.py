"""The project built and installed as a stranger has it: a wheel in an environment of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# What a build reads; the tests, the measurements and everything that is made are left out.
_SOURCES = ("catalog", "deployment", "policy", "providers", "stacks", "flowbridge", "schemas")
_FILES = (
    "pyproject.toml",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "Makefile",
    "Containerfile",
)
_APP = ("main.py", "cdktf.json", "package.json", "package-lock.json")
PATIENCE = 300.0


def source_tree(folder: Path) -> Path:
    """A copy of what a build reads, with the links as they are, so that no build leaves traces."""
    folder.mkdir()
    for name in (*_SOURCES, "examples", "requirements"):
        shutil.copytree(
            ROOT / name,
            folder / name,
            symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    for name in (*_FILES, *_APP):
        shutil.copy(ROOT / name, folder / name)
    return folder


def build(tree: Path, target: Path, hook: str) -> Path:
    """`build_wheel` or `build_sdist` of the project's own build backend, without the network."""
    code = f"from setuptools import build_meta as b; print(b.{hook}({str(target)!r}))"
    target.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return target / done.stdout.split()[-1]


def locked_versions() -> dict[str, str]:
    """The versions of requirements/*.lock by name, so that an install takes what is at hand."""
    pattern = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)", re.MULTILINE)
    return {
        found["name"].lower(): found["version"]
        for name in ("ingest", "runtime", "node")  # where two name a package, the last counts
        for found in pattern.finditer((ROOT / "requirements" / f"{name}.lock").read_text("utf-8"))
    }


@dataclass(frozen=True)
class Installed:
    """An environment with nothing but the wheel and what it asks for."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def add(self, *requirements: str) -> None:
        """Install with the locked versions from wherever this machine's pip takes packages."""
        constraints = self.folder / "constraints.txt"
        constraints.write_text(
            "".join(f"{name}=={version}\n" for name, version in locked_versions().items()), "utf-8"
        )
        self._install("--constraint", str(constraints), *requirements)

    def add_locked(self, lock: Path) -> None:
        """Install what a lock names, with its hashes."""
        self._install("--require-hashes", "-r", str(lock))

    def _install(self, *words: str) -> None:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "--python", str(self.python), "install"),
                *("--quiet", "--disable-pip-version-check", "--only-binary", ":all:"),
                *("--no-compile", *words),
            ],
            env=_clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        if done.returncode != 0 and re.search(r"No matching distribution|Connection", done.stderr):
            pytest.skip(f"NOT RUN: pip reaches no package index here: {done.stderr[-200:]}")
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def run(
        self,
        *arguments: str,
        cwd: Path,
        code: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """The command `flowbridge`; stdout and stderr together."""
        return self._run(
            [str(self.folder / "bin" / "flowbridge"), *arguments], cwd, code, environment
        )

    def execute(
        self,
        *arguments: str,
        cwd: Path,
        code: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """The environment's Python; stdout and stderr together."""
        return self._run([str(self.python), *arguments], cwd, code, environment)

    def _run(
        self, command: Sequence[str], cwd: Path, code: int, environment: Mapping[str, str] | None
    ) -> str:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**_clean_environment(), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout + done.stderr


def _clean_environment() -> dict[str, str]:
    """Without what points at the repository."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "FLOWBRIDGE"))}


def empty_environment(folder: Path) -> Installed:
    """As `python -m venv` makes it, without a pip of its own: the test's is used."""
    venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
    return Installed(folder)
