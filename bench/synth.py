"""What a synthesis costs, beside the same resources through the prebuilt AWS bindings.

    make bench        (or: python bench/synth.py --peers .cache/bench/bin/python)

Side by side in one run, in turns, each in a process of its own:

* flowbridge: `python main.py` for one large dual-NIC AWS deployment, from YAML over the catalog,
  the checks and the proof to `cdk.tf.json`; once with single systems and once with clusters;
* cdktf bindings, cdktn bindings: `bench/prebuilt_bindings.py`, which only writes the same
  resources (no catalog, no checks, no proof).

CPU seconds and peak memory are of the whole process tree, node included; medians of `--runs`.
A last table runs `main.py` for 1 to 100 deployments at once.
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
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import byte_code

REPOSITORY = Path(__file__).resolve().parent.parent
DEPLOYMENT = REPOSITORY / "examples" / "emea-edge.yaml"  # what the promises are about
HEAVY = REPOSITORY / "examples" / "edge-cluster.yaml"  # three peers each, nine services
COUNTS = (1, 10, 25, 50, 100)
MEGABYTE = 1 << 20
# What the project promises: at most this share of the peer.
CPU_LIMITS = {"cdktf bindings": 1 / 12, "cdktn bindings": 1 / 3}
MEMORY_LIMITS = {"cdktf bindings": 1 / 6}
HUNDRED_CPU_LIMIT = 10.0


@dataclass(frozen=True)
class Cost:
    """CPU seconds (user and system), wall seconds, peak bytes of the process tree."""

    cpu: float
    wall: float
    memory: int


def measure(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Cost:
    """Run `command` once. Raises CalledProcessError with its output where it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**byte_code.environment(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    peak = [0]
    watch = threading.Thread(target=_watch, args=(process, peak))
    watch.start()
    output, _ = process.communicate()
    watch.join()
    wall = time.perf_counter() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, wall, peak[0])


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], _tree_memory(process.pid))
        time.sleep(0.01)


