"""Whether version, changelog and the upgrade law agree, as sentences of what does not.

The upgrade law: what users keep (`tests/golden`) is that of the release before, or the changelog
says what moves; and a patch release moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.version import Version

from release.changelog import Section


@dataclass(frozen=True)
class Previous:
    """The newest release before, and the goldens of it that are not the same any more."""

    version: Version
    moved: Sequence[str]


def disagreements(
    version: Version, changelog: Sequence[Section], previous: Previous | None
) -> list[str]:
    """Nothing where all of it agrees. `previous` is None before the first release."""
    return [*_of_changelog(version, changelog), *_of_upgrade(version, changelog, previous)]


def _of_changelog(version: Version, changelog: Sequence[Section]) -> list[str]:
    if not changelog:
        return ["CHANGELOG.md has no section; write `## [Unreleased]`"]
    top, *rest = changelog
    said: list[str] = []
    released = [section.version for section in changelog if section.version is not None]
    if released != sorted(set(released), reverse=True):
        said.append("the versions of CHANGELOG.md are not in descending order, each once")
    said += [
        f"[{section.version}] in CHANGELOG.md has no date; write `## [{section.version}] - "
        "<year>-<month>-<day>`"
        for section in changelog
        if section.version is not None and not section.is_dated
    ]
    if any(section.version is None for section in rest):
        said.append("[Unreleased] stands below a release in CHANGELOG.md; it belongs on top")
    if not top.text and top.version is not None:
        said.append(f"[{top.version}] in CHANGELOG.md says nothing")
    waiting = top.version is None and bool(top.text)
    newest = max(released, default=None)
    if waiting and newest is not None and version <= newest:
        said.append(
            f"pyproject.toml says {version}, and CHANGELOG.md has changes after {newest}: raise "
            "the version"
        )
    if not waiting and version != newest:
        said.append(
            f"pyproject.toml says {version}, and CHANGELOG.md ends with {newest or 'nothing'}: "
            f"write what {version} changes"
        )
    return said


def _of_upgrade(
    version: Version, changelog: Sequence[Section], previous: Previous | None
) -> list[str]:
    if previous is None or not previous.moved:
        return []
    moved = ", ".join(previous.moved[:3]) + (" …" if len(previous.moved) > 3 else "")
    since = [s for s in changelog if s.version is None or s.version > previous.version]
    said: list[str] = []
    if not any(section.changes for section in since):
        said.append(
            f"{moved} is not as in {previous.version}, and CHANGELOG.md has no `### Changed` "
            "since: say what moves and why"
        )
    if version.release[:2] == previous.version.release[:2]:
        said.append(
            f"{moved} is not as in {previous.version}, and {version} is a patch of it: raise the "
            "minor version"
        )
    return said
