"""What answers cost, beside what they should.

    python bench/goals.py [--runs 5] [--sites 100] [--write]

Each figure is CPU seconds (user and system) of a whole process tree, the start of Python included,
and the median of `--runs`; the floor, a Python that reads the YAML file and ends, is measured in
the same turns. Sites of the mix have addresses of their own and all services (`bench/sites.py`);
nothing is kept of an earlier run unless the row says so. `--write` puts the table between its
markers in `docs/benchmarks.md`.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.sites import write_sites
from bench.synth import MEGABYTE, REPOSITORY, Cost, measure

EDGE: Final = "examples/emea-edge.yaml"
CLUSTER: Final = "examples/edge-cluster.yaml"
MARK: Final = "<!-- {}bench/goals.py -->"
SELDOM: Final = "from flowbridge import cli, collector; {}cli.main()"
OFTEN: Final = SELDOM.format("collector.collect_seldom = lambda: None; ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """`most` CPU seconds for `run`; None where it is only shown."""

    what: str
    most: float | None
    run: Callable[[], Cost]


class Bench:
    """Commands in a folder of their own, with a folder of what is kept."""

    def __init__(self, folder: Path, sites: int) -> None:
        self.folder = folder
        self.mix = folder / "mix"
        self.sites = write_sites(self.mix, sites)

    def command(self, *words: str, kept: str = "kept") -> Cost:
        return self.python("-m", "flowbridge", *words, kept=kept)

    def python(self, *words: str, kept: str = "kept") -> Cost:
        environment: Mapping[str, str] = {
            "FLOWBRIDGE_CACHE": str(self.folder / kept),
            "PYTHONPATH": str(REPOSITORY),
        }
        return measure([sys.executable, *words], environment, REPOSITORY)

    def one_changed(self) -> Cost:
        """Of all sites one says something else than before."""
        site = self.sites[len(self.sites) // 2]
        site.write_text(site.read_text("utf-8") + "# changed\n", "utf-8")
        return self.command("check", str(self.mix))

    def goals(self) -> Iterator[Goal]:
        def of(most: float | None, *words: str, kept: str = "kept") -> Goal:
            what = f"`{' '.join(words)}`".replace(str(self.folder), "DIR").replace("examples/", "")
            return Goal(what=what, most=most, run=lambda: self.command(*words, kept=kept))

        floor = f"import yaml; yaml.load(open({EDGE!r}), yaml.CSafeLoader)"
        yield Goal(what="floor: Python, YAML", most=None, run=lambda: self.python("-c", floor))
        imports = "import click, pydantic, yaml; import flowbridge.stacks.pipeline"
        yield Goal(
            what="floor: the imports of `check`",
            most=None,
            run=lambda: self.python("-c", imports),
        )
        ask = ("--to", "expressway-e", "--port", "5061", "--protocol", "tcp")
        yield of(0.25, "catalog", "show", "cucm/1/22")
        yield of(0.25, "explain", EDGE, *ask)
        yield of(0.25, "trace", EDGE, "--from", "198.51.100.9", *ask)
        for command in ("check", "rules", "exposure", "rehearse"):
            yield of(0.35, command, EDGE)
            yield of(0.5, command, CLUSTER)
        yield of(0.35, "synth", EDGE, "-o", str(self.folder / "out"))
        count = len(self.sites)
        yield Goal(
            what=f"`check` of {count} mixed sites, nothing kept",
            most=5 * count / 100,
            run=lambda: self.command("check", str(self.mix), "--no-cache"),
        )
        yield Goal(
            what="the same, unchanged since the last run",
            most=1,
            run=lambda: self.command("check", str(self.mix)),
        )
        yield Goal(what="the same, one file changed", most=1, run=self.one_changed)
        some = [str(path) for path in self.sites[:12]]
        for name, program in (("seldom", SELDOM.format("")), ("by default", OFTEN)):
            words = ("-c", program, "check", "--jobs", "1", "--no-cache", *some)
            yield Goal(
                what=f"The collector: 12 sites, cycles looked for {name}",
                most=None,
                run=lambda words=words: self.python(*words),  # type: ignore[misc]
            )


def table(found: Sequence[tuple[Goal, Cost]], runs: int) -> str:
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [
        f"`python bench/goals.py --write`: medians of {runs}, {machine}.",
        "",
        "| | CPU s | wall s | peak MB | goal, CPU s | kept |",
        "|---|---|---|---|---|---|",
    ]
    for goal, cost in found:
        most = "" if goal.most is None else f"{goal.most:g}"
        held = "" if goal.most is None else "yes" if cost.cpu <= goal.most else "no"
        lines.append(
            f"| {goal.what} | {cost.cpu:.2f} | {cost.wall:.2f} "
            f"| {cost.memory / MEGABYTE:.0f} | {most} | {held} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sites", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    arguments = parser.parse_args()
    costs: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), arguments.sites)
        goals = list(bench.goals())
        for turn in range(arguments.runs + 1):
            for goal in goals:
                slow = goal.most is not None and goal.most > 1
                if slow and turn not in (1, 2):  # minutes long: once, and once more
                    continue
                cost = goal.run()
                if turn:
                    costs.setdefault(goal.what, []).append(cost)
                print(f"{goal.what}: {cost.cpu:.2f}", file=sys.stderr)
    found = [
        (
            goal,
            Cost(
                statistics.median(cost.cpu for cost in costs[goal.what]),
                statistics.median(cost.wall for cost in costs[goal.what]),
                max(cost.memory for cost in costs[goal.what]),
            ),
        )
        for goal in goals
    ]
    text = table(found, arguments.runs)
    print(text)
    if arguments.write:
        page = REPOSITORY / "docs" / "benchmarks.md"
        start, end = MARK.format(""), MARK.format("end of ")
        before, _, rest = page.read_text("utf-8").partition(start)
        after = rest.partition(end)[2]
        page.write_text(f"{before}{start}\n{text}{end}{after}", "utf-8")
    missed = [goal for goal, cost in found if goal.most is not None and cost.cpu > goal.most]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
