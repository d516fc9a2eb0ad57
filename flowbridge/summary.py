"""What a person reads after a synth: per deployment the interfaces, groups, limits and excess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape

from flowbridge.catalog.finding_kind import finding_kinds
from flowbridge.deployment.addresses import shown
from flowbridge.deployment.checks.unusual import CUT_OFF
from flowbridge.deployment.finding import Finding, Severity
from flowbridge.deployment.selection.resolution import Outcome
from flowbridge.fleet.site_answer import SiteAnswer, share, site_answer
from flowbridge.providers.provider import TerraformJson, Usage
from flowbridge.stacks.pipeline import Checked
from flowbridge.table import banded, coloured

_COLOURS: Final = {
    Severity.REFUSAL: "bold red",
    Severity.WARNING: "yellow",
    Severity.OBLIGATION: "cyan",
    Severity.NOTE: "dim",
}
_NAMED_ONLY: Final = (Severity.OBLIGATION, Severity.NOTE)
_PLAIN_WIDTH: Final = 140
_SHOWN: Final = 3  # addresses of an interface before the rest is counted
_MANY: Final = 12  # deployments whose sections a person still reads
_NEAR: Final = 0.8  # of a limit: worth a look before the next service is added


def print_summary(checked: Iterable[Checked], outdir: Path) -> None:
    """Print a section per deployment (a line, where there are many), and what was written.

    A deployment that fails always has its section.
    """
    out = plain_console()
    deployments = tuple(checked)
    many = len(deployments) > _MANY
    sites = tuple(map(site_answer, deployments))
    for each in deployments:
        if each.exit_code or not many:
            print_deployment(each, out, Detail.BRIEF)
    if any(each.exit_code for each in deployments):
        out.print("[bold red]Nothing was written.[/]")
        return
    if many:
        _print_table(_overview(sites), out)
    written = f"{_count(len(deployments), 'deployment')} checked, proved and written"
    folder = outdir / "stacks"
    if len(deployments) == 1:
        folder /= deployments[0].built.resolution.site.name
    _say(f"[bold green]{written}[/] to {escape(_short(folder))}", out)


def print_many(sites: Sequence[SiteAnswer], out: Console) -> None:
    """A line for each of many deployments; what fails or is cut off in full above them."""
    for each in sites:
        if each.exit_code:
            print_quietly(each, out)
        else:
            for finding in each.findings:
                if finding.id == CUT_OFF:
                    what = replace(finding, message=finding_kinds()[CUT_OFF])
                    _say(f"{escape(each.file)}: {_finding(what)}", out)
    _print_table(_overview(sites), out)
    out.print()


def _overview(sites: Iterable[SiteAnswer]) -> _Table:
    table = _table(
        "Deployment",
        "Cloud",
        "Region",
        "Verdict",
        "Interfaces",
        "Rules",
        "Nearest limit",
        "Warnings",
        "To do",
    )
    for each in sites:
        table.add_row(
            each.name,
            each.cloud,
            each.region,
            "FAILED" if each.exit_code else "proved",
            str(each.interfaces),
            str(each.rules),
            each.nearest,
            *_numbers(each),
        )
    return table


def _numbers(site: SiteAnswer) -> tuple[str, str]:
    """How many warnings and how many obligations nobody accepted."""
    open_ = [finding for finding in site.findings if finding.accepted is None]
    found = Counter(finding.severity for finding in open_)
    return str(found[Severity.WARNING]), str(found[Severity.OBLIGATION])


class Detail(Enum):
    """How much of a deployment is said. What fails or is cut off is said in each."""

    BRIEF = "after a synth: the rest by name"
    ORDINARY = "obligations by name, notes and excess as counts"
    ALL = "everything in full"


def print_deployment(checked: Checked, out: Console, detail: Detail = Detail.ALL) -> None:
    """One deployment: what is wrong or not accepted, then what is opened where, what is used of
    each limit, and what is left to do.
    """
    print_quietly(site_answer(checked), out)
    _print_table(_interfaces(checked), out)
    if checked.built.lowered.usage:
        _print_table(_limits(checked), out)
    _print_excess(checked, out, detail)
    _print_absent(checked, out, detail)
    tests = len(checked.assertions)
    if tests:
        held = sum(outcome.holds for outcome in checked.assertions)
        out.print(f"Tests: {held} of {tests} hold.")
    if detail is Detail.BRIEF:
        _print_names(checked, out)
    elif detail is Detail.ORDINARY:
        _print_rest(checked, out)
    else:
        for finding in checked.built.findings:
            if not is_pressing(finding):
                _say(_finding(finding), out)
    if detail is not Detail.BRIEF:
        for edition in checked.built.resolution.editions:
            _say(f"[dim]edition:[/] {escape(edition.sentence())}", out)
    out.print()


def print_quietly(site: SiteAnswer, out: Console) -> None:
    """One deployment: what fails, and what nobody accepted."""
    verdict = "[bold green]proved[/]" if site.exit_code == 0 else "[bold red]FAILED[/]"
    out.rule(
        f"[bold]{site.name}[/] {site.cloud} {site.region} {site.size} {site.release} {verdict}"
    )
    failed = {text for _, text, _ in site.failed}
    for name, failure, _ in site.failed:
        _say(f"[bold red]failed:[/] {escape(failure)} [dim]({name})[/]", out)
    for note in () if site.of_others else site.left_open:
        _say(f"[yellow]left open:[/] {escape(note)}", out)
    if site.beside:
        others = _count(site.beside, "other resource")
        _say(
            f"[yellow]not judged:[/] {others} of this document. What Flowbridge writes is judged, "
            "and everything that has to do with it; these name no card, address, group or tag of "
            "this deployment and decide over no network as a whole",
            out,
        )
    # What is cut off stands before what is only wide.
    for finding in sorted(site.findings, key=lambda each: each.id != CUT_OFF):
        if is_pressing(finding) and finding.message not in failed:
            _say(_finding(finding), out)


def is_pressing(finding: Finding) -> bool:
    """Whether it is said first and in every answer: unaccepted and no mere note, or cut off."""
    if finding.id == CUT_OFF:
        return True
    return finding.accepted is None and finding.severity not in _NAMED_ONLY


def _print_rest(checked: Checked, out: Console) -> None:
    """Obligations by what they mean, a line each; notes and what is accepted by their ids."""
    rest = [finding for finding in checked.built.findings if not is_pressing(finding)]
    kinds = finding_kinds()
    left = [f for f in rest if f.severity is Severity.OBLIGATION and f.accepted is None]
    if left:
        table = _table("Obligation", "What it is about")
        for name, number in Counter(finding.id for finding in left).items():
            times = f" ({number})" if number > 1 else ""
            table.add_row(f"{name}{times}", kinds.get(name, "").partition(". ")[0])
        _print_table(table, out)
    notes = [f for f in rest if f.severity is Severity.NOTE and f.accepted is None]
    for title, found in (("Notes", notes), ("Accepted", [f for f in rest if f.accepted])):
        if found:
            names = ", ".join(dict.fromkeys(finding.id for finding in found))
            _say(f"[dim]{title}: {len(found)}:[/] {escape(names)}", out)
    if rest:
        file = escape(checked.built.resolution.file)
        _say(f"`flowbridge check {file} --all` says each in full.", out)


def _interfaces(checked: Checked) -> _Table:
    table = _table("Interface", "Tier", "Addresses", "Groups", "Rules in", "Rules out")
    rules = Counter((rule.scope, rule.direction) for rule in checked.built.lowered.rules)
    groups = _groups(checked.built.document)
    for interface in checked.built.policy.interfaces:
        addresses = ", ".join(map(shown, interface.private[:_SHOWN]))
        more = len(interface.private) - _SHOWN
        table.add_row(
            interface.key,
            interface.tier,
            f"{addresses}, +{more}" if more > 0 else addresses,
            str(groups[interface.key] or ""),
            str(rules[interface.key, "ingress"]),
            str(rules[interface.key, "egress"]),
        )
    named = {interface.key for interface in checked.built.policy.interfaces}
    for scope, stage in sorted({(rule.scope, rule.stage) for rule in checked.built.lowered.rules}):
        if scope not in named:
            entries = [str(rules[scope, direction]) for direction in ("ingress", "egress")]
            table.add_row(f"{stage} of {scope}", scope, "", "", *entries)
    return table


def _groups(document: TerraformJson) -> Counter[str]:
    """How many groups each interface has, by the tags that say whose they are."""
    found: Counter[str] = Counter()
    for kind, resources in document.get("resource", {}).items():
        if kind.endswith("security_group"):
            for body in resources.values():
                tags = body.get("tags", {})
                if "flowbridge:interface" in tags:
                    key = f"{tags.get('flowbridge:workload')}/{tags['flowbridge:interface']}"
                    found[key] += 1
    return found


def _limits(checked: Checked) -> _Table:
    """For each limit the place that is nearest to it."""
    table = _table("Limit", "Used", "Of", "Most used at")
    by_limit: dict[str, list[Usage]] = {}
    for usage in checked.built.lowered.usage:
        by_limit.setdefault(usage.limit, []).append(usage)
    for limit, usages in by_limit.items():
        most = max(usages, key=share)
        used = share(most)
        colour = "red" if used > 1 else "yellow" if used > _NEAR else "green"
        where = most.scope.removeprefix(f"{checked.built.resolution.site.name} ")
        others = f" (of {len(usages)})" if len(usages) > 1 else ""
        table.add_row(limit, str(most.used), str(most.allowed), f"{where}{others}", Used=colour)
    return table


def _print_excess(checked: Checked, out: Console, detail: Detail) -> None:
    places: dict[str, list[str]] = {}
    for excess in checked.built.lowered.excess:
        places.setdefault(excess.reason, []).append(excess.where)
    if detail is not Detail.ORDINARY:
        for reason, where in sorted(places.items()):
            place = where[0] if len(where) == 1 else f"{len(where)} places"
            _say(f"Excess at {escape(place)}: {escape(reason)}", out)
    elif places:
        number = _count(sum(map(len, places.values())), "place")
        _say(f"Excess at {number}, for {_count(len(places), 'reason')}", out)
    if places and detail is not Detail.BRIEF:
        file = escape(checked.built.resolution.file)
        _say(f"Excess: `flowbridge report {file}` (or `--format json` here) lists the packets", out)


def _print_absent(checked: Checked, out: Console, detail: Detail) -> None:
    """Rows of requested services that open nothing because the file does not name their party."""
    rows: dict[str, list[str]] = {}
    for selected in checked.built.resolution.selected:
        if selected.outcome is Outcome.ABSENT:
            rows.setdefault(selected.reason, []).append(selected.id)
    number = sum(map(len, rows.values()))
    if detail is Detail.BRIEF and rows:
        count = _count(number, "row")
        out.print(f"Closed: {count} of requested services, whose parties this file does not name")
    elif rows:
        for reason, ids in rows.items():
            more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
            named = f"{', '.join(ids[:_SHOWN])}{more}"
            _say(f"Closed: {escape(named)}: {escape(reason)}", out)


def _print_names(checked: Checked, out: Console) -> None:
    file = escape(checked.built.resolution.file)
    for severity in _NAMED_ONLY:
        found = [f for f in checked.built.findings if f.severity is severity]
        names = ", ".join(dict.fromkeys(finding.id for finding in found))
        if names:
            _say(f"[{_COLOURS[severity]}]{severity}s:[/] {escape(names)}", out)
    _say(f"`flowbridge check {file}` says what each of them means.", out)


def _finding(finding: Finding) -> str:
    colour = _COLOURS[finding.severity]
    key = f" {finding.key}:" if finding.key else ""
    text = f"{escape(key)} {escape(finding.message)}"
    accepted = ""
    if finding.accepted is not None and finding.accepted not in finding.message:
        accepted = f" Accepted: {finding.accepted}"
    name = f"[dim]({escape(finding.id)})[/]"
    return f"[{colour}]{finding.severity}:[/]{text}{escape(accepted)} {name}"


_NUMBERS: Final = frozenset(
    {"Groups", "Interfaces", "Rules", "Rules in", "Rules out", "Used", "Of", "Warnings", "To do"}
)


@dataclass
class _Table:
    """A heading and rows; numbers stand at the right of their column."""

    headings: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    colours: list[dict[int, str]] = field(default_factory=list)

    def add_row(self, *cells: str, **colours: str) -> None:
        """`colours` by heading, blanks as `_`."""
        at = {heading.replace(" ", "_"): place for place, heading in enumerate(self.headings)}
        self.rows.append(cells)
        self.colours.append({at[name]: colour for name, colour in colours.items()})


def _table(*headings: str) -> _Table:
    return _Table(headings)


def _print_table(table: _Table, out: Console) -> None:
    """The table; in a pipe as wide as it needs to be."""
    columns = list(zip(table.headings, *table.rows, strict=True))
    aligned = [_right(cells) if cells[0] in _NUMBERS else cells for cells in columns]
    rows = list(zip(*aligned, strict=True))
    for number, lines in enumerate(banded(rows, out.width if out.is_terminal else None)):
        colours = (
            table.colours[number - 1] if number else dict.fromkeys(range(len(rows[0])), "bold")
        )

        def paint(at: int, cell: str, colours: dict[int, str] = colours) -> str:
            colour = colours.get(at)
            return f"[{colour}]{escape(cell)}[/]" if colour and cell.strip() else escape(cell)

        for line in coloured(lines, paint):
            out.print(line, soft_wrap=True)


def _right(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Numbers padded at their left to the longest word: a heading may fold above them."""
    width = max(cell_len(word) for cell in cells for word in (cell.split() or [""]))
    head, *body = cells
    return (head, *(cell.rjust(width) for cell in body))


def _say(text: str, out: Console) -> None:
    """A sentence: folded between words on a terminal, one line in a pipe."""
    out.print(text, soft_wrap=not out.is_terminal)


def plain_console() -> Console:
    """The console of stdout; in a pipe as wide as a page."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PLAIN_WIDTH)


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
