"""What a check found, as results with the lines of the deployment files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from flowbridge.catalog.finding_kind import finding_kinds
from flowbridge.catalog.reading.located_yaml import Problem
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.fleet.site_answer import DisagreementAnswer, SiteAnswer
from flowbridge.results.audit_results import NETWORK
from flowbridge.results.result import Level, Outcome, Result
from flowbridge.stacks.pipeline import Built
from flowbridge.stacks.seen import Seen

REFUSED: Final = "refused"
_LEVELS: Final = {
    Severity.REFUSAL: Level.ERROR,
    Severity.WARNING: Level.WARNING,
    Severity.OBLIGATION: Level.NOTE,
    Severity.NOTE: Level.NOTE,
}
_KINDS: Final = {
    REFUSED: "The file cannot be used as it stands",
    "left-open": "The document leaves open what a rule means",
    "disagreement": "One deployment opens what the other does not",
}


def check_outcome(
    sites: Iterable[SiteAnswer],
    disagreements: Iterable[DisagreementAnswer] = (),
    ahead: Mapping[str, Iterable[Finding]] | None = None,
    refused: Iterable[Problem] = (),
) -> Outcome:
    """The outcome of a check; `ahead`, by file, what an account says against an apply; `refused`,
    what is wrong with files that could not be judged."""
    each = tuple(sites)
    results = [result for one in each for result in _results(one)]
    for file, findings in (ahead or {}).items():
        results.extend(_finding(file, finding) for finding in findings)
    first = each[0].file if each else ""
    results.extend(
        Result(rule="disagreement", level=Level.ERROR, text=str(pair), file=first)
        for pair in disagreements
    )
    wrong = refusal_outcome("check", refused)
    found = {f.id: f.source for one in each for f in one.findings}
    found |= {name: "A feature that was asked for fails" for one in each for name, *_ in one.failed}
    return Outcome(
        command="check",
        examined=(*(one.file for one in each), *wrong.examined),
        results=(*results, *wrong.results),
        rules=_KINDS | {name: rule_text(name, source) for name, source in found.items()},
    )


def rule_text(name: str, otherwise: str) -> str:
    """What the data says that findings of this id mean."""
    return finding_kinds().get(name, otherwise)


def refusal_outcome(command: str, problems: Iterable[Problem]) -> Outcome:
    """The outcome of a command that could not use its files."""
    results = tuple(
        Result(
            rule=REFUSED,
            level=Level.ERROR,
            text=problem.message,
            file=problem.file,
            line=problem.line,
            key=problem.key,
        )
        for problem in problems
    )
    files = tuple(dict.fromkeys(result.file for result in results))
    return Outcome(command=command, examined=files, results=results, rules=_KINDS)


def lines_of_workloads(built: Iterable[Built | Seen]) -> dict[tuple[str, str], int]:
    """By file and workload, the line at which the deployment file describes it; that of its
    network under no workload."""
    from pathlib import Path

    from flowbridge.catalog.reading.located_yaml import BadFileError
    from flowbridge.deployment.file.extended import read_deployment

    found: dict[tuple[str, str], int] = {}
    for each in built:
        file = each.resolution.file
        try:
            read = read_deployment(Path(file))
        except BadFileError:
            continue
        where, line = read.place_of(("network",))
        if where == read.file and line is not None:
            found[file, NETWORK] = line
        for interface in each.policy.interfaces:
            own = (interface.workload.replace("-", "_"),)
            for path in (own, ("systems", interface.workload)):
                where, line = read.place_of(path)
                if where == read.file and line is not None and line > 1:
                    found.setdefault((file, interface.workload), line)
    return found


def _results(site: SiteAnswer) -> Iterator[Result]:
    for finding in site.findings:
        yield _finding(site.file, finding)
    for name, failure, test in site.failed:
        file, line = (site.file, None) if test is None else _place_of_test(site.file, test)
        yield Result(rule=name, level=Level.ERROR, text=failure, file=file, line=line)
    for unknown in () if site.of_others else site.left_open:
        yield Result(rule="left-open", level=Level.WARNING, text=unknown, file=site.file)


def _place_of_test(file: str, number: int) -> tuple[str, int | None]:
    """The file and line of a test, where the file can still be read."""
    from pathlib import Path

    from flowbridge.catalog.reading.located_yaml import BadFileError
    from flowbridge.deployment.file.extended import read_deployment

    try:
        return read_deployment(Path(file)).place_of(("tests", number))
    except BadFileError:
        return file, None


def _finding(file: str, finding: Finding) -> Result:
    return Result(
        rule=finding.id,
        level=_LEVELS[finding.severity] if finding.accepted is None else Level.NOTE,
        text=finding.message,
        accepted=finding.accepted,
        file=finding.file or file,
        line=finding.line,
        key=finding.key,
        source=finding.source,
    )
