"""The bill of materials (CycloneDX) of what the lock installs, written by `cyclonedx-py`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from release.build import BuildError


def bill_of_materials(tree: Path, target: Path, epoch: int, program: Path) -> Path:
    """Write `flowbridge-<version>.cdx.json` of `requirements/runtime.lock` into `target`: every
    package with its version, hashes and address in the form of a package URL. BuildError."""
    import tomllib

    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]
    bill = target / f"{project['name']}-{project['version']}.cdx.json"
    done = subprocess.run(  # noqa: S603
        [
            *(str(program), "requirements", "--pyproject", "pyproject.toml"),
            *("--mc-type", "application", "--output-reproducible", "--of", "JSON"),
            *("-o", str(bill.resolve()), "requirements/runtime.lock"),
        ],
        cwd=tree,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"the bill of materials failed: {done.stderr[-2000:]}")
    return bill
