"""The CDKTF app of an installed Flowbridge: `"app": "python -m flowbridge.app"` in `cdktf.json`.

In the repository `main.py` is this app with the repository's own folder as its home. The exit code
is that of `flowbridge.synth.main`; Ctrl-C ends with 130.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn


def run(home: Path, remedy: str) -> NoReturn:
    """Run the app and end the process; `remedy` says what brings a package that is missing."""
    try:
        from flowbridge.collector import collect_seldom
        from flowbridge.pipe import tolerate_a_reader_that_leaves
        from flowbridge.synth import main

        collect_seldom()
        tolerate_a_reader_that_leaves()
    except ModuleNotFoundError as error:
        sys.stderr.write(f"The Python package {error.name!r} is not installed here. {remedy}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        _stopped()
    try:
        code = main(home)
    except KeyboardInterrupt:
        _stopped()
    # All is done and said; the engine takes a moment to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _stopped() -> NoReturn:
    """End as shells expect of a program that Ctrl-C ended, with no answer given.

    At once: the engine's node has had the same Ctrl-C, and the engine's own ending would complain
    that it is gone. Drafts are removed by then.
    """
    sys.stderr.write("stopped\n")
    sys.stderr.flush()
    os._exit(130)


if __name__ == "__main__":
    run(Path.cwd(), "Install Flowbridge again: `pip install flowbridge`.")
