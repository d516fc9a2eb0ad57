"""What compiling, proving, tracing and finding redundant rules costs, beside aerleon.

    python bench/policy.py [PART ...] [--peer .cache/bench/bin/python] [--write]

Side by side in one run, in turns, each side in processes of its own (`policy_ours.py`,
`aerleon_peer.py`) on the same cases (`policy_cases.py`). CPU seconds, user and system; medians of
`--runs`. That both compile the same packets is shown with the packet sets of the proof, reading
aerleon's output by `aerleon_reader.py` and ours by the semantics of Google Cloud.

`--write` puts each part between its markers in `docs/benchmarks.md`, where other programs have
theirs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.aerleon_reader import filter_of
from bench.byte_code import environment
from bench.policy_cases import OUTER, flows, planted
from bench.policy_ours import EDGE, policy_of, site
from flowbridge.policy.filter import passes
from flowbridge.policy.packets.packet_set import PacketSet
from flowbridge.policy.point import Direction, Point
from flowbridge.providers.gcp.cloud import PROVIDER

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "benchmarks.md"
LARGEST = REPOSITORY / "examples" / "edge-cluster.yaml"
POLICIES = (1, 10, 100, 1000)
PACKETS = 1000
TIMES = (1, 2, 5, 10)
# What the project promises.
COMPILE_FACTOR, COMPILE_FROM = 10, 100
RULES_FACTOR = 5
PROOF_SECONDS = 0.5
TRACE_FACTOR = 20

PARTS = {
    "compiling": "Compiling for Google Cloud, beside aerleon",
    "proving": "Proof of the examples",
    "tracing": "Tracing, beside aerleon",
    "redundancy": "Redundant rules, beside aerleon",
    "growth": "Growth",
}

WORDS = {
    "compiling": (
        "Policies of 200 flows. Whole processes, of which starting takes {:.2f} and {:.2f} s. Ours "
        "also tells the excess, the quotas and the obligations, and names the rows in every rule."
    ),
    "rules": (
        "Rules for the same packets, four denies on each side included. A rule of ours holds all "
        "that one system is asked for, so that another flow of it changes one rule in place; where "
        "every flow has a system of its own, there is nothing to hold together."
    ),
    "tracing": (
        "{} random packets on the rules of one policy ({} allowed; both sides agree on each). A "
        "trace also names the rows, the rule and the way back. Making its indexes is counted, "
        "parsing aerleon's policy is not."
    ),
    "redundancy": (
        "Planted rules that are called redundant. aerleon's shade check compares pairs of terms "
        "and does not look at target tags."
    ),
    "growth": (
        "From the largest example (`{}`, AWS): compiling and lowering with the fit of the network "
        "ACLs, then reading back and proving, without the reading of YAML. Copies of flows have "
        "other systems and other ports. Flows, machines and rules are those of one deployment."
    ),
}

Run = Callable[..., tuple[float, dict[str, Any]]]


def runner(python: str, program: str) -> Run:
    """Runs a task of `program`: the CPU seconds of the whole process, and what it prints."""

    def run(*arguments: object) -> tuple[float, dict[str, Any]]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [python, str(REPOSITORY / "bench" / program), *map(str, arguments)],
            cwd=REPOSITORY,
            env=environment(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(done.stderr.decode())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return cpu, json.loads(done.stdout)

    return run


class Bench:
    """Both sides, the figures found, and the promises that do not hold."""

    def __init__(self, peer: str, runs: int, folder: Path) -> None:
        self.ours = runner(sys.executable, "policy_ours.py")
        self.peer = runner(peer, "aerleon_peer.py")
        self.runs = runs
        self.folder = folder
        self.broken: list[str] = []

    def promise(self, holds: bool, words: str) -> str:
        if not holds:
            self.broken.append(words)
        return "yes" if holds else "**no**"

    # ---- compiling -------------------------------------------------------------------------

    def compiling(self) -> list[str]:
        start = self._cost(0)
        lines: list[Sequence[object]] = []
        for count in POLICIES:
            ours, theirs = self._cost(count)
            _progress(f"{count} policies: {ours:.2f} and {theirs:.2f} CPU s")
            alone = (theirs - start[1]) / max(ours - start[0], 0.001)
            ratio = theirs / ours
            promised = ""
            if count >= COMPILE_FROM:
                words = f"{count} policies: {ratio:.1f} times less CPU, not {COMPILE_FACTOR}"
                promised = self.promise(ratio >= COMPILE_FACTOR, words)
            lines.append(
                (count, f"{ours:.2f}", f"{theirs:.2f}", f"{ratio:.1f}", f"{alone:.1f}", promised)
            )
        return [
            WORDS["compiling"].format(*start),
            "",
            *table(
                ("policies", "ours, CPU s", "aerleon, CPU s", "ratio", "ratio without the start",
                 f"at least {COMPILE_FACTOR}"),
                lines,
            ),
            "",
            *self._rules(),
        ]  # fmt: skip

    def _cost(self, count: int) -> tuple[float, float]:
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(self.runs):
            ours.append(self.ours("compile", count, self.folder / "ours.json")[0])
            theirs.append(self.peer("compile", count, self.folder / "aerleon.json")[0])
        return statistics.median(ours), statistics.median(theirs)

    def _rules(self) -> list[str]:
        lines: list[Sequence[object]] = []
        for words, more in (("20 systems, ten flows each", ()), ("200 systems", ("apart",))):
            files = self.folder / "ours.json", self.folder / "aerleon.json"
            ours = self.ours("compile", 1, files[0], *more)[1]["rules"]
            theirs = self.peer("compile", 1, files[1], *more)[1]["rules"]
            same = self._same(*files, apart=bool(more))
            promised = ""
            if not more:
                said = f"{ours} rules of aerleon's {theirs}, not a fifth"
                promised = self.promise(ours * RULES_FACTOR <= theirs, said)
            lines.append((words, ours, theirs, "equal" if same else "**differ**", promised))
            self.promise(same, f"{words}: the packets differ")
        return [
            WORDS["rules"],
            "",
            *table(
                ("200 flows from", "our rules", "aerleon's", "packets", "at most a fifth"), lines
            ),
        ]

    def _same(self, ours: Path, theirs: Path, *, apart: bool) -> bool:
        """Both documents let the same packets pass, and exactly those of the flows."""
        policy = policy_of(list(flows(0, apart=apart)))
        enforcement = PROVIDER.enforcement(json.loads(ours.read_text("utf-8")), policy, site())
        rules = json.loads(theirs.read_text("utf-8"))
        for direction in Direction:
            point = Point(EDGE.key, direction)
            mine: PacketSet = passes(enforcement[point])
            if not mine == filter_of(rules, direction, OUTER).allowed() == policy.intended(point):
                return False
        return True

    # ---- proof, trace, redundancy ----------------------------------------------------------

    def proving(self) -> list[str]:
        lines: list[Sequence[object]] = []
        for file in sorted((REPOSITORY / "examples").glob("*.yaml")):
            found = [self.ours("prove", file)[1] for _ in range(self.runs)]
            cost = statistics.median(each["cpu"] for each in found)
            proof = statistics.median(each["proof"] for each in found)
            promised = self.promise(
                cost < PROOF_SECONDS, f"{file.stem} takes {cost:.2f} s to prove"
            )
            lines.append(
                (f"`{file.name}`", found[0]["rules"], f"{cost:.3f}", f"{proof:.3f}", promised)
            )
        return [
            "Proof of the examples: reading `cdk.tf.json` back and proving it, from empty caches.",
            "",
            *table(
                ("example", "resources", "reading and proof, CPU s", "the proof alone",
                 f"under {PROOF_SECONDS} s"),
                lines,
            ),
        ]  # fmt: skip

    def tracing(self) -> list[str]:
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(self.runs):
            mine, peer = self.ours("check", PACKETS)[1], self.peer("check", PACKETS)[1]
            self.promise(mine["answers"] == peer["answers"], "trace and aclcheck do not agree")
            ours.append(mine["cpu"])
            theirs.append(peer["cpu"])
        one, other = statistics.median(ours), statistics.median(theirs)
        ratio = other / one
        said = f"a trace is {ratio:.1f} times faster, not {TRACE_FACTOR}"
        allowed = sum(mine["answers"])
        return [
            WORDS["tracing"].format(PACKETS, allowed),
            "",
            *table(
                ("", "ms a packet", "ratio", f"at least {TRACE_FACTOR}"),
                [
                    ("`trace`", f"{one / PACKETS * 1000:.4f}", "", ""),
                    (
                        "`aclcheck`",
                        f"{other / PACKETS * 1000:.4f}",
                        f"{ratio:.1f}",
                        self.promise(ratio >= TRACE_FACTOR, said),
                    ),
                ],
            ),
        ]

    def redundancy(self) -> list[str]:
        ours, theirs = set(self.ours("shade")[1]["found"]), set(self.peer("shade")[1]["found"])
        words = {
            "single": "covered by one other rule",
            "union": "covered by several together",
            "other-target": "the same packets for other machines: not redundant",
            "needed": "not redundant",
        }
        lines: list[Sequence[object]] = []
        for kind, text in words.items():
            names = {case.name for case in planted() if case.kind == kind}
            expected = len(names) if kind in ("single", "union") else 0
            found = len(names & ours)
            right = self.promise(found == expected, f"{found} of {kind} called redundant")
            lines.append((text, len(names), found, right, len(names & theirs)))
        return [
            WORDS["redundancy"],
            "",
            *table(("planted", "rules", "by ours", "rightly", "by aerleon"), lines),
        ]

    # ---- growth ----------------------------------------------------------------------------

    def growth(self) -> list[str]:
        lines: list[Sequence[object]] = []
        for what, words in (
            ("flows", "flows"),
            ("members", "machines behind every interface"),
            ("deployments", "deployments"),
        ):
            for times in TIMES:
                found = [self.ours("grow", what, LARGEST, times)[1] for _ in range(self.runs)]
                first = found[0]
                lower = statistics.median(each["lower"] for each in found)
                proof = statistics.median(each["prove"] for each in found)
                _progress(f"{what} times {times}: {lower:.2f} and {proof:.2f} CPU s")
                self.promise(first["holds"], f"{what} times {times}: the proof fails")
                lines.append(
                    (
                        f"{words} x {times}",
                        first["flows"],
                        first["members"],
                        first["rules"],
                        f"{lower:.2f}",
                        f"{proof:.2f}",
                    )
                )
        return [
            WORDS["growth"].format(LARGEST.name),
            "",
            *table(
                ("", "flows", "machines", "rules", "lowering, CPU s", "reading and proof, CPU s"),
                lines,
            ),
        ]


def table(heading: Sequence[str], lines: Iterable[Sequence[object]]) -> list[str]:
    rows = [heading, ["---"] * len(heading), *lines]
    return ["| " + " | ".join(map(str, row)) + " |" for row in rows]


def written(page: str, name: str, section: str) -> str:
    """`page` with `section` between the markers of `name`, or behind all else."""
    opening, closing = (f"<!-- {word}bench/policy.py {name} -->" for word in ("", "end of "))
    block = f"{opening}\n{section}\n{closing}"
    if opening not in page:
        return f"{page.rstrip()}\n\n{block}\n"
    before, _, rest = page.partition(opening)
    return before + block + rest.partition(closing)[2]


def _progress(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--peer", default=str(REPOSITORY / ".cache/bench/bin/python"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    arguments = parser.parse_args()
    if not Path(arguments.peer).exists():
        parser.error(f"no {arguments.peer}: `make bench` installs it, or name another")
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, aerleon 1.18.0"
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(arguments.peer, arguments.runs, Path(name))
        for part in arguments.parts or PARTS:
            made = (
                f"`python bench/policy.py {part} --write`: medians of {arguments.runs} on "
                f"{machine}; CPU seconds of user and system, both sides in turns in one run."
            )
            lines = [f"## {PARTS[part]}", "", made, "", *getattr(bench, part)()]
            print("\n".join(lines), flush=True)
            if arguments.write:
                page = PAGE.read_text("utf-8") if PAGE.exists() else "# Benchmarks\n"
                PAGE.write_text(written(page, part, "\n".join(lines)), "utf-8")
    for failure in dict.fromkeys(bench.broken):
        _progress(f"PROMISE BROKEN: {failure}")
    return 1 if bench.broken else 0


if __name__ == "__main__":
    sys.exit(main())
