"""The CDKTF app: deployment files in, one stack per site out.

`FLOWBRIDGE_DEPLOYMENTS` names the files (paths or globs, separated by `:`), or the context key
`deployments` in `cdktf.json`. Everything is checked and proved first; where anything fails,
nothing is written. Exit codes: 0 synthesized, 1 a failed test or proof, 2 bad input.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn


def _stopped() -> NoReturn:
    """End as shells expect of a program that Ctrl-C ended, with no answer given.

    At once: the engine's node has had the same Ctrl-C, and the engine's own ending would complain
    that it is gone. Drafts are removed by then.
    """
    sys.stderr.write("stopped\n")
    sys.stderr.flush()
    os._exit(130)


if __name__ == "__main__":
    # One short run over data without cycles: collecting finds nothing and takes a tenth.
    gc.disable()
    try:
        from flowbridge.pipe import tolerate_a_reader_that_leaves
        from flowbridge.synth import main

        tolerate_a_reader_that_leaves()
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"The Python package {error.name!r} is not installed here. Run `make synth` once: it "
            "makes .venv from the lock; then `.venv/bin/python main.py` and `cdktf synth` work.\n"
        )
        sys.exit(2)
    except KeyboardInterrupt:
        _stopped()
    try:
        code = main(Path(__file__).resolve().parent)
    except KeyboardInterrupt:
        _stopped()
    # All is done and said; the engine takes a moment to end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)
