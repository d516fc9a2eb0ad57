"""The documentation site as one archive, with the same bytes wherever and whenever it is built."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from release.build import BuildError, set_times_and_modes


def documentation(tree: Path, target: Path, epoch: int, generator: Path) -> Path:
    """Write `flowbridge-<version>-site.tar.gz` of `tree` into `target`; `generator` is the program
    mkdocs. BuildError where the site cannot be written."""
    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]
    name = f"{project['name']}-{project['version']}-site"
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "website", str(site), "--generator", str(generator)],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree), "SOURCE_DATE_EPOCH": str(epoch)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BuildError(f"the site failed: {done.stderr[-2000:]}")
        archive = target / f"{name}.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(site, arcname=name)
    set_times_and_modes(archive, epoch)
    return archive
