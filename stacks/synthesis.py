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
from dataclasses import dataclass
from errno import EISDIR, ENOSPC
from pathlib import Path
from typing import Any, Final, Protocol

from flowbridge.catalog.reading.located_yaml import BadFileError, Problem
from flowbridge.stacks.pipeline import Built, Checked, judge


class Form(Protocol):
    """How deployments are written below a folder, and read back as the document that is proved."""

    def write(self, built: tuple[Built, ...], draft: Path) -> None: ...

    def read(self, draft: Path, built: Built) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Synthesized:
    """Every judgement in the order of the deployments, and the files: none where one fails."""

    checked: tuple[Checked, ...]
    files: tuple[Path, ...]

    @property
    def exit_code(self) -> int:
        return max(each.exit_code for each in self.checked)


def synthesize(built: Iterable[Built], outdir: Path) -> tuple[Checked, ...]:
    """One stack per deployment in `outdir`, by the engine; see `synthesize_as`."""
    return synthesize_as(_ENGINE, built, outdir).checked


def synthesize_as(form: Form, built: Iterable[Built], outdir: Path) -> Synthesized:
    """Write the deployments in this form below `outdir`.

    Where one of them fails, nothing is written. BadFileError where the folder cannot be used.
    """
    deployments = tuple(built)
    files: tuple[Path, ...] = ()
    with _folder_beside(outdir) as draft:
        _written(form, deployments, draft, outdir)
        checked = tuple(judge(each, form.read(draft, each)) for each in deployments)
        if all(each.exit_code == 0 for each in checked):
            files = _move(draft, outdir)
    return Synthesized(checked, files)


def _written(form: Form, built: tuple[Built, ...], draft: Path, outdir: Path) -> None:
    """Write the draft. BadFileError where the disk does not take it, whoever noticed (the engine's
    node, or Python)."""
    try:
        form.write(built, draft)
    except OSError as error:
        reason = error.strerror or str(error)
    except RuntimeError as error:  # of jsii: what node said
        if "ENOSPC" not in str(error):
            raise
        reason = os.strerror(ENOSPC)
    else:
        return
    message = f"the output folder cannot be written: {reason}"
    raise BadFileError([Problem(str(outdir), None, "", message)])


def read_document(outdir: Path, built: Built) -> dict[str, Any]:
    """The `cdk.tf.json` of one deployment in `outdir`, parsed."""
    path = outdir / "stacks" / built.resolution.site.name / "cdk.tf.json"
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


class _EngineForm:
    def write(self, built: tuple[Built, ...], draft: Path) -> None:
        # Imported here: the engine starts node, and a refused deployment needs none.
        from flowbridge.stacks.engine import engine
        from flowbridge.stacks.site_stack import stack_for

        app = engine.App(outdir=str(draft))
        for each in built:
            stack_for(app, each)
        app.synth()

    def read(self, draft: Path, built: Built) -> dict[str, Any]:
        return read_document(draft, built)


_ENGINE: Final = _EngineForm()
_DRAFT: Final = ".synth-"


@contextmanager
def _folder_beside(outdir: Path) -> Iterator[Path]:
    """A folder on the same file system as `outdir`, gone afterwards."""
    if os.environ.get("SYNTH_HCL_OUTPUT", "").lower() in ("true", "1"):
        message = "HCL output is not supported: the proof reads JSON; leave --hcl out"
        raise BadFileError([Problem("SYNTH_HCL_OUTPUT", None, "", message)])
    try:
        outdir.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over(outdir.parent)
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=outdir.parent))
    except OSError as error:
        message = f"the output folder cannot be written: {error.strerror}"
        raise BadFileError([Problem(str(outdir), None, "", message)]) from None
    lock = _locked(draft)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _remove_left_over(folder: Path) -> None:
    """Drafts of runs that were killed: nobody holds their lock any more."""
    for draft in folder.glob(f"{_DRAFT}*"):
        if draft.is_symlink() or not draft.is_dir():
            continue
        lock = _locked(draft)
        if lock is not None:
            shutil.rmtree(draft, ignore_errors=True)
            os.close(lock)


def _locked(draft: Path) -> int | None:
    """A lock on a draft, which ends with its process; None where another has it, or where the
    system knows no locks."""
    try:
        import fcntl

        lock = os.open(draft, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def _move(draft: Path, outdir: Path) -> tuple[Path, ...]:
    """Put every file of `draft` in its place, the manifest last; the places.

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
    return tuple(targets)
