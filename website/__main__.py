"""`python -m website TARGET --generator PROGRAM`: write the documentation site.

`PROGRAM` is `mkdocs` of an environment that has `requirements/site.lock`. Exit codes: 0, 2 where it
cannot be written.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from website.pages import write_pages

REPOSITORY: Final = Path(__file__).resolve().parents[1]


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m website", description=__doc__)
    words.add_argument("target", type=Path, help="the folder to write to; what is in it goes")
    words.add_argument("--generator", type=Path, required=True, help="the program mkdocs")
    asked = words.parse_args()
    try:
        write_site(asked.target, asked.generator, _epoch())
    except (OSError, subprocess.CalledProcessError) as error:
        told = getattr(error, "stderr", None) or str(error)
        print(f"error: the site cannot be written: {told[-4000:]}", file=sys.stderr)  # noqa: T201
        return 2
    print(f"Wrote {asked.target}/index.html")  # noqa: T201
    return 0


def write_site(target: Path, generator: Path, epoch: int) -> None:
    """The site of this repository; `epoch` (seconds since 1970) is its date. OSError,
    CalledProcessError (with what the generator said) where it fails."""
    with tempfile.TemporaryDirectory() as name:
        write_pages(REPOSITORY, Path(name))
        subprocess.run(  # noqa: S603
            [
                *(str(generator.absolute()), "build", "--quiet", "--clean", "--strict"),
                *("--config-file", str(Path(name) / "mkdocs.yml")),
                *("--site-dir", str(target.absolute())),
            ],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=True,
        )


def _epoch() -> int:
    """The time of the commit, where there is one: the same bytes whenever it is built."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given and given.isdecimal():
        return int(given)
    try:
        done = subprocess.run(
            ["git", "log", "-1", "--format=%ct", "HEAD"],  # noqa: S607
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
