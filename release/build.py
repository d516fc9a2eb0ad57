"""Wheel and source distribution with the same bytes wherever and whenever they are built.

Two things differ between builds of one commit: times and modes of files, which come from the
checkout. Both are set here. The wheel is made of the source distribution, as installers make it.
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

_FILE: Final = 0o644
_PROGRAM: Final = 0o755


class BuildError(Exception):
    """The build backend failed; its last words."""


def distributions(tree: Path, target: Path, epoch: int) -> tuple[Path, Path]:
    """Build the source distribution and the wheel of `tree` into `target`, all files as of `epoch`
    (seconds since 1970). The build leaves its own folders in `tree`. BuildError."""
    target.mkdir(parents=True, exist_ok=True)
    sdist = target / _built("build_sdist", tree, target, epoch)
    set_times_and_modes(sdist, epoch)
    with tempfile.TemporaryDirectory() as name:
        unpacked = Path(name)
        with tarfile.open(sdist) as archive:
            # Not as an argument: Python knows it from 3.11.4 on, and Debian 12 has 3.11.2.
            archive.extraction_filter = getattr(tarfile, "data_filter", None)
            archive.extractall(unpacked)  # noqa: S202 - what was built a moment ago
        [root] = unpacked.iterdir()
        for path in root.rglob("*"):
            path.chmod(_mode(path.is_dir() or os.access(path, os.X_OK)))
        wheel = target / _built("build_wheel", root, target, epoch)
    return sdist, wheel


def set_times_and_modes(archive: Path, epoch: int) -> None:
    """Pack a `.tar.gz` anew: sorted, owned by nobody, every time `epoch`."""
    with tarfile.open(archive) as packed:
        members = [
            (member, file.read() if (file := packed.extractfile(member)) else b"")
            for member in packed.getmembers()
        ]
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=epoch) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as packed,
    ):
        for member, content in sorted(members, key=lambda pair: pair[0].name):
            member.mtime, member.pax_headers = epoch, {}
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = _mode(member.isdir() or bool(member.mode & 0o100))
            packed.addfile(member, io.BytesIO(content))


def _mode(runs: bool) -> int:
    return _PROGRAM if runs else _FILE


def _built(hook: str, tree: Path, target: Path, epoch: int) -> str:
    """Run a hook of the build backend (PEP 517) and return the name of what it made."""
    code = f"from setuptools import build_meta as b; print(b.{hook}({str(target.resolve())!r}))"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        cwd=tree,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        umask=0o022,
    )
    if done.returncode != 0:
        raise BuildError(f"{hook} failed: {done.stderr[-2000:]}")
    return done.stdout.split()[-1]
