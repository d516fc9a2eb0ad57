"""What is published has the same bytes twice, and version, changelog and goldens have to agree."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from release.agreement import Previous, disagreements
from release.bill import bill_of_materials
from release.build import distributions
from release.changelog import Section, sections
from tests.installed import ROOT, empty_environment, source_tree

EPOCH = 1_700_000_000
NEXT = Version("1.3.0")
LOG = (
    "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A word.\n\n## [1.2.0] - 2026-01-31\n\n- It.\n"
)


@pytest.mark.slow
def test_two_builds_have_the_same_bytes(tmp_path: Path) -> None:
    """Of two checkouts, with other times and under other rights."""
    made = []
    for name, mask in (("first", 0o022), ("second", 0o077)):
        before = os.umask(mask)
        try:
            tree = source_tree(tmp_path / name)
            for path in tree.rglob("*"):
                if path.is_file() and not path.is_symlink():
                    path.chmod(0o666 & ~mask)
                    os.utime(path, (EPOCH + mask, EPOCH + mask))
            made.append(distributions(tree, tmp_path / f"dist-{name}", EPOCH))
        finally:
            os.umask(before)
    for first, second in zip(*made, strict=True):
        assert first.name == second.name
        assert first.read_bytes() == second.read_bytes(), first.name
    sdist, wheel = made[0]
    with tarfile.open(sdist) as archive:
        assert {member.mtime for member in archive} == {EPOCH}
        assert any(member.name.endswith("/Containerfile") for member in archive)
    with zipfile.ZipFile(wheel) as packed:
        assert {info.date_time for info in packed.infolist()} == {(2023, 11, 14, 22, 13, 20)}


@pytest.mark.slow
def test_the_bill_of_materials_is_the_lock(tmp_path: Path) -> None:
    environment = empty_environment(tmp_path / "venv")
    environment.add_locked(ROOT / "requirements" / "release.lock")
    program = environment.folder / "bin" / "cyclonedx-py"
    bills = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        bills.append(bill_of_materials(ROOT, tmp_path / name, EPOCH, program).read_bytes())
    assert bills[0] == bills[1]
    bill = json.loads(bills[0])
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "flowbridge"
    found = {each["name"].lower(): each["version"] for each in bill["components"]}
    pinned = re.findall(
        r"^([\w.-]+)==([^\s;]+)",
        (ROOT / "requirements" / "runtime.lock").read_text("utf-8"),
        re.MULTILINE,
    )
    carried = {"elkjs": found.pop("elkjs")}
    assert found == {name.lower(): version for name, version in pinned}
    (library,) = [each for each in bill["components"] if each["name"] in carried]
    content = (ROOT / "flowbridge" / "report" / "elk.bundled.js").read_bytes()
    assert library["hashes"][0]["content"] == hashlib.sha256(content).hexdigest()
    # An address of an index of whoever built it does not belong into what is published.
    assert not re.search(r"file:|localhost|127\.0\.0\.1", bills[0].decode())


def test_this_changelog_and_version_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    changelog = sections((ROOT / "CHANGELOG.md").read_text("utf-8"))
    assert disagreements(Version(project["version"]), changelog, None) == []


def test_a_changelog_is_read_by_section() -> None:
    top, last = sections(LOG)
    assert (top.version, last.version, last.date) == (None, Version("1.2.0"), "2026-01-31")
    assert top.changes == ""
    assert last.is_dated


@pytest.mark.parametrize(
    ("version", "log", "words"),
    [
        ("1.2.0", LOG, "raise the version"),
        ("1.1.0", LOG, "raise the version"),
        ("1.3.0", LOG.replace("### Added\n\n- A word.\n\n", ""), "write what 1.3.0 changes"),
        ("1.3.0", LOG.replace("[Unreleased]", "[1.3.0]"), "has no date"),
        ("1.3.0", LOG.replace("[Unreleased]", "[1.3.0] - soon"), "has no date"),
        ("1.4.0", LOG.replace("[Unreleased]", "[1.3.0] - 2026-02-28"), "write what 1.4.0"),
        ("1.3.0", LOG.replace("[Unreleased]", "[1.1.0] - 2026-02-28"), "descending"),
        ("1.3.0", LOG + "\n## [Unreleased]\n", "belongs on top"),
        ("1.3.0", "# Changelog\n", "no section"),
    ],
)
def test_a_version_that_the_changelog_does_not_have_is_told(
    version: str, log: str, words: str
) -> None:
    said = disagreements(Version(version), sections(log), None)
    assert any(words in sentence for sentence in said), said


@pytest.mark.parametrize("log", [LOG, LOG.replace("[Unreleased]", "[1.3.0] - 2026-02-28")])
def test_changes_and_a_release_of_them_agree_with_their_version(log: str) -> None:
    assert disagreements(NEXT, sections(log), None) == []
    assert disagreements(NEXT, sections(log), Previous(Version("1.2.0"), ())) == []


def changed(text: str = "") -> list[Section]:
    return sections(LOG.replace("- A word.", f"- A word.\n\n{text}"))


def test_what_moved_has_to_be_told() -> None:
    moved = Previous(Version("1.2.0"), ("tests/golden/emea-edge/cdk.tf.json",))
    [said] = disagreements(NEXT, changed(), moved)
    assert "emea-edge/cdk.tf.json" in said
    assert "say what moves" in said
    assert disagreements(NEXT, changed("### Changed\n\n- A name.\n"), moved) == []
    [said] = disagreements(NEXT, changed("### Changed\n"), moved)
    assert "say what moves" in said


def test_a_patch_moves_nothing() -> None:
    moved = Previous(Version("1.2.0"), ("tests/golden/emea-edge/cdk.tf.json",))
    [said] = disagreements(Version("1.2.1"), changed("### Changed\n\n- A name.\n"), moved)
    assert "raise the minor version" in said
