"""What `main.py` does: find the deployments, check them all, synthesize them all, report."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from flowbridge.catalog.reading.located_yaml import BadFileError, Problem
from flowbridge.stacks.pipeline import build_all, deployment_files
from flowbridge.stacks.project import ENGINE_VARIABLE, PROJECT_FILE, Project, read_project
from flowbridge.stacks.synthesis import synthesize

DEPLOYMENTS_VARIABLE: Final = "FLOWBRIDGE_DEPLOYMENTS"
_EXAMPLES: Final = "examples/*.yaml"


def main(home: Path) -> int:
    """Run the app of the project in the current folder, or in `home` where there is none.

    Returns the exit code: 0 synthesized, 1 a failed test or proof, 2 bad input. Whatever is
    wrong is said on stderr, one line for each thing, and never as a traceback.
    """
    try:
        return _run(read_project(Path() if Path(PROJECT_FILE).is_file() else home))
    except BadFileError as error:
        return _refuse([f"error: {problem}" for problem in error.problems])
    except Exception as error:
        if os.environ.get("FLOWBRIDGE_DEBUG"):
            raise
        advice = (
            "This is a fault in Flowbridge, not in your file. "
            "Run again with FLOWBRIDGE_DEBUG=1 and report what it prints."
        )
        return _refuse([f"error: internal error: {type(error).__name__}: {error}", advice])


def _run(project: Project) -> int:
    # The engine is imported later, wherever we are run from.
    os.environ[ENGINE_VARIABLE] = project.engine
    checked = synthesize(build_all(files_of(project)), project.outdir)
    # Imported here: a refusal needs no tables.
    from flowbridge.summary import print_summary

    code = max(each.exit_code for each in checked)
    try:
        print_summary(checked, project.outdir)
    except OSError as error:
        done = "Nothing was written." if code else f"The stacks are in {project.outdir}."
        sys.stderr.write(f"error: the summary cannot be written: {error.strerror}. {done}\n")
        return 2
    return code


def files_of(project: Project) -> tuple[Path, ...]:
    """The deployment files that the variable or the project names. BadFileError for none."""
    named = os.environ.get(DEPLOYMENTS_VARIABLE)
    if named is not None:
        return deployment_files(named, Path(), DEPLOYMENTS_VARIABLE)
    spec = project.context.get("deployments", _EXAMPLES)
    place = f"{PROJECT_FILE}: context.deployments"
    every = spec if isinstance(spec, list) else [spec]
    if not all(isinstance(part, str) for part in every):
        message = "write a path or a glob, or a list of them"
        raise BadFileError([Problem(place, None, "", message)])
    return deployment_files(spec, project.root, place)


def _refuse(lines: list[str]) -> int:
    sys.stderr.write("\n".join([*lines, "Nothing was written."]) + "\n")
    return 2
