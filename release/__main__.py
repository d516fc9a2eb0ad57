"""`python -m release TARGET --bill PROGRAM --generator PROGRAM`: check the commit, then build what
is published.

Source distribution, wheel, documentation site, bill of materials, container recipe and
`SHA256SUMS`, all from the commit and never from what lies beside it. Exit codes: 0, 1 where
something disagrees, 2 where it cannot be built here.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from io import BytesIO
from pathlib import Path
from typing import Final

from packaging.version import Version

from release.agreement import Previous, disagreements
from release.bill import bill_of_materials
from release.build import BuildError, distributions
from release.changelog import sections
from release.documentation import documentation

REPOSITORY: Final = Path(__file__).resolve().parents[1]
# Run in the tree that is released, so that its own code answers.
_GOLDENS: Final = """
from tests.golden.renew import FOLDER, goldens
for name, content in goldens():
    path = FOLDER / name
    if not path.is_file() or path.read_text("utf-8") != content:
        print(name)
"""


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    words.add_argument("target", type=Path, help="the folder to write to")
    words.add_argument("--bill", type=Path, required=True, help="the program cyclonedx-py")
    words.add_argument("--generator", type=Path, required=True, help="the program mkdocs")
    asked = words.parse_args()
    try:
        return _release(asked.target, asked.bill.absolute(), asked.generator.absolute())
    except (BuildError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2


def _release(target: Path, program: Path, generator: Path) -> int:
    epoch = int(_git("log", "-1", "--format=%ct", "HEAD"))
    if _git("status", "--porcelain"):
        _say("note: what is not committed is not in the release")
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name) / "tree"
        _export(tree)
        if said := _wrong(tree):
            for sentence in said:
                _say(f"error: {sentence}")
            return 1
        made = Path(name) / "made"
        sdist, wheel = distributions(tree, made, epoch)
        bill = bill_of_materials(tree, made, epoch, program)
        site = documentation(tree, made, epoch, generator)
        recipe = Path(shutil.copyfile(tree / "Containerfile", made / "Containerfile"))
        files = sorted((sdist, wheel, site, bill, recipe))
        sums = "".join(f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.name}\n" for f in files)
        (made / "SHA256SUMS").write_text(sums, "utf-8")
        target.mkdir(parents=True, exist_ok=True)
        for file in (*files, made / "SHA256SUMS"):
            shutil.copyfile(file, target / file.name)
    _say(sums.rstrip())
    return 0


def _export(tree: Path) -> None:
    """The commit as files, links as links."""
    packed = subprocess.run(
        ["git", "archive", "HEAD"],  # noqa: S607
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    tree.mkdir()
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extraction_filter = getattr(tarfile, "tar_filter", None)  # from Python 3.11.4 on
        archive.extractall(tree)  # noqa: S202 - what git wrote a moment ago


def _wrong(tree: Path) -> list[str]:
    """What keeps the commit from being released."""
    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]
    version = Version(project["version"])
    changelog = sections((tree / "CHANGELOG.md").read_text("utf-8"))
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _GOLDENS],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"the goldens cannot be asked for: {done.stderr[-1000:]}")
    stale = [f"tests/golden/{name} is not what is answered" for name in done.stdout.split()]
    return [*disagreements(version, changelog, _previous(version)), *stale]


def _previous(version: Version) -> Previous | None:
    """The newest tag `v<version>` below `version` that the commit comes after."""
    tags = _git("tag", "--list", "v[0-9]*", "--merged", "HEAD").split()
    older = [found for tag in tags if (found := Version(tag[1:])) < version]
    if not older:
        return None
    tag = f"v{max(older)}"
    moved = _git(
        "diff", "--name-only", "--diff-filter=MD", tag, "HEAD", "--", "tests/golden/*.json"
    )
    return Previous(max(older), moved.splitlines())


def _git(*words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603
            ["git", *words],  # noqa: S607
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError("a release is made of a commit: run it in a clone, with git") from error
    return done.stdout.strip()


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