def _tree_memory(pid: int) -> int:
    """Resident bytes of a process and all below it; 0 where they are gone already."""
    total, waiting = 0, [pid]
    while waiting:
        here = Path(f"/proc/{waiting.pop()}")
        try:
            total += int((here / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in (here / "task").iterdir():
                waiting.extend(map(int, (task / "children").read_text().split()))
        except (OSError, ValueError):
            continue
    return total


def flowbridge(files: Sequence[Path], folder: Path) -> Cost:
    """`python main.py` for `files`."""
    environment = {
        "FLOWBRIDGE_DEPLOYMENTS": ":".join(map(str, files)),
        "CDKTF_OUTDIR": str(folder / "cdktf.out"),
    }
    return measure([sys.executable, str(REPOSITORY / "main.py")], environment, folder)


def bindings(engine: str, python: str, resources: Path, folder: Path) -> Cost:
    """The peer program on the bindings of `engine`."""
    program = str(REPOSITORY / "bench" / "prebuilt_bindings.py")
    command = [python, program, engine, str(resources), str(folder / engine)]
    quiet = {
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20,22,24",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }
    return measure(command, quiet, folder)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure by itself."""
    return Cost(
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.wall for cost in costs),
        int(statistics.median(cost.memory for cost in costs)),
    )


def compare(deployment: Path, python: str, runs: int, folder: Path) -> dict[str, Cost]:
    """Ours and the peers, in turns, after one run of each that does not count."""
    flowbridge([deployment], folder)
    document = json.loads(
        (folder / "cdktf.out" / "stacks" / deployment.stem / "cdk.tf.json").read_text("utf-8")
    )
    resources = folder / "resources.json"
    resources.write_text(json.dumps(document["resource"]), "utf-8")
    contenders = {
        "flowbridge": lambda: flowbridge([deployment], folder),
        "cdktf bindings": lambda: bindings("cdktf", python, resources, folder),
        "cdktn bindings": lambda: bindings("cdktn", python, resources, folder),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for turn in range(runs + 1):
        for name, run in contenders.items():
            cost = run()
            if turn:
                costs[name].append(cost)
            print(f"{name} {turn}/{runs}: {cost.cpu:.2f} CPU s", file=sys.stderr)
    for engine in ("cdktf", "cdktn"):
        _require_the_same(document, folder / engine)
    return {name: median(each) for name, each in costs.items()}


def _require_the_same(document: dict[str, dict[str, dict[str, object]]], peer: Path) -> None:
    """The peers wrote every resource of ours."""
    written = json.loads((peer / "stacks" / "peer" / "cdk.tf.json").read_text("utf-8"))
    for kind, named in document["resource"].items():
        assert len(written["resource"][kind]) == len(named), (peer.name, kind)


def grow(runs: int, folder: Path) -> dict[int, Cost]:
    """`main.py` for many deployments at once, each with a name and addresses of its own."""
    text = DEPLOYMENT.read_text("utf-8")
    files: list[Path] = []
    for number in range(100, 100 + max(COUNTS)):
        copy = text.replace(f"name: {DEPLOYMENT.stem}", f"name: copy-{number}")
        copy = copy.replace("10.0.", f"10.{number}.")
        files.append(folder / f"copy-{number}.yaml")
        files[-1].write_text(copy, "utf-8")
    found: dict[int, Cost] = {}
    for count in COUNTS:
        found[count] = median([flowbridge(files[:count], folder) for _ in range(runs)])
        print(f"{count} deployments: {found[count].cpu:.2f} CPU s", file=sys.stderr)
    return found


def report(
    compared: Mapping[Path, Mapping[str, Cost]], grown: Mapping[int, Cost], runs: int
) -> str:
    """The tables of `docs/benchmarks.md`."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, node {_node_version()}"
    lines = [f"Medians of {runs}, {machine}."]
    for deployment, costs in compared.items():
        ours = costs["flowbridge"]
        lines += [
            "",
            f"`{deployment.relative_to(REPOSITORY)}`:",
            "",
            "| | CPU s | wall s | peak MB | CPU against ours | memory against ours |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {name} | {cost.cpu:.2f} | {cost.wall:.2f} | {cost.memory / MEGABYTE:.0f} "
            f"| {cost.cpu / ours.cpu:.1f} times | {cost.memory / ours.memory:.1f} times |"
            for name, cost in costs.items()
        ]
    lines += [
        "",
        f"Many deployments like `{DEPLOYMENT.relative_to(REPOSITORY)}` in one run of `main.py`:",
        "",
        "| deployments | CPU s | CPU s each | peak MB |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {count} | {cost.cpu:.2f} | {cost.cpu / count:.3f} | {cost.memory / MEGABYTE:.0f} |"
        for count, cost in grown.items()
    ]
    return "\n".join(lines) + "\n"


def broken(compared: Mapping[str, Cost], grown: Mapping[int, Cost]) -> list[str]:
    """The promises that do not hold, in words."""
    ours = compared["flowbridge"]
    out = [
        f"CPU is 1/{compared[name].cpu / ours.cpu:.1f} of {name}, not 1/{1 / limit:.0f}"
        for name, limit in CPU_LIMITS.items()
        if ours.cpu > compared[name].cpu * limit
    ]
    out += [
        f"memory is 1/{compared[name].memory / ours.memory:.1f} of {name}, not 1/{1 / limit:.0f}"
        for name, limit in MEMORY_LIMITS.items()
        if ours.memory > compared[name].memory * limit
    ]
    hundred = grown.get(100)
    if hundred is not None and hundred.cpu > HUNDRED_CPU_LIMIT:
        out.append(f"100 deployments take {hundred.cpu:.1f} CPU s, not {HUNDRED_CPU_LIMIT:.0f}")
    return out


def _node_version() -> str:
    node = os.environ.get("JSII_NODE", "node")
    asked = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    peers = REPOSITORY / ".cache" / "bench" / "bin" / "python"
    parser.add_argument("--peers", type=Path, default=peers)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        compared = {
            deployment: compare(
                deployment, str(arguments.peers.absolute()), arguments.runs, Path(name)
            )
            for deployment in (DEPLOYMENT, HEAVY)
        }
        grown = grow(min(arguments.runs, 3), Path(name))
    print(report(compared, grown, arguments.runs))
    failures = broken(compared[DEPLOYMENT], grown)
    for failure in failures:
        print(f"PROMISE BROKEN: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
