"""The bill of materials (CycloneDX): what the lock installs, written by `cyclonedx-py`, and what is
carried as a file."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from release.build import BuildError


def bill_of_materials(tree: Path, target: Path, epoch: int, program: Path) -> Path:
    """Write `flowbridge-<version>.cdx.json` of `requirements/runtime.lock` into `target`: every
    package with its version, hashes and address in the form of a package URL, and the library of
    the report's map. BuildError."""
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
    listed = json.loads(bill.read_text("utf-8"))
    listed["components"].append(_carried(tree))
    bill.write_text(json.dumps(listed, indent=2) + "\n", "utf-8")
    return bill


def _carried(tree: Path) -> dict[str, Any]:
    """elkjs, which a report has inside; its version is that of the tests' lock."""
    needed = json.loads((tree / "tests" / "browser" / "package.json").read_text("utf-8"))
    version = needed["dependencies"]["elkjs"]
    content = (tree / "flowbridge" / "report" / "elk.bundled.js").read_bytes()
    address = f"pkg:npm/elkjs@{version}"
    return {
        "bom-ref": address,
        "type": "library",
        "name": "elkjs",
        "version": version,
        "purl": address,
        "licenses": [{"license": {"id": "EPL-2.0"}}],
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}],
    }
