"""The CDKTF app: deployment files in, one stack per site out.

`FLOWBRIDGE_DEPLOYMENTS` names the files (paths or globs, separated by `:`), or the context key
`deployments` in `cdktf.json`. Everything is checked and proved first; where anything fails,
nothing is written. Exit codes: 0 synthesized, 1 a failed test or proof, 2 bad input.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

if __name__ == "__main__":
    # One short run over data without cycles: collecting finds nothing and takes a tenth.
    gc.disable()
    try:
        from stacks.app import main
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"The Python package {error.name!r} is not installed here. Run `make synth` once: it "
            "makes .venv from the lock; then `.venv/bin/python main.py` and `cdktf synth` work.\n"
        )
        sys.exit(2)
    sys.exit(main(Path(__file__).resolve().parent))
