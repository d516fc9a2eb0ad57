"""What a command keeps of a deployment that was judged: sentences and numbers, no policy.

A thousand of them are small, and they are plain data: they come from another process, or from what
was kept of an earlier run (`fleet.parts`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flowbridge.deployment.finding import Finding, Severity

if TYPE_CHECKING:
    from flowbridge.policy.questions.between_deployments import Disagreement
    from flowbridge.providers.provider import Usage
    from flowbridge.stacks.pipeline import Checked
    from flowbridge.stacks.rehearsal import Rehearsal


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAnswer:
    """One stack. `failed` are an id, a sentence and, of a test, its place in `tests`; `nearest` is
    the limit that it is nearest to, in words; `left_open` are sentences on what its document leaves
    open; `beside` counts resources of others that nobody judges. `plain` is its part of the JSON
    answer, where that was asked for."""

    file: str
    name: str
    place: str
    cloud: str
    region: str
    size: str
    release: str
    exit_code: int
    ran_out: bool
    of_others: bool
    beside: int
    interfaces: int
    rules: int
    nearest: str
    failed: tuple[tuple[str, str, int | None], ...]
    left_open: tuple[str, ...]
    findings: tuple[Finding, ...]
    plain: Mapping[str, Any] | None = None

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> SiteAnswer:
        """What `as_plain` gave, after JSON."""
        findings = (
            Finding(**{**each, "severity": Severity(each["severity"])}) for each in data["findings"]
        )
        return cls(
            **{
                **data,
                "failed": tuple((name, text, test) for name, text, test in data["failed"]),
                "left_open": tuple(data["left_open"]),
                "findings": tuple(findings),
            }
        )

    def as_plain(self) -> dict[str, Any]:
        return asdict(self)


def site_answer(checked: Checked, plain: Mapping[str, Any] | None = None) -> SiteAnswer:
    """What is kept of `checked`."""
    from flowbridge.deployment.checks.accepted import EXPIRED

    built = checked.built
    site, lowered = built.resolution.site, built.lowered
    nearest = max(lowered.usage, key=share, default=None)
    return SiteAnswer(
        file=built.resolution.file,
        name=site.name,
        place=built.resolution.place,
        cloud=str(site.cloud),
        region=str(site.region),
        size=str(site.size),
        release=str(site.release),
        exit_code=checked.exit_code,
        ran_out=any(finding.id == EXPIRED for finding in built.findings),
        of_others=checked.plan is not None,
        beside=checked.beside,
        interfaces=len(built.policy.interfaces),
        rules=len(lowered.rules),
        nearest=f"{nearest.used} of {nearest.allowed}" if nearest else "",
        failed=tuple((each.id, each.text, each.test) for each in checked.failed),
        left_open=tuple(map(str, checked.unknown)),
        findings=built.findings,
        plain=plain,
    )


def share(usage: Usage) -> float:
    """How much of a limit is used, from 0."""
    return usage.used / (usage.allowed or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalAnswer:
    """The features of deployments that belong together; `failing` are an answer and a line each."""

    names: tuple[str, ...]
    files: tuple[str, ...]
    holds: bool
    failing: tuple[tuple[str, str], ...]
    plain: Mapping[str, Any] | None = None

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> RehearsalAnswer:
        """What `as_plain` gave, after JSON."""
        return cls(
            names=tuple(data["names"]),
            files=tuple(data["files"]),
            holds=data["holds"],
            failing=tuple((answer, line) for answer, line in data["failing"]),
            plain=data["plain"],
        )

    def as_plain(self) -> dict[str, Any]:
        return asdict(self)


def rehearsal_answer(rehearsal: Rehearsal, *, plain: bool) -> RehearsalAnswer:
    """What is kept of `rehearsal`; with `plain` its part of the JSON answer, too."""
    failing = [
        (str(feature.answer), str(feature))
        for feature in rehearsal.features
        if str(feature.answer) in ("fails", "cannot be told")
    ]
    return RehearsalAnswer(
        names=rehearsal.names,
        files=rehearsal.files,
        holds=rehearsal.holds,
        failing=tuple(failing),
        plain=rehearsal.as_plain() if plain else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DisagreementAnswer:
    """What `opener` opens and `other` does not, in words."""

    opener: str
    other: str
    text: str
    plain: Mapping[str, Any]

    def __str__(self) -> str:
        return self.text


def disagreement_answers(found: Sequence[Disagreement]) -> tuple[DisagreementAnswer, ...]:
    return tuple(
        DisagreementAnswer(
            opener=each.opener, other=each.other, text=str(each), plain=each.as_plain()
        )
        for each in found
    )
