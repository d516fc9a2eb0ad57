"""The ranges of pyproject.toml hold what the suite runs with: the versions of the lock."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.installed import ROOT, locked_versions

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _requirements() -> Iterator[Requirement]:
    yield from map(Requirement, _PROJECT["dependencies"])
    for extra in _PROJECT["optional-dependencies"].values():
        yield from map(Requirement, extra)


NEEDED = tuple(_requirements())


@pytest.mark.parametrize("needed", NEEDED, ids=str)
def test_the_range_holds_the_locked_version(needed: Requirement) -> None:
    locked = {canonicalize_name(name): version for name, version in locked_versions().items()}
    version = locked[canonicalize_name(needed.name)]
    assert needed.specifier.contains(version), f"{needed} and {version} of the lock"


@pytest.mark.parametrize("needed", NEEDED, ids=str)
def test_the_range_leaves_out_a_major_version_that_nobody_ran(needed: Requirement) -> None:
    assert not needed.specifier.contains("9999"), f"{needed} has no upper end"
