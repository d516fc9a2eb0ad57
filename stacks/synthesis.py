"""Synthesis with nothing half-written: into a folder of its own, proved there, then moved.

What is proved is the JSON that the engine wrote, read back from its files. Only when every
deployment of the run holds does any file reach the output folder.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from errno import EISDIR
from pathlib import Path
from typing import Any

from flowbridge.catalog.reading.located_yaml import BadFileError, Problem
from flowbridge.stacks.pipeline import Built, Checked, judge


def synthesize(built: Iterable[Built], outdir: Path) -> tuple[Checked, ...]:
    """One stack per deployment in `outdir`; every judgement in the order of `built`.

    Where one of them fails, nothing is written. BadFileError where the folder cannot be used.
    """
    deployments = tuple(built)
    with _folder_beside(outdir) as draft:
        _write(deployments, draft)
        checked = tuple(judge(each, read_document(draft, each)) for each in deployments)
        if all(each.exit_code == 0 for each in checked):
            _move(draft, outdir)
    return checked


def read_document(outdir: Path, built: Built) -> dict[str, Any]:
    """The `cdk.tf.json` of one deployment in `outdir`, parsed."""
    path = outdir / "stacks" / built.resolution.site.name / "cdk.tf.json"
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def _write(deployments: tuple[Built, ...], draft: Path) -> None:
    # Imported here: the engine starts node, and a refused deployment needs none.
    from flowbridge.stacks.engine import engine
    from flowbridge.stacks.site_stack import stack_for

    app = engine.App(outdir=str(draft))
    for each in deployments:
        stack_for(app, each)
    app.synth()


@contextmanager
def _folder_beside(outdir: Path) -> Iterator[Path]:
    """A folder on the same file system as `outdir`, gone afterwards."""
    if os.environ.get("SYNTH_HCL_OUTPUT", "").lower() in ("true", "1"):
        message = "HCL output is not supported: the proof reads JSON; leave --hcl out"
        raise BadFileError([Problem("SYNTH_HCL_OUTPUT", None, "", message)])
    try:
        outdir.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".synth-", dir=outdir.parent))
    except OSError as error:
        message = f"the output folder cannot be written: {error.strerror}"
        raise BadFileError([Problem(str(outdir), None, "", message)]) from None
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _move(draft: Path, outdir: Path) -> None:
    """Put every file of `draft` in its place, the manifest last.

    What else lies there stays: Terraform keeps its provider lock and its cache beside the JSON.
    """
    files = sorted(path for path in draft.rglob("*") if path.is_file())
    files.sort(key=lambda path: path.parent == draft)
    targets = [outdir / path.relative_to(draft) for path in files]
    try:
        # Every folder first: one that cannot be made must not leave some files new and some old.
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(target))
        for file, target in zip(files, targets, strict=True):
            file.replace(target)
    except OSError as error:
        message = f"the output folder cannot be written: {error.strerror}"
        raise BadFileError([Problem(str(error.filename or outdir), None, "", message)]) from None
