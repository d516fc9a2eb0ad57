"""Ctrl-C while a server keeps silent: the command ends at once, and with the exit code of an
interrupted program."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("words", [("audit",), ("adopt",), ("check", "--live")])
def test_an_interrupt_does_not_wait_for_the_cloud(words: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        # A command that waited for the server would be killed, and the test would say so.
        asked = [*words, "examples/azure-edge.yaml", "--endpoint-url", url, "--timeout", "3000"]
        running = subprocess.Popen(
            [sys.executable, "-m", "flowbridge", *asked],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = silent.accept()
        with connection:
            running.send_signal(signal.SIGINT)
            _, told = running.communicate(timeout=60)
    assert (running.returncode, told.strip()) == (130, "stopped")
