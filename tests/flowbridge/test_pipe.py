"""The command as a process: readers that leave, disks that are full, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXAMPLE = "examples/emea-edge.yaml"


def start(*words: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *words], cwd=ROOT, stdout=stdout, stderr=subprocess.PIPE, text=True
    )


def without_a_reader(*words: str) -> tuple[int, str]:
    """How a command ends whose stdout nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    process = start("-m", "flowbridge", *words, stdout=writing)
    os.close(writing)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.parametrize(
    "words", [("rules", EXAMPLE, "--format", "json"), ("check", EXAMPLE), ("--help",)]
)
def test_a_reader_that_leaves_is_no_finding(words: tuple[str, ...]) -> None:
    code, said = without_a_reader(*words)
    assert code == 0, said
    assert "Error" not in said


def test_a_reader_that_leaves_hides_no_finding(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    text = (ROOT / EXAMPLE).read_text("utf-8")
    file.write_text(text.replace("expect: allowed", "expect: denied"), "utf-8")
    assert without_a_reader("check", str(file))[0] == 1


def test_a_full_disk_is_said_once() -> None:
    with Path("/dev/full").open("w") as full:
        process = start("-m", "flowbridge", "rules", EXAMPLE, stdout=full.fileno())
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "cannot write the answer" in said
    assert "Traceback" not in said


# A program that says when it reads its first file, and then reads for ever.
READS_FOR_EVER = """
import runpy, signal, sys
from flowbridge.catalog.reading import located_yaml

def waits(path):
    print("reading", flush=True)
    while True:
        signal.pause()

located_yaml._waits = waits
program = sys.argv[1]
sys.argv[:2] = [program]
if program.endswith(".py"):
    runpy.run_path(program, run_name="__main__")
else:
    runpy.run_module(program, run_name="__main__", alter_sys=True)
"""


def interrupted(*words: str) -> tuple[int, str]:
    """How a program ends that meets Ctrl-C while it reads."""
    process = start("-c", READS_FOR_EVER, *words)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert first == "reading\n", said
    return process.returncode, said


def test_ctrl_c_is_neither_a_finding_nor_a_traceback() -> None:
    code, said = interrupted("flowbridge", "check", EXAMPLE)
    assert code == 130, said
    assert "Traceback" not in said


def test_ctrl_c_ends_a_synth_without_a_traceback() -> None:
    assert interrupted("main.py") == (130, "stopped\n")
